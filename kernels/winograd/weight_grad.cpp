// Winograd's weight gradients F(3x3, 4x4) and F(3x3, 2x2), tile-fused: nothing transformed reaches memory. The smaller
// tile is for maps of at most two rows or columns. Behind an upsampled map a tile is a pixel of the small map under its
// neighbours' gradients, with four sums of products where the direct kernel has nine.
//
// loop nest      unit (chunk of tile rows or of samples, part of the channels) > band of tiles > 3 passes > groups of
//                tiles > isa/winograd_weight_grad.cpp
// caches         a band of source and diff_dst rows, the points of a group and the sums of a pass in L2; the band is
//                read once a pass
// bytes moved    source and diff_dst once for each part of the other's channels, nine taps a chunk
// expected       165-280 % of the direct FMA peak (see isa/winograd_weight_grad.cpp); 200 % for 7x7 and 14x14 maps,
//                where tiles hang over the edge
// sums           in fp32 over 256 tiles at most, then they go back to nine taps and are added in fp32 over the chunk,
//                and the chunks in a pairwise tree that follows from the shape; all sums and taps stay under 32 MB
//                whatever the thread count
// error          at most 3e-5 of the largest element, rms 6e-6, up to 512 channels: strict math refuses it
// channels       16 or more; where they are no multiples of 16, pixels of both maps are copied to whole blocks with
//                zeros
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "kernels/by_isa.hpp"
#include "kernels/conv2d/taps.hpp"
#include "kernels/conv2d/weight_grad_step.hpp"
#include "kernels/maps/band.hpp"
#include "kernels/reduce/slot_sum.hpp"
#include "kernels/rounding.hpp"
#include "kernels/row_reach.hpp"
#include "kernels/winograd/geometry.hpp"
#include "kernels/winograd/patch.hpp"
#include "kernels/winograd/weight_grad_cut.hpp"
#include "kernels/winograd/weight_grad_table.hpp"

namespace liven::kernels {

const WinogradGradTable& winograd_grad_table_baseline(WinogradScheme scheme);
const WinogradGradTable& winograd_grad_table_avx2(WinogradScheme scheme);
const WinogradGradTable& winograd_grad_table_avx512(WinogradScheme scheme);

const WinogradGradTable& winograd_grad_table(Isa isa, WinogradScheme scheme) {
    return by_isa(isa, winograd_grad_table_baseline, winograd_grad_table_avx2, winograd_grad_table_avx512)(scheme);
}

namespace {

template <WinogradScheme scheme>
class WinogradWeightGrad final : public WeightGradStep {
public:
    WinogradWeightGrad(const Problem& problem, const Conv2dProblem& parsed, Isa isa)
        : geometry_(parsed.geometry),
          taps_(forward_taps(geometry_)),
          cut_(cut_winograd_grad(geometry_, scheme)),
          sum_({.slots = cut_.chunks, .slot_floats = 9 * geometry_.src_c * geometry_.dst_c}),
          table_(winograd_grad_table(isa, scheme)) {
        if (cut_.chunks > 1)
            workspace_bytes = whole_lines(static_cast<size_t>(cut_.chunks * slot_floats()) * sizeof(float));
        MapSource src = parsed.map, diff_dst = parsed.diff_dst;
        // Every part of the other operand's channels runs the prologue again; from the third on it is cheaper to keep
        // what it makes.
        if (cut_.dst.count() > 2) made_.keep(src, problem, isa, workspace_bytes);
        if (cut_.src.count() > 2) made_.keep(diff_dst, problem, isa, workspace_bytes);
        // Wide maps are read where they lie: only the tiles at either edge need a copy with its zeros.
        in_place_ = !src.program && cut_.tile_columns >= 8 && geometry_.src_c % conv_block == 0;
        for (int64_t x = 0; x < geometry_.dst_w; x += side) edge_columns_ += in_place_ && !inside(x) ? 1 : 0;
        src_band_.emplace(src, problem, isa,
                          BandLoader::Options{.first_column = taps_.w.lowest(),
                                              .columns = source_extent(cut_.tile_columns),
                                              .rows = source_extent(cut_.band_tile_rows),
                                              .dense_pixels = false,
                                              .in_place = in_place_,
                                              .channels = cut_.src.widest(),
                                              .padded = geometry_.src_c % conv_block != 0});
        diff_band_.emplace(diff_dst, problem, isa,
                           BandLoader::Options{.first_column = 0,
                                               .columns = cut_.tile_columns * side,
                                               .rows = cut_.band_tile_rows * side,
                                               .dense_pixels = false,
                                               .channels = cut_.dst.widest(),
                                               .padded = geometry_.dst_c % conv_block != 0});
        lay_out();
    }

private:
    static constexpr int64_t side = tiling_of(scheme).side, extent = tiling_of(scheme).extent,
                             advance = tiling_of(scheme).advance;
    static constexpr int64_t tiles_of_sum = winograd_tiles_of_sum(scheme);

