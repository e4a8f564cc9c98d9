// Winograd's convolutions F(4x4, 3x3) and F(2x2, 3x3), forward and input gradient, tile-fused: nothing transformed
// reaches memory. The smaller tile is for maps of at most two rows or columns. Convolutions of upsampled maps go the
// same way: a tile is a pixel of the small map and its neighbours, with 4 products where the direct kernel has 9.
//
// loop nest      unit (sample, part of the channels, chunk of rows) > band of tile rows > groups of up to 12 tiles >
//                isa/winograd_forward.cpp
// caches         band of source rows with halo, made by a prologue (ring, L2) or read where they lie; points of a group
//                (L1, L2), results' over the source's where one call makes all channels; rows for an epilogue that is
//                not done in registers (L2)
// bytes moved    source rows once a unit, with two rows of halo; every result once; the weights' points once a group.
//                Points beyond L2 are cut into parts of 64 channels where a small map has tiles for one unit or two
// expected       170-330 % of the direct FMA peak (see isa/winograd_forward.cpp); F(2x2) 120-190 % (bin/conv2d_bench);
//                upsampled maps at most 225 %
// error          4e-6 of the largest result at 16 channels to 2.1e-5 at 512 (rms 3e-7 to 1e-6), F(2x2) and upsampled
//                maps at most 1e-6 (tests/kernels/winograd_error_test.cpp), where the direct kernel has 3e-7: strict
//                math refuses them
// channels       16 or more. Where they are no multiples of 16, source pixels are copied to whole blocks with zeros,
//                and results go to the epilogue, or to memory, by way of rows with room for whole blocks
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "kernels/by_isa.hpp"
#include "kernels/conv2d/channel_parts.hpp"
#include "kernels/conv2d/chunks.hpp"
#include "kernels/conv2d/row_convolution.hpp"
#include "kernels/conv2d/table.hpp"
#include "kernels/conv2d/taps.hpp"
#include "kernels/conv2d/weights.hpp"
#include "kernels/maps/band.hpp"
#include "kernels/maps/row_sink.hpp"
#include "kernels/rounding.hpp"
#include "kernels/winograd/finish.hpp"
#include "kernels/winograd/geometry.hpp"
#include "kernels/winograd/patch.hpp"
#include "kernels/winograd/table.hpp"

namespace liven::kernels {

const WinogradTable& winograd_table_baseline(WinogradScheme scheme);
const WinogradTable& winograd_table_avx2(WinogradScheme scheme);
const WinogradTable& winograd_table_avx512(WinogradScheme scheme);

const WinogradTable& winograd_table(Isa isa, WinogradScheme scheme) {
    return by_isa(isa, winograd_table_baseline, winograd_table_avx2, winograd_table_avx512)(scheme);
}

namespace {

template <WinogradScheme scheme>
class WinogradConvolution final : public RowConvolution {
public:
    WinogradConvolution(const Problem& problem, const Conv2dProblem& parsed, Isa isa)
        : result_(parsed.result),
          depth_(in_blocks(parsed.map.shape[3])),
          padded_(depth_ != parsed.map.shape[3]),
          weights_operand_(parsed.weights),
          taps_(problem.op == "conv2d_input_grad" ? input_grad_taps(parsed.geometry) : forward_taps(parsed.geometry)),
          packed_(taps_, parsed.geometry, problem.op == "conv2d_input_grad", isa, nullptr, true),
          parts_(channels(), cut_channels(parsed.geometry)),
          chunks_(cut_tile_rows(parsed.geometry)),
          in_place_(!parsed.map.program && !padded_ && tile_columns() >= 8),
          band_rows_(std::min(chunks_.rows, side * ceil_div(2 * most_group_tiles, tile_columns()))),
          band_(parsed.map, problem, isa,
                {.first_column = taps_.w.lowest(),
                 .columns = source_extent(tile_columns()),
                 .rows = source_extent(band_rows_ / side),
                 .dense_pixels = false,
                 .in_place = in_place_,
                 .channels = depth_,
                 .padded = padded_}),
          sink_(problem, result_, band_rows_, result_[0] * chunks_.count, isa, parts_.widest(),
                channels() % conv_block != 0),
          epilogue_(WinogradEpilogue::of(problem, result_, isa)),
          table_(winograd_table(isa, scheme)) {
        lay_out();
    }

private:
    static constexpr int64_t side = tiling_of(scheme).side, extent = tiling_of(scheme).extent,
                             advance = tiling_of(scheme).advance;
    static constexpr int64_t most_group_tiles = winograd_group_tiles(scheme);

