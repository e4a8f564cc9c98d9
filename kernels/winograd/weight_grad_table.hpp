#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/winograd/scheme.hpp"
#include "liven/core/isa.hpp"

/// What the driver of Winograd's weight gradients calls, once per instruction set: F(3x3, 4x4) and F(3x3, 2x2), named
/// after the tiles of diff_dst, and that behind an upsampled map. Channels come in blocks of 16.
namespace liven::kernels {

/// Rows of points are made two at a time: what a pass works on, of F(3x3, 4x4) a third of everything, stays in L2.
constexpr int64_t winograd_grad_passes(WinogradScheme scheme) { return tiling_of(scheme).points / 2; }
constexpr int64_t winograd_pass_points(WinogradScheme scheme) { return 2 * tiling_of(scheme).points; }
/// Behind an upsampled map every point of diff_dst is its pixel.
constexpr int64_t winograd_pass_diff_points(WinogradScheme scheme) {
    return is_upsampled(scheme) ? 1 : winograd_pass_points(scheme);
}

/// One tile: extent x extent source pixels under side x side pixels of diff_dst. Rows outside of the map are zeros.
struct WinogradGradTile {
    const float* src[6] = {};
    const float* diff_dst[4] = {};
    int64_t src_step = 0, diff_step = 0;  ///< floats from one pixel to the next
};

/// One pass over a handful of tiles: both operands are taken to a pass' points, and for each of these the products of
/// all source channels with all result channels are added to the sums.
struct WinogradGradGroup {
    const WinogradGradTile* tiles = nullptr;
    int64_t count = 0;
    int64_t src_channels = 0, dst_channels = 0;           ///< multiples of 16
    float *src_points = nullptr, *diff_points = nullptr;  ///< scratch, winograd_grad_floats() of either operand
    float* sums = nullptr;  ///< points x src_channels x dst_channels, in an order of the kernel's own
    bool fresh = false;     ///< the sums start at zero; nothing is read from them
    /// Memory that will be read next, of either operand: asked into L2 meanwhile.
    std::span<const std::byte> src_soon, diff_soon;
};

/// Where the nine taps of the sums belong.
struct WinogradGradTaps {
    const float* sums = nullptr;                 ///< in whole blocks of 16 channels
    int64_t src_channels = 0, dst_channels = 0;  ///< that there are
    float* taps = nullptr;                       ///< of the first source and result channel
    int64_t tap_step = 0;                        ///< floats from one tap to the next
    int64_t channel_step = 0;                    ///< floats from one source channel to the next
    bool fresh = false;                          ///< the taps are written, otherwise added to
};

/// Floats of scratch for a pass' `points` of `count` tiles. A line more than they need keeps the tiles from starting at
/// the same places of successive pages, where they would evict each other from L1.
constexpr int64_t winograd_grad_floats(int64_t points, int64_t count, int64_t channels) {
    return count * (points * channels + 16);
}

struct WinogradGradTable {
    void (*accumulate)(const WinogradGradGroup&, int64_t pass) noexcept = nullptr;
    void (*taps)(const WinogradGradTaps&) noexcept = nullptr;
};

/// For any scheme but `upsampled`, which has no weight gradient of its own.
const WinogradGradTable& winograd_grad_table(Isa isa, WinogradScheme scheme);

}  // namespace liven::kernels