    /// Source pixels under so many tiles in a row.
    static int64_t source_extent(int64_t tiles) { return (tiles - 1) * advance + extent; }
    /// The first source row or column under the tile of diff_dst's row or column `first`.
    static int64_t source_of(const TapAxis& axis, int64_t first) { return first / side * advance + axis.lowest(); }

    int64_t slot_floats() const { return 9 * geometry_.src_c * geometry_.dst_c; }

    void lay_out() {
        const auto floats = [](int64_t count) { return whole_lines(static_cast<size_t>(count) * sizeof(float)); };
        tiles_bytes_ = whole_lines(static_cast<size_t>(cut_.band_tiles()) * sizeof(WinogradGradTile));
        patch_floats_ = extent * extent * cut_.src.widest();
        patches_bytes_ = floats(cut_.band_samples * cut_.band_tile_rows * edge_columns_ * patch_floats_);
        zero_bytes_ = floats(std::max(extent * src_band_->pixel_stride(), side * diff_band_->pixel_stride()));
        sums_bytes_ = floats(winograd_points(scheme) * cut_.src.widest() * cut_.dst.widest());
        src_points_bytes_ =
            floats(winograd_grad_floats(winograd_pass_points(scheme), cut_.group_tiles, cut_.src.widest()));
        diff_points_bytes_ =
            floats(winograd_grad_floats(winograd_pass_diff_points(scheme), cut_.group_tiles, cut_.dst.widest()));
        src_bytes_ = whole_lines(src_band_->scratch_bytes());
        diff_bytes_ = whole_lines(diff_band_->scratch_bytes());
        scratch_bytes = tiles_bytes_ + patches_bytes_ + zero_bytes_ + sums_bytes_ + src_points_bytes_ +
                        diff_points_bytes_ + static_cast<size_t>(cut_.band_samples) * (src_bytes_ + diff_bytes_);
        stages.clear();
        made_.add_stages(*this);
        stages.push_back({.units = cut_.chunks * cut_.parts(),
                          .samples = cut_.samples_of_chunk == 1 && cut_.chunks > 1 ? geometry_.samples : 1,
                          .reach = reach()});
        if (cut_.chunks > 1) stages.push_back({.units = sum_.units(), .samples = 1});
    }

    /// A chunk of rows takes as many units as there are parts of channels.
    double reach() const {
        const int64_t rows = cut_.chunk_tile_rows * side, parts = cut_.parts();
        const auto src_rows = [&](int64_t y) {
            const Window2d& w = geometry_.window;
            return std::clamp<int64_t>((y - 1) * w.stride.h - w.padding.top + w.kernel.h, 0, geometry_.src_h);
        };
        const double ahead = std::max(row_reach(geometry_.dst_h, rows, geometry_.src_h, src_rows),
                                      row_reach(geometry_.dst_h, rows, geometry_.dst_h, [](int64_t y) { return y; }));
        return ahead + static_cast<double>(parts - 1) / static_cast<double>(parts * cut_.chunks_of_sample);
    }

    /// What one unit works on and with.
    struct Bench {
        const Buffers& buffers;
        ChannelSlice src_channels, dst_channels;
        float* slot;  ///< the chunk's nine taps
        WinogradGradTile* tiles;
        float *patches, *zeros, *sums, *src_points, *diff_points;
        std::byte *src, *diff;
        int64_t tile_count = 0;     ///< in the band
        int64_t patch_count = 0;    ///< likewise
        int64_t summed = 0;         ///< tiles in the sums
        bool slot_is_fresh = true;  ///< nothing was added to the slot yet
    };

