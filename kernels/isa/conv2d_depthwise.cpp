// Depthwise convolution: every channel by itself, so vectors run along the channels.
//
// loop nest      forward: vectors of channels > tiles of 4 pixels > taps
//                gradient: vectors of channels > nine taps at a time > pixels
// register tile  forward 4 pixels x 1 vector, gradient 9 taps x 1 vector
// caches         source rows in L2, one vector of every tap's weights in L1
// bytes moved    a vector of source for each FMA, and a quarter vector of weights
// expected       20-30 % of the FMA peak: two loads a cycle feed at most two FMAs, and a map that comes from memory
//                has 9 FMAs for 8 bytes moved, where memory is the limit on every machine
#include "kernels/conv2d/table.hpp"
#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

inline constexpr int max_pixels = 4, max_taps = 9;

LIVEN_INLINE vec load_some(const float* p, int64_t count) { return count >= lanes ? load(p) : load_part(p, count); }
LIVEN_INLINE void store_some(float* p, vec v, int64_t count) {
    if (count >= lanes)
        store(p, v);
    else
        store_part(p, v, count);
}

template <int P>
LIVEN_INLINE void tile(const DepthwiseRow& row, int64_t first, int64_t channel) {
    const int64_t count = row.channels - channel;
    vec acc[P];
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) acc[p] = zero();
    for (int64_t t = 0; t < row.tap_count; ++t) {
        const vec w = load_some(row.weights + t * row.weight_step + channel, count);
        const float* x = row.taps[t] + first * row.src_step + channel;
#pragma GCC unroll 4
        for (int p = 0; p < P; ++p) acc[p] = madd(load_some(x + p * row.src_step, count), w, acc[p]);
    }
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) store_some(row.dst + (first + p) * row.dst_step + channel, acc[p], count);
}

void depthwise_row(const DepthwiseRow& row) noexcept {
    for (int64_t c = 0; c < row.channels; c += lanes) {
        int64_t p = 0;
        for (; p + max_pixels <= row.pixels; p += max_pixels) tile<max_pixels>(row, p, c);
        for (; p < row.pixels; ++p) tile<1>(row, p, c);
    }
}

template <int T>
void grad_taps(const DepthwiseGradRow& row, int64_t first, int64_t channel) noexcept {
    const int64_t count = row.channels - channel;
    vec acc[T];
#pragma GCC unroll 9
    for (int t = 0; t < T; ++t) acc[t] = zero();
    const float* const* taps = row.taps + first;
    for (int64_t p = 0; p < row.pixels; ++p) {
        const vec d = load_some(row.diff_dst + p * row.diff_step + channel, count);
        const int64_t offset = p * row.src_step + channel;
#pragma GCC unroll 9
        for (int t = 0; t < T; ++t) acc[t] = madd(load_some(taps[t] + offset, count), d, acc[t]);
    }
#pragma GCC unroll 9
    for (int t = 0; t < T; ++t) {
        float* sum = row.partial + (first + t) * row.partial_step + channel;
        store_some(sum, load_some(sum, count) + acc[t], count);
    }
}

void depthwise_grad_row(const DepthwiseGradRow& row) noexcept {
    for (int64_t c = 0; c < row.channels; c += lanes) {
        int64_t t = 0;
        for (; t + max_taps <= row.tap_count; t += max_taps) grad_taps<max_taps>(row, t, c);
        for (; t + 3 <= row.tap_count; t += 3) grad_taps<3>(row, t, c);
        for (; t < row.tap_count; ++t) grad_taps<1>(row, t, c);
    }
}

constexpr DepthwiseTable table{.row = depthwise_row, .grad_row = depthwise_grad_row};

}  // namespace

const DepthwiseTable& LIVEN_ISA_NAME(depthwise_table)() { return table; }

}  // namespace liven::kernels
