#pragma once

#include <cstdint>

#include "kernels/conv2d/channel_parts.hpp"
#include "kernels/conv2d/geometry.hpp"
#include "kernels/winograd/scheme.hpp"

namespace liven::kernels {

/// So many tiles are summed up in fp32 at most before the sums go back to nine taps: behind an upsampled map they are
/// single pixels.
constexpr int64_t winograd_tiles_of_sum(WinogradScheme scheme) { return is_upsampled(scheme) ? 1024 : 256; }

/// How Winograd's weight gradient is cut: by shape alone. A unit is a chunk for one part of the source channels and one
/// of the result channels. A chunk is some samples, or some rows of tiles of one sample, and has nine taps of its own.
struct WinogradGradCut {
    ChannelParts src, dst;
    int64_t tile_rows = 1, tile_columns = 1;  ///< of a sample
    int64_t chunks = 1;
    int64_t chunks_of_sample = 1;
    int64_t chunk_tile_rows = 1;  ///< of each sample
    int64_t samples_of_chunk = 1;
    int64_t band_samples = 1;    ///< whole samples in a band; 1 also when a band is only some rows
    int64_t band_tile_rows = 1;  ///< of each sample
    int64_t group_tiles = 1;     ///< that go through the kernel together

    int64_t parts() const { return src.count() * dst.count(); }
    int64_t band_tiles() const { return band_samples * band_tile_rows * tile_columns; }
};

WinogradGradCut cut_winograd_grad(const Conv2dGeometry& geometry, WinogradScheme scheme);

}  // namespace liven::kernels