    Bench bench(int64_t unit, const Buffers& buffers) const noexcept {
        const int64_t chunk = unit / cut_.parts(), part = unit % cut_.parts();
        const int64_t src_part = part / cut_.dst.count(), dst_part = part % cut_.dst.count();
        std::byte* at = buffers.scratch;
        Bench b{.buffers = buffers,
                .src_channels = cut_.src[src_part],
                .dst_channels = cut_.dst[dst_part],
                .slot = cut_.chunks > 1 ? reinterpret_cast<float*>(buffers.workspace) + chunk * slot_floats()
                                        : static_cast<float*>(buffers.outputs[0]),
                .tiles = reinterpret_cast<WinogradGradTile*>(at),
                .patches = reinterpret_cast<float*>(at += tiles_bytes_),
                .zeros = reinterpret_cast<float*>(at += patches_bytes_),
                .sums = reinterpret_cast<float*>(at += zero_bytes_),
                .src_points = reinterpret_cast<float*>(at += sums_bytes_),
                .diff_points = reinterpret_cast<float*>(at += src_points_bytes_),
                .src = at += diff_points_bytes_,
                .diff = at += static_cast<size_t>(cut_.band_samples) * src_bytes_};
        std::fill_n(b.zeros, zero_bytes_ / sizeof(float), 0.0f);
        return b;
    }

    void accumulate(int64_t unit, const Buffers& buffers) const noexcept override {
        Bench b = bench(unit, buffers);
        const int64_t chunk = unit / cut_.parts();
        if (cut_.chunks_of_sample > 1) {
            const int64_t first = chunk % cut_.chunks_of_sample * cut_.chunk_tile_rows;
            walk_sample(b, chunk / cut_.chunks_of_sample, first,
                        std::min(cut_.tile_rows, first + cut_.chunk_tile_rows));
        } else {
            const int64_t first = chunk * cut_.samples_of_chunk;
            const int64_t last = std::min(geometry_.samples, first + cut_.samples_of_chunk);
            if (cut_.band_tile_rows < cut_.tile_rows)
                for (int64_t sample = first; sample < last; ++sample) walk_sample(b, sample, 0, cut_.tile_rows);
            else
                walk_samples(b, first, last);
        }
        flush(b);
    }

    /// Rows of tiles of one sample, band by band.
    void walk_sample(Bench& b, int64_t sample, int64_t first, int64_t last) const noexcept {
        BandLoader::Rows src(*src_band_, b.buffers, b.src, sample, b.src_channels);
        BandLoader::Rows diff(*diff_band_, b.buffers, b.diff, sample, b.dst_channels);
        for (int64_t row = first; row < last; row += cut_.band_tile_rows) {
            const int64_t end = std::min(last, row + cut_.band_tile_rows);
            b.tile_count = b.patch_count = 0;
            load(b, src, diff, row, end);
            sweep(b, end < last ? soon(src, diff) : Soon{});
        }
    }

    /// Small maps: as many samples in a band as there is room for.
    void walk_samples(Bench& b, int64_t first, int64_t last) const noexcept {
        for (int64_t sample = first; sample < last; sample += cut_.band_samples) {
            b.tile_count = b.patch_count = 0;
            for (int64_t s = sample; s < std::min(last, sample + cut_.band_samples); ++s) {
                const auto ring = static_cast<size_t>(s - sample);
                BandLoader::Rows src(*src_band_, b.buffers, b.src + ring * src_bytes_, s, b.src_channels);
                BandLoader::Rows diff(*diff_band_, b.buffers, b.diff + ring * diff_bytes_, s, b.dst_channels);
                load(b, src, diff, 0, cut_.tile_rows);
            }
            sweep(b, {});
        }
    }

