#pragma once

#include "kernels/pointwise/program_view.hpp"
#include "kernels/simd.hpp"

/// The reductions that ride along with a program. Values are added in single precision over blocks of at most 1,024
/// pixels, moments about the block's first pixel; a full block is merged into the partial slot in double, moments by
/// Chan's formula (Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances",
/// 1979).
namespace liven::kernels {
namespace {

constexpr int64_t block_limit = 1024;

/// Adds x - shift, and its square, over the vectors at(0 .. count - 1). Four chains hide the latency of addition.
template <bool squares, class Load>
LIVEN_INLINE void add_vectors(vec& sum, vec& square, int64_t count, vec shift, Load at) {
    vec s[4] = {sum, zero(), zero(), zero()}, q[4] = {square, zero(), zero(), zero()};
    const auto take = [&](int chain, vec x) {
        if constexpr (squares) {
            const vec d = x - shift;
            s[chain] = s[chain] + d;
            q[chain] = madd(d, d, q[chain]);
        } else {
            s[chain] = s[chain] + x;
        }
    };
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        take(0, at(i));
        take(1, at(i + 1));
        take(2, at(i + 2));
        take(3, at(i + 3));
    }
    for (; i < count; ++i) take(0, at(i));
    sum = (s[0] + s[1]) + (s[2] + s[3]);
    if constexpr (squares) square = (q[0] + q[1]) + (q[2] + q[3]);
}

/// One vector of channels after the other, down the pixels.
template <bool squares>
void add_wide(const float* row, int64_t pixels, int64_t stride, int64_t channels, const float* shift, float* sum,
              float* square) {
    for (int64_t c = 0; c < channels; c += lanes) {
        const int64_t width = channels - c < lanes ? channels - c : lanes;
        const float* column = row + c;
        if (width == lanes) {
            vec s = load(sum + c), q = squares ? load(square + c) : zero();
            const vec k = squares ? load(shift + c) : zero();
            add_vectors<squares>(s, q, pixels, k, [=](int64_t p) { return load(column + p * stride); });
            store(sum + c, s);
            if (squares) store(square + c, q);
        } else {
            vec s = load_part(sum + c, width), q = squares ? load_part(square + c, width) : zero();
            const vec k = squares ? load_part(shift + c, width) : zero();
            add_vectors<squares>(s, q, pixels, k, [=](int64_t p) { return load_part(column + p * stride, width); });
            store_part(sum + c, s, width);
            if (squares) store_part(square + c, q, width);
        }
    }
}

/// Pixels narrower than a vector: `lanes` pixels are `channels` whole vectors, whose lanes are folded onto the
/// channels.
template <bool squares>
void add_narrow(const float* row, int64_t pixels, int64_t channels, const float* shift, float* sum, float* square) {
    const int64_t groups = pixels / lanes, group = lanes * channels;
    for (int64_t v = 0; v < channels && groups > 0; ++v) {
        float shifts[lanes], part[lanes];
        for (int64_t i = 0; i < lanes; ++i) shifts[i] = squares ? shift[(v * lanes + i) % channels] : 0.0f;
        const float* column = row + v * lanes;
        vec s = zero(), q = zero();
        add_vectors<squares>(s, q, groups, load(shifts), [=](int64_t g) { return load(column + g * group); });
        store(part, s);
        for (int64_t i = 0; i < lanes; ++i) sum[(v * lanes + i) % channels] += part[i];
        if (!squares) continue;
        store(part, q);
        for (int64_t i = 0; i < lanes; ++i) square[(v * lanes + i) % channels] += part[i];
    }
    for (int64_t p = groups * lanes; p < pixels; ++p) {
        for (int64_t c = 0; c < channels; ++c) {
            const float d = row[p * channels + c] - (squares ? shift[c] : 0.0f);
            sum[c] += d;
            if (squares) square[c] += d * d;
        }
    }
}

template <bool squares>
void add_pixels(const float* row, int64_t pixels, int64_t stride, int64_t channels, const float* shift, float* sum,
                float* square) {
    if (channels < lanes && stride == channels)
        add_narrow<squares>(row, pixels, channels, shift, sum, square);
    else
        add_wide<squares>(row, pixels, stride, channels, shift, sum, square);
}

/// Chan's merge of a block of n pixels with shift k, sum s and sum of squares q into (count, mean, m2).
void merge_block(double n, const float* k, const float* s, const float* q, double* __restrict count,
                 double* __restrict mean, double* __restrict m2, int64_t channels) {
    for (int64_t c = 0; c < channels; ++c) {
        const double offset = double{s[c]} / n;
        const double delta = double{k[c]} + offset - mean[c], total = count[c] + n;
        m2[c] += (double{q[c]} - double{s[c]} * offset) + delta * delta * (count[c] * n / total);
        mean[c] += delta * (n / total);
        count[c] = total;
    }
}

/// All reductions of one call of `run`.
class Sums {
public:
    LIVEN_INLINE Sums(const ProgramView& view, float* scratch, double* slot, int64_t first_channel, int64_t channels)
        : view_(view), scratch_(scratch), slot_(slot), first_channel_(first_channel), channels_(channels) {}