    /// Source pixels under so many tiles in a row.
    static int64_t source_extent(int64_t tiles) { return (tiles - 1) * advance + extent; }
    /// The first source row or column under the tile of result row or column `first`.
    static int64_t source_of(const TapAxis& axis, int64_t first) { return first / side * advance + axis.lowest(); }

    int64_t tile_columns() const { return ceil_div(result_[2], side); }
    int64_t channels() const { return result_[3]; }

    int64_t sample_tiles() const { return ceil_div(result_[1], side) * tile_columns(); }
    /// Whether every group of tiles reads weights' points from L3 or beyond.
    bool has_large_weights() const { return packed_.bytes() > 256 * 1024; }

    /// Channels of a unit. Threads that share the rows of one small map would each read all points for a few tiles.
    int64_t cut_channels(const Conv2dGeometry& g) const {
        const bool few_tiles = g.samples == 1 && sample_tiles() <= 5 * most_group_tiles;
        return has_large_weights() && few_tiles ? 64 : channels();
    }

    /// Whole rows of tiles, and enough work to be worth handing out: less where one sample is all there is.
    RowChunks cut_tile_rows(const Conv2dGeometry& g) const {
        const double row_flops = g.flops() / static_cast<double>(g.samples * parts_.count() * result_[1]);
        const double unit_flops = g.samples == 1 ? 2e6 : 8e6;
        int64_t wanted = static_cast<int64_t>(unit_flops / row_flops) + 1;
        if (has_large_weights()) wanted = std::max(wanted, rows_for_weights(g.samples));
        const RowChunks tiles = cut_rows(ceil_div(result_[1], side), ceil_div(wanted, side));
        return {.rows = tiles.rows * side, .count = tiles.count};
    }

    /// Every chunk reads all weights' points: tall ones when these come from L3, unless there are too few samples; of a
    /// single one, as many as make a group of tiles.
    int64_t rows_for_weights(int64_t samples) const {
        if (samples >= 8) return result_[1];
        if (samples > 1) return result_[1] * samples / 8;
        const int64_t chunks = std::max<int64_t>(sample_tiles() / most_group_tiles, 1);
        return ceil_div(ceil_div(result_[1], side), chunks) * side;
    }

    void lay_out() {
        const size_t points = static_cast<size_t>(packed_.blocks() * block_floats()) * sizeof(float);
        points_bytes_ = whole_lines(points);
        sink_.place(points_bytes_);
        workspace_bytes = points_bytes_ + sink_.workspace_bytes();
        const int64_t band_tiles = band_rows_ / side * tile_columns();
        tiles_bytes_ = whole_lines(static_cast<size_t>(band_tiles) * sizeof(WinogradTile));
        for (int64_t x = 0; x < result_[2]; x += side)
            edge_columns_ += in_place_ && !inside(source_of(taps_.w, x)) ? 1 : 0;
        patches_bytes_ =
            whole_lines(static_cast<size_t>(band_rows_ / side * edge_columns_ * patch_floats()) * sizeof(float));
        zero_bytes_ = whole_lines(static_cast<size_t>(extent * band_.pixel_stride()) * sizeof(float));
        lay_out_points();
        band_bytes_ = whole_lines(band_.scratch_bytes());
        scratch_bytes =
            tiles_bytes_ + patches_bytes_ + zero_bytes_ + src_points_bytes_ + dst_points_bytes_ + band_bytes_;
        scratch_bytes +=
            epilogue_ ? static_cast<size_t>(epilogue_->block_floats()) * sizeof(float) : sink_.scratch_bytes();
        scratch_bytes = std::max(scratch_bytes, static_cast<size_t>(packed_.block_step()) * sizeof(float));
        set_stages(packed_.blocks(), weights_operand_, result_, chunks_, taps_.h, sink_, parts_.count());
    }