    /// Loads the pixels under rows of tiles and appends these tiles to the band's.
    void load(Bench& b, BandLoader::Rows& src, BandLoader::Rows& diff, int64_t first, int64_t last) const noexcept {
        const int64_t y_end = std::min(geometry_.dst_h, last * side);
        const TapAxis::Range range = taps_.h.sources(first * side, y_end);
        src.load(range.first, range.last);
        diff.load(first * side, y_end);
        for (int64_t y = first * side; y < y_end; y += side) {
            TileRows rows{.src_step = src_band_->pixel_stride(), .diff_step = diff_band_->pixel_stride()};
            for (int64_t r = 0; r < extent; ++r) {
                const int64_t row = source_of(taps_.h, y) + r;
                rows.src_inside[r] = row >= range.first && row < range.last;
                rows.src[r] = rows.src_inside[r] ? src[row] : b.zeros;
            }
            for (int64_t r = 0; r < side; ++r) {
                rows.diff_inside[r] = y + r < y_end;
                rows.diff[r] = rows.diff_inside[r] ? diff[y + r] : b.zeros;
            }
            for (int64_t x = 0; x < geometry_.dst_w; x += side) {
                WinogradGradTile& tile = b.tiles[b.tile_count++];
                rows.tile(x, tile);
                if (in_place_ && !inside(x)) patch(b, tile, x);
            }
        }
    }

    /// The rows under a row of tiles. Those outside of the map are a few zeros, the same for every tile.
    struct TileRows {
        int64_t src_step, diff_step;
        const float* src[extent] = {};
        const float* diff[side] = {};
        int64_t src_inside[extent] = {}, diff_inside[side] = {};  ///< 1, or 0

        void tile(int64_t x, WinogradGradTile& to) const noexcept {
            for (int64_t r = 0; r < extent; ++r) to.src[r] = src[r] + x / side * advance * src_step * src_inside[r];
            for (int64_t r = 0; r < side; ++r) to.diff_dst[r] = diff[r] + x * diff_step * diff_inside[r];
            to.src_step = src_step;
            to.diff_step = diff_step;
        }
    };

    /// Whether the source columns of a tile lie in the map.
    bool inside(int64_t x) const {
        const int64_t first = source_of(taps_.w, x);
        return first >= 0 && first + extent <= geometry_.src_w;
    }

    /// Gives a tile at the edge a copy of its source pixels, zeros where there are none.
    void patch(Bench& b, WinogradGradTile& tile, int64_t x) const noexcept {
        const int64_t channels = b.src_channels.count;
        WinogradPatch{.extent = extent,
                      .first_column = source_of(taps_.w, x),
                      .width = geometry_.src_w,
                      .channels = channels,
                      .src_step = tile.src_step,
                      .step = channels,
                      .zeros = b.zeros}
            .copy(tile.src, b.patches + b.patch_count++ * patch_floats_);
        tile.src_step = channels;
    }

    /// What the next band will read.
    struct Soon {
        std::span<const std::byte> src, diff;
    };
    Soon soon(const BandLoader::Rows& src, const BandLoader::Rows& diff) const noexcept {
        if (cut_.parts() > 1) return {};  // its channels lie apart
        return {.src = src.upcoming(cut_.band_tile_rows * advance), .diff = diff.upcoming(cut_.band_tile_rows * side)};
    }

    /// Adds the band's tiles to the sums.
    void sweep(Bench& b, const Soon& soon) const noexcept {
        for (int64_t first = 0; first < b.tile_count; first += tiles_of_sum) {
            const int64_t count = std::min(b.tile_count - first, tiles_of_sum);
            if (b.summed + count > tiles_of_sum) flush(b);
            sweep_tiles(b, first, count, first == 0 ? soon : Soon{});
            b.summed += count;
        }
    }

    void sweep_tiles(const Bench& b, int64_t start, int64_t count, const Soon& soon) const noexcept {
        const int64_t groups = ceil_div(count, cut_.group_tiles), shares = winograd_grad_passes(scheme) * groups;
        for (int64_t share = 0; share < shares; ++share) {
            const int64_t g = share % groups, first = count * g / groups, last = count * (g + 1) / groups;
            table_.accumulate({.tiles = b.tiles + start + first,
                               .count = last - first,
                               .src_channels = in_blocks(b.src_channels.count),
                               .dst_channels = in_blocks(b.dst_channels.count),
                               .src_points = b.src_points,
                               .diff_points = b.diff_points,
                               .sums = b.sums,
                               .fresh = b.summed == 0 && g == 0,
                               .src_soon = share_of(soon.src, share, shares),
                               .diff_soon = share_of(soon.diff, share, shares)},
                              share / groups);
        }
    }

