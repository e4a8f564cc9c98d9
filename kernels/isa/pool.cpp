// Maximum pooling of one row of windows, its gradient, and picking values at the maxima.
//
// Loop nest: window, vector of channels, taps in row-major order. The running maximum stays in a register; the gradient
// also keeps the number of the winning tap and adds dy where a tap's number won. A tap replaces the maximum when it is
// greater, or NaN while the maximum is a number: so the first of equals wins. 2 x 2 windows at stride 2 without
// padding, the case of the AttackNets, have their four taps unrolled and their gradient stored instead of added, since
// no pixel lies in two windows. Bytes: every src row is read from memory once (a row shared by overlapping windows
// comes from L1), dst written once. Compares are 3 a tap, far below the time of the loads: memory speed is expected
// wherever channels fill vectors.
#include "kernels/pool/pool.hpp"

#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

LIVEN_INLINE vec minus_infinity() { return splat(-__builtin_inff()); }

/// Where x takes the place of the maximum so far: it is greater, or NaN while the maximum is a number.
LIVEN_INLINE mask wins(vec x, vec best) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(best, best, _CMP_ORD_Q), x, best, _CMP_NLE_UQ);
#elif defined(LIVEN_ISA_avx2)
    return _mm256_and_ps(_mm256_cmp_ps(x, best, _CMP_NLE_UQ), _mm256_cmp_ps(best, best, _CMP_ORD_Q));
#else
    return _mm_and_ps(_mm_cmpnle_ps(x, best), _mm_cmpord_ps(best, best));
#endif
}

/// The maximum itself: max_of keeps `best` when x is equal or NaN, and a NaN it holds.
LIVEN_INLINE vec larger(vec x, vec best) { return select(is_nan(x), x, max_of(x, best)); }

/// All channels of a pixel: whole vectors, then the rest.
struct Whole {
    static LIVEN_INLINE vec get(const float* p, int64_t) { return load(p); }
    static LIVEN_INLINE void put(float* p, vec v, int64_t) { store(p, v); }
};
struct Part {
    static LIVEN_INLINE vec get(const float* p, int64_t count) { return load_part(p, count); }
    static LIVEN_INLINE void put(float* p, vec v, int64_t count) { store_part(p, v, count); }
};

template <class Body>
LIVEN_INLINE void each_vector(int64_t channels, Body body) {
    int64_t c = 0;
    for (; c + lanes <= channels; c += lanes) body(Whole{}, c, lanes);
    if (c < channels) body(Part{}, c, channels - c);
}

/// The taps of window x that lie in the image: taps [first, last) of a row.
struct Columns {
    int64_t start = 0, first = 0, last = 0;
    Columns(const PoolRow& row, int64_t x) : start(x * row.stride_w - row.left), last(row.kernel_w) {
        while (first < last && start + first * row.dilation_w < 0) ++first;
        while (last > first && start + (last - 1) * row.dilation_w >= row.width) --last;
    }
};

bool is_plain_2x2(const PoolRow& row) {
    return row.kernel_h == 2 && row.kernel_w == 2 && row.stride_w == 2 && row.left == 0 && row.dilation_w == 1 &&
           row.src[0] && row.src[1] && 2 * row.out_width <= row.width;
}

/// Calls `body(get/put, c, count, offset)` with c of the first tap for each window of a plain 2 x 2 row.
template <class Body>
LIVEN_INLINE void each_plain_window(const PoolRow& row, Body body) {
    for (int64_t x = 0; x < row.out_width; ++x)
        each_vector(row.channels, [&](auto access, int64_t c, int64_t count) { body(access, x, c, count); });
}

void max_2x2(const PoolRow& row) {
    each_plain_window(row, [&](auto access, int64_t x, int64_t c, int64_t count) {
        const int64_t at = 2 * x * row.src_pixel + c;
        vec best = access.get(row.src[0] + at, count);
        const vec taps[3] = {access.get(row.src[0] + at + row.src_pixel, count), access.get(row.src[1] + at, count),
                             access.get(row.src[1] + at + row.src_pixel, count)};
#pragma GCC unroll 3
        for (int tap = 0; tap < 3; ++tap) best = larger(taps[tap], best);
        access.put(row.dst + x * row.dst_pixel + c, best, count);
    });
}

template <class Visit>
LIVEN_INLINE void each_tap(const PoolRow& row, const Columns& columns, Visit visit) {
    for (int64_t ky = 0; ky < row.kernel_h; ++ky) {
        if (!row.src[ky]) continue;
        for (int64_t kx = columns.first; kx < columns.last; ++kx)
            visit(ky, columns.start + kx * row.dilation_w, static_cast<int32_t>(ky * row.kernel_w + kx));
    }
}