    void lay_out_points() {
        const int64_t channels = in_blocks(parts_.widest());
        src_points_step_ = winograd_tile_floats(scheme, results_over_source() ? std::max(depth_, channels) : depth_);
        dst_points_step_ = results_over_source() ? src_points_step_ : winograd_tile_floats(scheme, channels);
        src_points_bytes_ = whole_lines(static_cast<size_t>(most_group_tiles * src_points_step_) * sizeof(float));
        dst_points_bytes_ = results_over_source()
                                ? 0
                                : whole_lines(static_cast<size_t>(most_group_tiles * dst_points_step_) * sizeof(float));
    }
    /// Few result channels: their points take the place of the source's, so that L1 holds more tiles.
    bool results_over_source() const { return in_blocks(parts_.widest()) <= table_.product_channels; }

    int64_t block_floats() const { return winograd_points(scheme) * depth_ * conv_block; }

    void pack(int64_t block, const Buffers& buffers) const noexcept override {
        auto* packed = reinterpret_cast<float*>(buffers.scratch);
        packed_.pack(block, static_cast<const float*>(buffers.inputs[weights_operand_]), packed);
        table_.weights(packed, depth_ * conv_block, depth_,
                       reinterpret_cast<float*>(buffers.workspace) + block * block_floats());
    }

    int64_t patch_floats() const { return extent * extent * band_.pixel_stride(); }
    /// Whether the source columns of a tile from `first` on lie in the map.
    bool inside(int64_t first) const { return first >= 0 && first + extent <= taps_.w.extent; }
    int64_t dst_step() const { return epilogue_ ? epilogue_->dst_step() : sink_.pixel_stride(); }
    int64_t dst_step_bytes() const {
        return dst_step() * (epilogue_ ? epilogue_->value_bytes() : static_cast<int64_t>(sizeof(float)));
    }

    /// What one unit works on and with.
    struct Bench {
        const Buffers& buffers;
        ChannelSlice channels;  ///< of the result
        int64_t first_row;      ///< of the sample, rows counted through all samples
        WinogradTile* tiles;
        float *patches, *zeros, *src_points, *dst_points;
        std::byte *band, *sink;
        /// One of them takes the results.
        std::optional<RowSink::Rows> rows;
        std::optional<WinogradEpilogue::Run> epilogue;

        std::byte* dst(int64_t y) {
            return epilogue ? epilogue->dst(first_row + y) : reinterpret_cast<std::byte*>(rows->begin(y));
        }
    };
    Bench bench(int64_t sample, int64_t part, int64_t chunk, const Buffers& buffers) const noexcept {
        const int64_t slot = sample * chunks_.count + chunk;
        std::byte* at = buffers.scratch;
        Bench b{.buffers = buffers,
                .channels = parts_[part],
                .first_row = sample * result_[1],
                .tiles = reinterpret_cast<WinogradTile*>(at),
                .patches = reinterpret_cast<float*>(at += tiles_bytes_),
                .zeros = reinterpret_cast<float*>(at += patches_bytes_),
                .src_points = reinterpret_cast<float*>(at += zero_bytes_),
                .dst_points = reinterpret_cast<float*>(results_over_source() ? at : at + src_points_bytes_),
                .band = at += src_points_bytes_ + dst_points_bytes_,
                .sink = at += band_bytes_,
                .rows = std::nullopt,
                .epilogue = std::nullopt};
        std::fill_n(b.zeros, zero_bytes_ / sizeof(float), 0.0f);
        if (epilogue_)
            b.epilogue.emplace(*epilogue_, buffers, sink_, slot, b.channels, reinterpret_cast<float*>(b.sink), table_);
        else
            b.rows.emplace(sink_, buffers, b.sink, sample, slot, b.channels);
        return b;
    }