    /// Takes the sums back to nine taps and adds these to the chunk's.
    void flush(Bench& b) const noexcept {
        if (b.summed == 0) return;
        table_.taps({.sums = b.sums,
                     .src_channels = b.src_channels.count,
                     .dst_channels = b.dst_channels.count,
                     .taps = b.slot + b.src_channels.first * geometry_.dst_c + b.dst_channels.first,
                     .tap_step = geometry_.src_c * geometry_.dst_c,
                     .channel_step = geometry_.dst_c,
                     .fresh = b.slot_is_fresh});
        b.summed = 0;
        b.slot_is_fresh = false;
    }

    void finish(int64_t unit, const Buffers& buffers) const noexcept override {
        auto* slots = reinterpret_cast<float*>(buffers.workspace);
        sum_.run(unit, slots, static_cast<float*>(buffers.outputs[0]));
    }

    Conv2dGeometry geometry_;
    TapPlan taps_;
    WinogradGradCut cut_;
    SlotSum sum_;
    const WinogradGradTable& table_;
    std::optional<BandLoader> src_band_, diff_band_;
    bool in_place_ = false;
    int64_t edge_columns_ = 0;  ///< of tiles, that need patches
    int64_t patch_floats_ = 0;
    size_t tiles_bytes_ = 0, patches_bytes_ = 0, zero_bytes_ = 0, sums_bytes_ = 0, src_points_bytes_ = 0,
           diff_points_bytes_ = 0, src_bytes_ = 0, diff_bytes_ = 0;
};

/// Share of the FMA peak in nominal FLOPs, with so many channels on the narrower side.
template <WinogradScheme scheme>
double expected_grad_share(double channels) {
    const double more_channels = std::min(1.0, (channels - 16.0) / 48.0);
    if (is_upsampled(scheme)) return 1.0 + 0.6 * more_channels;
    return scheme == WinogradScheme::f2x2 ? 1.0 + 0.4 * more_channels : 1.7 + 0.8 * more_channels;
}

/// Nominal FLOPs over that share, the waste at the edges of the map counted; and the way of the sums through L2 and
/// back to nine taps, as long as the products of eight tiles.
template <WinogradScheme scheme>
double cost(const Problem& problem) {
    constexpr int64_t side = tiling_of(scheme).side;
    const Conv2dGeometry g = parse_conv2d(problem).geometry;
    const int64_t tiles = g.samples * ceil_div(g.dst_h, side) * ceil_div(g.dst_w, side);
    const double pixels = static_cast<double>((tiles + 8) * side * side);
    const double waste = pixels / static_cast<double>(g.samples * g.dst_h * g.dst_w);
    const double share = expected_grad_share<scheme>(static_cast<double>(std::min(g.src_c, g.dst_c)));
    return g.flops() * waste * winograd_padding(g) / share * 1e-12;
}

template <WinogradScheme scheme>
std::unique_ptr<Step> make(const Problem& problem, Isa isa) {
    return std::make_unique<WinogradWeightGrad<scheme>>(problem, parse_conv2d(problem), isa);
}

}  // namespace

void register_winograd_weight_grad(std::vector<KernelInfo>& out) {
    using enum WinogradScheme;
    const auto add = [&](Isa isa, std::string_view tile) {
        out.push_back({"conv2d_weight_grad", "conv2d_bwd_weights_winograd_f3x3_nhwc_f32", isa, tile, winograd_takes,
                       refuse_winograd, cost<f4x4>, make<f4x4>});
        out.push_back({"conv2d_weight_grad", "conv2d_bwd_weights_winograd_f3x3_of_2x2_nhwc_f32", isa, tile,
                       winograd_takes, refuse_winograd, cost<f2x2>, make<f2x2>});
        out.push_back({"conv2d_weight_grad", "conv2d_bwd_weights_winograd_upsampled_nhwc_f32", isa, tile,
                       upsampled_takes, refuse_upsampled, cost<upsampled_grad>, make<upsampled_grad>});
    };
    add(Isa::baseline, "3 x 16 channels");
    add(Isa::avx2, "6 x 16 channels");
    add(Isa::avx512, "16 x 16 channels");
}

}  // namespace liven::kernels
