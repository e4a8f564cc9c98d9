#pragma once

// The products of Winograd's convolutions, point by point: tiles by source channels, times source by result channels.
// Include it from kernels/isa/*.cpp only, as kernels/simd.hpp.

#include <utility>

#include "kernels/conv2d/table.hpp"
#include "kernels/simd.hpp"
#include "kernels/winograd/table.hpp"

namespace liven::kernels {
namespace {

inline constexpr int per_block = static_cast<int>(conv_block / lanes);

/// Where a vector of channels lies among the points of a tile: blocks of 16 channels of all points each, so that
/// a transform reads and writes at fixed offsets.
template <WinogradScheme S>
constexpr int64_t point_offset(int64_t channel) {
    return channel / conv_block * (winograd_points(S) * conv_block) + channel % conv_block;
}

/// How the operands of a product lie.
struct ProductStrides {
    int64_t depth;  ///< source channels
    int64_t src;    ///< floats from tile to tile
    int64_t block;  ///< from one block of 16 result channels of the weights to the next
    int64_t dst;    ///< from tile to tile
};

/// Products of one point: P tiles x V vectors of result channels.
template <WinogradScheme S, int P, int V>
void product(const float* src, const float* weights, float* dst, const ProductStrides& strides, bool add) noexcept {
    constexpr int bases = (P + 2) / 3;
    constexpr auto at = [](int v) { return point_offset<S>(v * lanes); };
    const int64_t src_step = strides.src, dst_step = strides.dst;
    vec acc[P][V];
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] = zero();
    if (add) {
#pragma GCC unroll 12
        for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v) acc[p][v] = load(dst + p * dst_step + at(v));
    }
    const float* x[bases];
#pragma GCC unroll 4
    for (int b = 0; b < bases; ++b) x[b] = src + 3 * b * src_step;
    for (int64_t rest = strides.depth; rest > 0; rest -= conv_block) {
        // Not unrolled: sixteen rounds of few tiles are more than GCC finds registers for.
#pragma GCC unroll 1
        for (int64_t j = conv_block; j > 0; --j, weights += conv_block) {
            // As in the direct kernel: three tiles share a pointer, and GCC must not know how they hang together.
#pragma GCC unroll 4
            for (int b = 0; b < bases; ++b) asm("" : "+r"(x[b]));
            vec w[V];
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                w[v] = load(weights + (v / per_block) * strides.block + (v % per_block) * lanes);
#pragma GCC unroll 12
            for (int p = 0; p < P; ++p) {
                const vec value = splat(x[p / 3][(p % 3) * src_step]);
#pragma GCC unroll 4
                for (int v = 0; v < V; ++v) acc[p][v] = madd(value, w[v], acc[p][v]);
            }
#pragma GCC unroll 4
            for (int b = 0; b < bases; ++b) ++x[b];
        }
#pragma GCC unroll 4
        for (int b = 0; b < bases; ++b) x[b] += (winograd_points(S) - 1) * conv_block;
    }
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) store(dst + p * dst_step + at(v), acc[p][v]);
}

using Product = void (*)(const float*, const float*, float*, const ProductStrides&, bool) noexcept;

#if defined(LIVEN_ISA_avx512)
inline constexpr int max_tiles = 12, wide_vectors = 2;
#elif defined(LIVEN_ISA_avx2)
inline constexpr int max_tiles = 6, wide_vectors = per_block;
#else
inline constexpr int max_tiles = 3, wide_vectors = per_block;
#endif

template <WinogradScheme S, int V, int... P>
Product pick(int64_t tiles, std::integer_sequence<int, P...>) {
    static constexpr Product all[] = {product<S, P + 1, V>...};
    return all[tiles - 1];
}

/// A group's products of `V` vectors of result channels, point by point: what they share is worked out once.
template <WinogradScheme S, int V>
class PointProducts {
public:
    LIVEN_INLINE explicit PointProducts(const WinogradGroup& group)
        : strides_{.depth = group.depth,
                   .src = group.src_points_step,
                   .block = winograd_points(S) * group.depth * conv_block,
                   .dst = group.dst_points_step},
          add_(group.add),
          parts_((group.count + max_tiles - 1) / max_tiles),
          narrow_(group.count / parts_),
          wide_parts_(group.count % parts_),
          narrow_product_(pick<S, V>(narrow_, std::make_integer_sequence<int, max_tiles>())),
          wide_product_(wide_parts_ == 0 ? nullptr
                                         : pick<S, V>(narrow_ + 1, std::make_integer_sequence<int, max_tiles>())) {}

    /// Of all tiles.
    LIVEN_INLINE void run(const float* src, const float* weights, float* dst) const {
        for (int64_t part = 0; part < wide_parts_; ++part) {
            wide_product_(src, weights, dst, strides_, add_);
            src += (narrow_ + 1) * strides_.src;
            dst += (narrow_ + 1) * strides_.dst;
        }
        for (int64_t part = wide_parts_; part < parts_; ++part) {
            narrow_product_(src, weights, dst, strides_, add_);
            src += narrow_ * strides_.src;
            dst += narrow_ * strides_.dst;
        }
    }

private:
    ProductStrides strides_;
    bool add_;
    int64_t parts_, narrow_, wide_parts_;  ///< of the tiles: so many of one more than the others
    Product narrow_product_, wide_product_;
};

}  // namespace
}  // namespace liven::kernels
