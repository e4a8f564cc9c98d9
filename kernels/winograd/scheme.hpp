#pragma once

#include <cstdint>

namespace liven::kernels {

/// Which products a tile's results are made of.
enum class WinogradScheme : uint8_t {
    f4x4,  ///< 3x3 convolution, 36 products for 16 results
    f2x2,  ///< 3x3 convolution, 16 products for 4 results
    /// Upsampling and 2x2 convolution (Conv2dAttributes::middle_is_sum), 4 products for 4 results: of a pixel s with a
    /// neighbour t, the first result is (w0 + w1) s, and the second is the first and w1 (t - s).
    upsampled,
    /// Its gradient, 4 products for one result: with d the gradients of a pixel's two results and c the one before
    /// them, (w0 + w1) meets d0 + d1, and w1 meets c - d1.
    upsampled_grad
};

/// How a scheme's tiles lie on the two maps, each way.
struct WinogradTiling {
    int64_t side;     ///< results of a tile
    int64_t extent;   ///< source pixels under it
    int64_t points;   ///< products
    int64_t advance;  ///< source pixels from one tile to the next
};

constexpr WinogradTiling tiling_of(WinogradScheme scheme) {
    switch (scheme) {
        case WinogradScheme::f2x2:
            return {.side = 2, .extent = 4, .points = 4, .advance = 2};
        case WinogradScheme::upsampled:
            return {.side = 2, .extent = 2, .points = 2, .advance = 1};
        case WinogradScheme::upsampled_grad:
            return {.side = 1, .extent = 3, .points = 2, .advance = 2};
        case WinogradScheme::f4x4:
            break;
    }
    return {.side = 4, .extent = 6, .points = 6, .advance = 4};
}

/// Whether it serves upsampled maps.
constexpr bool is_upsampled(WinogradScheme scheme) {
    return scheme == WinogradScheme::upsampled || scheme == WinogradScheme::upsampled_grad;
}

/// Products of a tile.
constexpr int64_t winograd_points(WinogradScheme scheme) { return tiling_of(scheme).points * tiling_of(scheme).points; }

}  // namespace liven::kernels
