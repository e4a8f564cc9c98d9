#include "kernels/winograd/weight_grad_cut.hpp"

#include <algorithm>

#include "kernels/rounding.hpp"
#include "kernels/winograd/geometry.hpp"

namespace liven::kernels {
namespace {

constexpr int64_t most_part_channels = 64;  // 36 x 64 x 64 sums are 590 KB: a pass over a third of them fits L2
constexpr int64_t all_bytes = 32 << 20;     // of sums and taps
constexpr int64_t workers = 16;             // counted with sums of their own, whatever the machine has
constexpr int64_t enough_units = 64;
constexpr int64_t band_bytes = 128 * 1024;  // of both operands: with points and sums they share L2
constexpr int64_t most_group_tiles = 32;

/// Chunks as many as give enough units, as the limit on memory allows, and as have enough tiles: the first band of a
/// chunk waits for memory, which shows where there is little arithmetic.
void cut_chunks(WinogradGradCut& cut, const Conv2dGeometry& g, WinogradScheme scheme) {
    const int64_t sums_bytes = winograd_points(scheme) * cut.src.widest() * cut.dst.widest() * 4;
    const int64_t chunk_bytes = 9 * g.src_c * g.dst_c * 4, tiles = g.samples * cut.tile_rows * cut.tile_columns;
    const int64_t least_tiles = std::clamp<int64_t>((1 << 17) / (cut.src.widest() * cut.dst.widest()), 128, 512) *
                                (is_upsampled(scheme) ? 4 : 1);  // of a quarter of the products or fewer
    const int64_t most = std::min((all_bytes - workers * sums_bytes) / chunk_bytes, tiles / least_tiles);
    const int64_t chunks = std::clamp<int64_t>(ceil_div(enough_units, cut.parts()), 1, std::max<int64_t>(most, 1));
    cut.chunk_tile_rows = cut.tile_rows;
    if (chunks > g.samples) {
        cut.chunk_tile_rows = ceil_div(cut.tile_rows, chunks / g.samples);
        cut.chunks_of_sample = ceil_div(cut.tile_rows, cut.chunk_tile_rows);
        cut.chunks = g.samples * cut.chunks_of_sample;
    } else {
        cut.samples_of_chunk = ceil_div(g.samples, chunks);
        cut.chunks = ceil_div(g.samples, cut.samples_of_chunk);
    }
}

void cut_bands(WinogradGradCut& cut, WinogradScheme scheme) {
    const WinogradTiling t = tiling_of(scheme);
    const int64_t tile_bytes = (t.advance * t.advance * cut.src.widest() + t.side * t.side * cut.dst.widest()) * 4;
    const int64_t tiles = std::clamp<int64_t>(band_bytes / tile_bytes, 1, winograd_tiles_of_sum(scheme) / 2);
    cut.band_tile_rows = std::clamp<int64_t>(tiles / cut.tile_columns, 1, cut.chunk_tile_rows);
    if (cut.band_tile_rows == cut.tile_rows)
        cut.band_samples = std::clamp<int64_t>(tiles / (cut.tile_rows * cut.tile_columns), 1, cut.samples_of_chunk);
    cut.group_tiles = std::min(most_group_tiles, cut.band_tiles());
}

}  // namespace

WinogradGradCut cut_winograd_grad(const Conv2dGeometry& g, WinogradScheme scheme) {
    const int64_t side = tiling_of(scheme).side;
    WinogradGradCut cut{.src = ChannelParts(g.src_c, most_part_channels),
                        .dst = ChannelParts(g.dst_c, most_part_channels),
                        .tile_rows = ceil_div(g.dst_h, side),
                        .tile_columns = ceil_div(g.dst_w, side)};
    cut_chunks(cut, g, scheme);
    cut_bands(cut, scheme);
    return cut;
}

}  // namespace liven::kernels
