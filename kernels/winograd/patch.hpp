#pragma once

#include <algorithm>
#include <cstdint>

namespace liven::kernels {

/// The source pixels under a tile at the edge of a map that is read where it lies.
struct WinogradPatch {
    int64_t extent;        ///< rows and columns of pixels
    int64_t first_column;  ///< of the map, under the tile's first pixel
    int64_t width;         ///< of the map
    int64_t channels;
    int64_t src_step, step;  ///< floats from one pixel to the next: of the map, of the copy
    const float* zeros;      ///< what a row outside of the map points to

    /// Copies extent x extent pixels to `at`, zeros where there are none, and points the rows there.
    void copy(const float* (&rows)[6], float* at) const {
        for (int64_t r = 0; r < extent; ++r) {
            const float* src = rows[r];
            rows[r] = at;
            for (int64_t p = 0; p < extent; ++p, at += step)
                if (src != zeros && first_column + p >= 0 && first_column + p < width)
                    std::copy_n(src + p * src_step, channels, at);
                else
                    std::fill_n(at, channels, 0.0f);
        }
    }
};

}  // namespace liven::kernels
