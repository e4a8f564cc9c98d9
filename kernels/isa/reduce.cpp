#include "kernels/pointwise/math.hpp"
#include "kernels/pointwise/sums.hpp"
#include "kernels/reduce/table.hpp"

namespace liven::kernels {
namespace {

void fill(float* values, float value, int64_t count) {
    for (int64_t i = 0; i < count; ++i) values[i] = value;
}

/// Calls f(first pixel's address, pixels) for each block of at most block_limit pixels.
template <class F>
LIVEN_INLINE void in_blocks(const float* src, int64_t pixels, int64_t stride, F f) {
    for (int64_t p = 0; p < pixels; p += block_limit)
        f(src + p * stride, pixels - p < block_limit ? pixels - p : block_limit);
}

void accumulate_sum(const float* src, int64_t pixels, int64_t stride, int64_t channels, float* block,
                    double* slot) noexcept {
    in_blocks(src, pixels, stride, [=](const float* rows, int64_t count) {
        fill(block, 0, channels);
        add_pixels<false>(rows, count, stride, channels, nullptr, block, nullptr);
        for (int64_t c = 0; c < channels; ++c) slot[c] += double{block[c]};
    });
}

void accumulate_moments(const float* src, int64_t pixels, int64_t stride, int64_t channels, float* block,
                        double* slot) noexcept {
    float *sum = block + channels, *square = sum + channels;
    in_blocks(src, pixels, stride, [=](const float* rows, int64_t count) {
        for (int64_t c = 0; c < channels; ++c) block[c] = rows[c];
        fill(sum, 0, 2 * channels);
        add_pixels<true>(rows, count, stride, channels, block, sum, square);
        merge_block(static_cast<double>(count), block, sum, square, slot, slot + channels, slot + 2 * channels,
                    channels);
    });
}

/// NaN on either side stays NaN.
LIVEN_INLINE vec larger(vec x, vec most) { return select(is_nan(x), x, max_of(x, most)); }

/// The lanes' maximum, NaN winning.
float largest_lane(vec v) {
    float part[lanes];
    store(part, v);
    float most = part[0];
    for (int64_t i = 1; i < lanes; ++i)
        if (part[i] > most || part[i] != part[i]) most = part[i];
    return most;
}

float largest(const float* values, int64_t count) {
    vec most[4] = {splat(-infinity), splat(-infinity), splat(-infinity), splat(-infinity)};
    int64_t i = 0;
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
        most[0] = larger(load(values + i), most[0]);
        most[1] = larger(load(values + i + lanes), most[1]);
        most[2] = larger(load(values + i + 2 * lanes), most[2]);
        most[3] = larger(load(values + i + 3 * lanes), most[3]);
    }
    for (; i + lanes <= count; i += lanes) most[0] = larger(load(values + i), most[0]);
    float best = largest_lane(larger(larger(most[0], most[1]), larger(most[2], most[3])));
    for (; i < count; ++i)
        if (values[i] > best || values[i] != values[i]) best = values[i];
    return best;
}

void accumulate_maximum(const float* src, int64_t pixels, int64_t stride, int64_t channels, float* block,
                        double* slot) noexcept {
    if (channels == 1 && stride == 1) {
        const auto best = double{largest(src, pixels)};
        if (best > *slot || best != best) *slot = best;
        return;
    }
    for (int64_t c = 0; c < channels; ++c) block[c] = static_cast<float>(slot[c]);
    for (int64_t c = 0; c < channels; c += lanes) {
        const int64_t width = channels - c < lanes ? channels - c : lanes;
        vec most = load_part(block + c, width);
        for (int64_t p = 0; p < pixels; ++p) most = larger(load_part(src + p * stride + c, width), most);
        store_part(block + c, most, width);
    }
    for (int64_t c = 0; c < channels; ++c) slot[c] = double{block[c]};
}

/// The sum of a row whose values f makes, single precision over at most block_limit vectors.
template <class F>
LIVEN_INLINE double sum_row(int64_t channels, F f) {
    double total = 0;
    for (int64_t c = 0; c < channels; c += block_limit) {
        const int64_t end = c + block_limit < channels ? c + block_limit : channels;
        vec s = zero();
        for (int64_t i = c; i < end; i += lanes) s = s + f(i, end - i < lanes ? end - i : lanes);
        float part[lanes];
        store(part, s);
        for (int64_t i = 0; i < lanes; ++i) total += double{part[i]};
    }
    return total;
}

LIVEN_INLINE vec first_lanes(vec v, int64_t width) {
    if (width == lanes) return v;
    float part[lanes];
    store(part, v);
    return load_part(part, width);
}

void softmax_rows(float* dst, int64_t dst_stride, const float* src, int64_t src_stride, int64_t count,
                  int64_t channels) noexcept {
    for (int64_t row = 0; row < count; ++row, dst += dst_stride, src += src_stride) {
        const vec most = splat(largest(src, channels));
        const double sum = sum_row(channels, [=](int64_t i, int64_t width) {
            const vec e = first_lanes(exp_of(load_part(src + i, width) - most), width);
            store_part(dst + i, e, width);
            return e;
        });
        const vec scale = splat(static_cast<float>(1.0 / sum));
        for (int64_t i = 0; i < channels; i += lanes) {
            const int64_t width = channels - i < lanes ? channels - i : lanes;
            store_part(dst + i, load_part(dst + i, width) * scale, width);
        }
    }
}

void log_softmax_rows(float* dst, int64_t dst_stride, const float* src, int64_t src_stride, int64_t count,
                      int64_t channels) noexcept {
    for (int64_t row = 0; row < count; ++row, dst += dst_stride, src += src_stride) {
        const vec most = splat(largest(src, channels));
        const double sum = sum_row(channels, [=](int64_t i, int64_t width) {
            return first_lanes(exp_of(load_part(src + i, width) - most), width);
        });
        const vec log_sum = log_of(splat(static_cast<float>(sum)));
        for (int64_t i = 0; i < channels; i += lanes) {
            const int64_t width = channels - i < lanes ? channels - i : lanes;
            store_part(dst + i, (load_part(src + i, width) - most) - log_sum, width);
        }
    }
}

/// Sums of a block of pairs: `rows` rows of a with `columns` rows of b, lane by lane.
template <int rows, int columns>
void gram_block(const float* a, const float* b, int64_t stride, int64_t width, double* sums, int64_t count) {
    dvec total[rows][columns];
    for (auto& row : total)
        for (dvec& sum : row) sum = dvec(0.0);
    for (int64_t i = 0; i < width; i += lanes) {
        const int64_t part = width - i < lanes ? width - i : lanes;
        dvec low[columns], high[columns];
#pragma GCC unroll 4
        for (int c = 0; c < columns; ++c) {
            const vec v = load_part(b + c * stride + i, part);
            low[c] = widen_low(v);
            high[c] = widen_high(v);
        }
#pragma GCC unroll 4
        for (int r = 0; r < rows; ++r) {
            const vec v = load_part(a + r * stride + i, part);
            const dvec left = widen_low(v), right = widen_high(v);
#pragma GCC unroll 4
            for (int c = 0; c < columns; ++c) total[r][c] = total[r][c] + left * low[c] + right * high[c];
        }
    }
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c) sums[r * count + c] += xsimd::hadd(total[r][c]);
}