    const RowSink& sink() const override { return sink_; }

    void compute(int64_t unit, const Buffers& buffers) const noexcept override {
        // One part after the other, so that a thread's share of a sample is one of the channels.
        const int64_t chunk = unit % chunks_.count, part = unit / chunks_.count % parts_.count();
        const int64_t sample = unit / (chunks_.count * parts_.count());
        Bench b = bench(sample, part, chunk, buffers);
        BandLoader::Rows src(band_, buffers, b.band, sample);
        const int64_t end = chunks_.end(chunk, result_[1]);
        for (int64_t y = chunks_.begin(chunk); y < end; y += band_rows_) {
            const int64_t last = std::min(end, y + band_rows_), next_last = std::min(end, last + band_rows_);
            const TapAxis::Range range = taps_.h.sources(y, last);
            src.load(range.first, range.last);
            const int64_t tiles = find_tiles(b, src, y, last, range.last);
            Soon soon;
            if (last < end) soon.src = src.upcoming(taps_.h.sources(last, next_last).last - range.last);
            if (b.epilogue) soon.map = b.epilogue->upcoming(b.first_row + last, b.first_row + next_last);
            groups(b, tiles, soon);
            if (b.rows) b.rows->done(y, last - y);
        }
        if (b.epilogue) b.epilogue->end();
    }

    /// The tiles of result rows [first, last), for which source rows were loaded up to `loaded`.
    int64_t find_tiles(Bench& b, const BandLoader::Rows& src, int64_t first, int64_t last,
                       int64_t loaded) const noexcept {
        const int64_t src_step = band_.pixel_stride(), dst_pixel = dst_step_bytes(), width = result_[2];
        WinogradTile* tile = b.tiles;
        float* patch = b.patches;
        std::byte* dst = b.dst(first);
        for (int64_t y = first; y < last; y += side) {
            const float* rows[extent];
            int64_t inside_map[extent];  // 1, or 0 for rows of zeros, where all tiles read the same few
            for (int64_t r = 0; r < extent; ++r) {
                const int64_t row = source_of(taps_.h, y) + r;
                // Rows below the last one that any result needs were not loaded: they only meet results outside the
                // map.
                inside_map[r] = row >= 0 && row < loaded;
                rows[r] = inside_map[r] ? src[row] : b.zeros;
            }
            for (int64_t x = 0; x < width; x += side, ++tile, dst += side * dst_pixel) {
                for (int64_t r = 0; r < extent; ++r)
                    tile->rows[r] = rows[r] + x / side * advance * src_step * inside_map[r];
                const int64_t first_column = source_of(taps_.w, x);
                if (in_place_ && !inside(first_column)) {
                    WinogradPatch{.extent = extent,
                                  .first_column = first_column,
                                  .width = taps_.w.extent,
                                  .channels = depth_,
                                  .src_step = src_step,
                                  .step = src_step,
                                  .zeros = b.zeros}
                        .copy(tile->rows, patch);
                    patch += patch_floats();
                }
                tile->dst = dst;
                tile->dst_row = b.first_row + y;
                tile->dst_column = x;
                tile->dst_rows = std::min(side, last - y);
                tile->dst_columns = std::min(side, width - x);
            }
            dst += (side * width - ceil_div(width, side) * side) * dst_pixel;
        }
        return tile - b.tiles;
    }

    /// Points of few tiles stay in L1, while the weights' come from L2; those from L3 serve as many tiles as there can
    /// be.
    int64_t group_tiles() const {
        if (is_upsampled(scheme) || results_over_source()) return most_group_tiles;
        return points_bytes_ <= 640 * 1024 ? most_group_tiles / 2 : most_group_tiles;
    }

    /// What the next band will read.
    struct Soon {
        std::span<const std::byte> src, map;
    };