void max_row(const PoolRow& row) {
    if (is_plain_2x2(row)) return max_2x2(row);
    for (int64_t x = 0; x < row.out_width; ++x) {
        const Columns columns(row, x);
        each_vector(row.channels, [&](auto access, int64_t c, int64_t count) {
            vec best = minus_infinity();
            each_tap(row, columns, [&](int64_t ky, int64_t column, int32_t) {
                best = larger(access.get(row.src[ky] + column * row.src_pixel + c, count), best);
            });
            access.put(row.dst + x * row.dst_pixel + c, best, count);
        });
    }
}

void pick_2x2(const PoolRow& row) {
    each_plain_window(row, [&](auto access, int64_t x, int64_t c, int64_t count) {
        const int64_t at = 2 * x * row.src_pixel + c, from = 2 * x * row.picked_pixel + c;
        vec best = access.get(row.src[0] + at, count), picked = access.get(row.picked[0] + from, count);
        const auto take = [&](int64_t line, int64_t column) {
            const vec value = access.get(row.src[line] + at + column * row.src_pixel, count);
            const mask better = wins(value, best);
            picked = select(better, access.get(row.picked[line] + from + column * row.picked_pixel, count), picked);
            best = select(better, value, best);
        };
        take(0, 1);
        take(1, 0);
        take(1, 1);
        access.put(row.dst + x * row.dst_pixel + c, picked, count);
    });
}

void pick_row(const PoolRow& row) {
    if (is_plain_2x2(row)) return pick_2x2(row);
    for (int64_t x = 0; x < row.out_width; ++x) {
        const Columns columns(row, x);
        each_vector(row.channels, [&](auto access, int64_t c, int64_t count) {
            vec best = minus_infinity(), picked = zero();
            bool first = true;
            each_tap(row, columns, [&](int64_t ky, int64_t column, int32_t) {
                const vec value = access.get(row.src[ky] + column * row.src_pixel + c, count);
                const vec other = access.get(row.picked[ky] + column * row.picked_pixel + c, count);
                const mask better = wins(value, best);
                picked = first ? other : select(better, other, picked);
                best = first ? value : select(better, value, best);
                first = false;
            });
            access.put(row.dst + x * row.dst_pixel + c, picked, count);
        });
    }
}

void grad_2x2(const PoolRow& row) {
    float *upper = row.diff_src[0], *lower = row.diff_src[1];
    each_plain_window(row, [&](auto access, int64_t x, int64_t c, int64_t count) {
        const int64_t at = 2 * x * row.src_pixel + c, to = 2 * x * row.diff_src_pixel + c;
        const vec a = access.get(row.src[0] + at, count), b = access.get(row.src[0] + at + row.src_pixel, count);
        const vec d = access.get(row.src[1] + at, count), e = access.get(row.src[1] + at + row.src_pixel, count);
        const vec diff = access.get(row.diff_dst + x * row.diff_dst_pixel + c, count);
        const mask from_b = wins(b, a);
        const vec ab = select(from_b, b, a);
        const mask from_d = wins(d, ab);
        const vec abd = select(from_d, d, ab);
        const mask from_e = wins(e, abd);
        const vec upper_diff = select(from_d | from_e, zero(), diff);
        access.put(upper + to, select(from_b, zero(), upper_diff), count);
        access.put(upper + to + row.diff_src_pixel, select(from_b, upper_diff, zero()), count);
        access.put(lower + to, select(from_d & !from_e, diff, zero()), count);
        access.put(lower + to + row.diff_src_pixel, select(from_e, diff, zero()), count);
    });
}

void grad_row(const PoolRow& row) {
    if (is_plain_2x2(row) && row.diff_src[0] && row.diff_src[1]) return grad_2x2(row);
    for (int64_t x = 0; x < row.out_width; ++x) {
        const Columns columns(row, x);
        each_vector(row.channels, [&](auto access, int64_t c, int64_t count) {
            vec best = minus_infinity(), winner = zero();
            bool first = true;
            each_tap(row, columns, [&](int64_t ky, int64_t column, int32_t tap) {
                const vec value = access.get(row.src[ky] + column * row.src_pixel + c, count);
                const vec number = splat(static_cast<float>(tap));
                const mask better = wins(value, best);
                winner = first ? number : select(better, number, winner);
                best = first ? value : select(better, value, best);
                first = false;
            });
            const vec diff = access.get(row.diff_dst + x * row.diff_dst_pixel + c, count);
            each_tap(row, columns, [&](int64_t ky, int64_t column, int32_t tap) {
                if (!row.diff_src[ky]) return;
                float* to = row.diff_src[ky] + column * row.diff_src_pixel + c;
                const vec share = select(winner == splat(static_cast<float>(tap)), diff, zero());
                access.put(to, access.get(to, count) + share, count);
            });
        });
    }
}

}  // namespace

const PoolKernels& LIVEN_ISA_NAME(pool_kernels)();

const PoolKernels& LIVEN_ISA_NAME(pool_kernels)() {
    static constexpr PoolKernels kernels{.max = max_row, .pick = pick_row, .grad = grad_row};
    return kernels;
}

}  // namespace liven::kernels