    /// Before a tile of `pixels`: ends the block when it would grow beyond its limit.
    LIVEN_INLINE void expect(int64_t pixels) {
        if (pixels_ + pixels > block_limit) flush();
    }
    /// Adds channels [offset, +width) of a tile whose pixels start at `row`, `stride` floats apart.
    void add(const ViewReduction& reduction, const float* row, int64_t stride, int64_t pixels, int64_t offset,
             int64_t width) {
        float* block = scratch_ + reduction.block_offset + offset;
        if (reduction.kind == Reduction::Kind::sum) {
            if (pixels_ == 0) clear(block, width);
            add_pixels<false>(row, pixels, stride, width, nullptr, block, nullptr);
            return;
        }
        float *shift = block, *sum = block + view_.channels, *square = block + 2 * view_.channels;
        if (pixels_ == 0) {
            for (int64_t c = 0; c < width; ++c) shift[c] = row[c];
            clear(sum, width);
            clear(square, width);
        }
        add_pixels<true>(row, pixels, stride, width, shift, sum, square);
    }
    /// For whoever adds by itself: the running block of a reduction, its sums emptied when it begins. The shift of
    /// moments is then still to be set.
    float* block(const ViewReduction& reduction, int64_t width) const {
        float* block = scratch_ + reduction.block_offset;
        if (!at_start()) return block;
        const bool moments = reduction.kind == Reduction::Kind::moments;
        clear(block + (moments ? view_.channels : 0), width);
        if (moments) clear(block + 2 * view_.channels, width);
        return block;
    }
    bool at_start() const { return pixels_ == 0; }
    LIVEN_INLINE void advance(int64_t pixels) { pixels_ += pixels; }
    LIVEN_INLINE void flush() {
        if (pixels_ == 0) return;
        for (int32_t i = 0; i < view_.reduction_count; ++i) merge(view_.reductions[i]);
        pixels_ = 0;
    }

private:
    void merge(const ViewReduction& reduction) {
        const float* block = scratch_ + reduction.block_offset;
        double* slot = slot_ + reduction.slot_offset + first_channel_;
        const int64_t all = view_.channels;
        if (reduction.kind == Reduction::Kind::sum)
            for (int64_t c = 0; c < channels_; ++c) slot[c] += double{block[c]};
        else
            merge_block(static_cast<double>(pixels_), block, block + all, block + 2 * all, slot, slot + all,
                        slot + 2 * all, channels_);
    }

    static void clear(float* values, int64_t count) {
        for (int64_t i = 0; i < count; ++i) values[i] = 0;
    }

    const ProgramView& view_;
    float* scratch_;
    double* slot_;
    int64_t first_channel_, channels_;
    int64_t pixels_ = 0;  ///< in the running block
};

}  // namespace
}  // namespace liven::kernels