    void groups(Bench& b, int64_t tiles, const Soon& soon) const noexcept {
        const int64_t count = ceil_div(tiles, group_tiles());
        for (int64_t g = 0; g < count; ++g) {
            const int64_t first = tiles * g / count, last = tiles * (g + 1) / count;
            WinogradGroup group{.tiles = b.tiles + first,
                                .count = last - first,
                                .depth = depth_,
                                .channels = in_blocks(b.channels.count),
                                .src_step = band_.pixel_stride(),
                                .weights = reinterpret_cast<const float*>(b.buffers.workspace) +
                                           b.channels.first / conv_block * block_floats(),
                                .dst_row_step = result_[2] * dst_step(),
                                .dst_step = dst_step(),
                                .src_points = b.src_points,
                                .dst_points = b.dst_points,
                                .src_points_step = src_points_step_,
                                .dst_points_step = dst_points_step_,
                                .src_soon = share_of(soon.src, g, count),
                                .map_soon = share_of(soon.map, g, count)};
            if (b.epilogue) group.finish = b.epilogue->next({group.tiles, static_cast<size_t>(group.count)});
            table_.group(group);
        }
    }

    Shape result_;
    int64_t depth_;  ///< source channels in whole blocks
    bool padded_;    ///< the last block has zeros
    int weights_operand_;
    TapPlan taps_;
    PackedWeights packed_;
    ChannelParts parts_;  ///< of the result
    RowChunks chunks_;
    bool in_place_;  ///< wide maps are read where they lie: only the tiles at either edge need a copy with its zeros
    int64_t band_rows_;
    BandLoader band_;
    RowSink sink_;
    std::optional<WinogradEpilogue> epilogue_;
    const WinogradTable& table_;
    int64_t edge_columns_ = 0;  ///< of tiles, that need patches
    int64_t src_points_step_ = 0, dst_points_step_ = 0;
    size_t points_bytes_ = 0, tiles_bytes_ = 0, patches_bytes_ = 0, zero_bytes_ = 0, src_points_bytes_ = 0,
           dst_points_bytes_ = 0, band_bytes_ = 0;
};

/// Share of the FMA peak in nominal FLOPs, with so many channels on the narrower side.
template <WinogradScheme scheme>
double expected_share(double channels) {
    const double more_channels = std::min(1.0, (channels - 16.0) / 48.0);
    switch (scheme) {
        case WinogradScheme::f2x2:
            return 1.0 + 0.4 * more_channels;
        case WinogradScheme::upsampled:
        case WinogradScheme::upsampled_grad:
            return 1.1 + 0.5 * more_channels;
        case WinogradScheme::f4x4:
            break;
    }
    return 1.5 + 1.2 * more_channels;
}

/// Nominal FLOPs over the measured share of the peak, the waste at the edges of the map counted; and making the
/// weights' points and reading them again for every group of tiles, once they outgrow L2, and dearer once they outgrow
/// L3 too. F(2x2) does 16 multiplications for 4 results where F(4x4) does 36 for 16.
template <WinogradScheme scheme>
double cost(const Problem& problem) {
    constexpr int64_t side = tiling_of(scheme).side;
    const Conv2dProblem parsed = parse_conv2d(problem);
    const Conv2dGeometry& g = parsed.geometry;
    const int64_t h = parsed.result[1], w = parsed.result[2], tiles = ceil_div(h, side) * ceil_div(w, side);
    const double waste = static_cast<double>(tiles * side * side) / static_cast<double>(h * w);
    const double share = expected_share<scheme>(static_cast<double>(std::min(g.src_c, g.dst_c)));
    const double point_bytes = 4.0 * static_cast<double>(winograd_points(scheme) * g.src_c * g.dst_c);
    const double groups = static_cast<double>(g.samples * ceil_div(tiles, winograd_group_tiles(scheme)));
    const double traffic = point_bytes > 16 << 20  ? (12.0 + 2.0 * groups) * point_bytes
                           : point_bytes > 1 << 20 ? (4.0 + 0.3 * groups) * point_bytes
                                                   : 0.0;
    return (g.flops() * waste * winograd_padding(g) / share + traffic) * 1e-12;
}

template <WinogradScheme scheme>
std::unique_ptr<Step> make(const Problem& problem, Isa isa) {
    return std::make_unique<WinogradConvolution<scheme>>(problem, parse_conv2d(problem), isa);
}

/// What all of these kernels ask of a problem.
std::string refuse_any(const Problem& problem, const Conv2dProblem& parsed) {
    if (!parsed.refusal.empty()) return parsed.refusal;
    const Conv2dGeometry& g = parsed.geometry;
    if (problem.strict_math) return "strict math asks for the direct kernel's rounding";
    if (g.groups != 1) return "expected one group, got " + std::to_string(g.groups);
    if (std::min(g.src_c, g.dst_c) < conv_block)
        return "expected at least 16 channels, got " + std::to_string(g.src_c) + " -> " + std::to_string(g.dst_c);
    return {};
}

}  // namespace

std::string refuse_winograd(const Problem& problem) {
    const Conv2dProblem parsed = parse_conv2d(problem);
    const Window2d& w = parsed.geometry.window;
    if (parsed.refusal.empty() && !(w.kernel == Extent2d(3) && w.stride == Extent2d(1) && w.dilation == Extent2d(1)))
        return "expected a 3x3 kernel of stride and dilation 1";
    return refuse_any(problem, parsed);
}

std::string refuse_upsampled(const Problem& problem) {
    const Conv2dProblem parsed = parse_conv2d(problem);
    const Conv2dGeometry& g = parsed.geometry;
    const Padding2d corner{.top = 1, .bottom = 0, .left = 1, .right = 0};
    if (parsed.refusal.empty() && !parsed.middle_is_sum)
        return "expected 3x3 weights whose middle is the sum of the outer two, as behind an upsampled map";
    const Window2d& w = g.window;
    const bool doubles = g.src_h == 2 * g.dst_h && g.src_w == 2 * g.dst_w;
    if (parsed.refusal.empty() && !(w.kernel == Extent2d(3) && w.stride == Extent2d(2) && w.dilation == Extent2d(1) &&
                                    w.padding == corner && doubles))
        return "expected a 3x3 kernel of stride 2 and dilation 1, one pixel of padding at the top and left, and a map "
               "of twice the size";
    return refuse_any(problem, parsed);
}

void register_winograd(std::vector<KernelInfo>& out) {
    using enum WinogradScheme;
    const auto add = [&](Isa isa, std::string_view tile) {
        out.push_back({"conv2d", "conv2d_fwd_winograd_f4x4_nhwc_f32", isa, tile, winograd_takes, refuse_winograd,
                       cost<f4x4>, make<f4x4>});
        out.push_back({"conv2d", "conv2d_fwd_winograd_f2x2_nhwc_f32", isa, tile, winograd_takes, refuse_winograd,
                       cost<f2x2>, make<f2x2>});
        out.push_back({"conv2d", "conv2d_fwd_winograd_upsampled_nhwc_f32", isa, tile, upsampled_takes, refuse_upsampled,
                       cost<upsampled_grad>, make<upsampled_grad>});
        out.push_back({"conv2d_input_grad", "conv2d_bwd_data_winograd_f4x4_nhwc_f32", isa, tile, winograd_takes,
                       refuse_winograd, cost<f4x4>, make<f4x4>});
        out.push_back({"conv2d_input_grad", "conv2d_bwd_data_winograd_f2x2_nhwc_f32", isa, tile, winograd_takes,
                       refuse_winograd, cost<f2x2>, make<f2x2>});
        out.push_back({"conv2d_input_grad", "conv2d_bwd_data_winograd_upsampled_nhwc_f32", isa, tile, upsampled_takes,
                       refuse_upsampled, cost<upsampled>, make<upsampled>});
    };
    add(Isa::baseline, "3 tiles x 16 channels");
    add(Isa::avx2, "6 tiles x 16 channels");
    add(Isa::avx512, "12 tiles x 32 channels");
    register_winograd_by_channels(out);
    register_winograd_weight_grad(out);
}

}  // namespace liven::kernels