template <int rows>
void gram_rows(const float* a, const float* b, int64_t left, int64_t stride, int64_t width, double* sums,
               int64_t count) {
    int64_t c = 0;
    for (; c + 4 <= left; c += 4) gram_block<rows, 4>(a, b + c * stride, stride, width, sums + c, count);
    for (; c < left; ++c) gram_block<rows, 1>(a, b + c * stride, stride, width, sums + c, count);
}

/// Blocks on the diagonal compute both triangles of themselves; nobody reads the lower one.
void gram(const float* src, int64_t stride, int64_t count, int64_t columns, double* sums) noexcept {
    constexpr int64_t strip = 256;  // columns: 16 rows of them stay in L1
    for (int64_t i = 0; i < columns; i += strip) {
        const int64_t width = columns - i < strip ? columns - i : strip;
        const float* rows = src + i;
        int64_t r = 0;
        for (; r + 4 <= count; r += 4)
            gram_rows<4>(rows + r * stride, rows + r * stride, count - r, stride, width, sums + r * count + r, count);
        for (; r < count; ++r)
            gram_rows<1>(rows + r * stride, rows + r * stride, count - r, stride, width, sums + r * count + r, count);
    }
}

void widen(const uint16_t* rows, int64_t stride, int64_t count, int64_t columns, float* dst) noexcept {
    for (int64_t r = 0; r < count; ++r, rows += stride, dst += columns) {
        int64_t c = 0;
        for (; c + lanes <= columns; c += lanes) store(dst + c, load_bf16(rows + c));
        if (c < columns) store_part(dst + c, load_bf16_part(rows + c, columns - c), columns - c);
    }
}

constexpr ReduceTable table{
    accumulate_sum, accumulate_maximum, accumulate_moments, softmax_rows, log_softmax_rows, gram, widen};

}  // namespace

const ReduceTable* LIVEN_ISA_NAME(reduce_table)() { return &table; }

}  // namespace liven::kernels
