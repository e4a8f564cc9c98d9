// Winograd's convolution F(4x4, 3x3) for many channels and small maps, forward and input gradient: the weights' points
// of a block of channels are made where they are used, for several samples together, and never stored whole.
//
// loop nest      unit (chunk of samples, 64 result channels) > block of 32 source channels > band of samples >
//                groups of up to 12 tiles > isa/winograd_forward.cpp; then the results, sample by sample
// caches         weights' points of a block (295 KB) and the sums of all the unit's tiles (at most 590 KB) in L2,
//                beside the source rows of a band and the points of a group
// bytes moved    source once for each 64 result channels, packed weights once a chunk; every result once
// expected       150-200 % of the direct FMA peak where the weights' points of kernels/winograd/forward.cpp outgrow L2
// error          as kernels/winograd/forward.cpp
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "kernels/conv2d/channel_parts.hpp"
#include "kernels/conv2d/taps.hpp"
#include "kernels/conv2d/weights.hpp"
#include "kernels/maps/band.hpp"
#include "kernels/maps/made_map.hpp"
#include "kernels/maps/row_sink.hpp"
#include "kernels/rounding.hpp"
#include "kernels/winograd/geometry.hpp"

namespace liven::kernels {
namespace {

constexpr WinogradScheme scheme = WinogradScheme::f4x4;
constexpr int64_t side = tiling_of(scheme).side, group_tiles = winograd_group_tiles(scheme);
constexpr int64_t most_tiles = 64;  ///< of a unit

/// How the work is cut: by shape alone.
struct Cut {
    ChannelParts src, dst;
    int64_t tile_columns, sample_tiles;
    int64_t samples_of_chunk, chunks;
    int64_t band_samples;  ///< whose rows are loaded together: enough for a group of tiles

    explicit Cut(const Conv2dProblem& parsed)
        : src(parsed.map.shape[3], 32),
          dst(parsed.result[3], 64),
          tile_columns(ceil_div(parsed.result[2], side)),
          sample_tiles(ceil_div(parsed.result[1], side) * tile_columns),
          samples_of_chunk(std::clamp<int64_t>(most_tiles / sample_tiles, 1, parsed.result[0])),
          chunks(ceil_div(parsed.result[0], samples_of_chunk)),
          band_samples(std::clamp<int64_t>(group_tiles / sample_tiles, 1, samples_of_chunk)) {}

    int64_t chunk_tiles() const { return samples_of_chunk * sample_tiles; }
};

class WinogradByChannels final : public Step {
public:
    WinogradByChannels(const Problem& problem, const Conv2dProblem& parsed, Isa isa)
        : result_(parsed.result),
          depth_(in_blocks(parsed.map.shape[3])),
          weights_operand_(parsed.weights),
          taps_(problem.op == "conv2d_input_grad" ? input_grad_taps(parsed.geometry) : forward_taps(parsed.geometry)),
          packed_(taps_, parsed.geometry, problem.op == "conv2d_input_grad", isa, nullptr, true),
          cut_(parsed),
          sink_(problem, result_, result_[1], result_[0], isa, cut_.dst.widest(), result_[3] % conv_block != 0),
          table_(winograd_table(isa, scheme)) {
        packed_bytes_ = whole_lines(packed_.bytes());
        sink_.place(packed_bytes_);
        workspace_bytes = packed_bytes_ + whole_lines(sink_.workspace_bytes());
        MapSource map = parsed.map;
        // Every 64 result channels would run the prologue again.
        made_.keep(map, problem, isa, workspace_bytes);
        band_.emplace(map, problem, isa,
                      BandLoader::Options{.first_column = taps_.w.lowest(),
                                          .columns = cut_.tile_columns * side + 2,
                                          .rows = map.shape[1],
                                          .dense_pixels = false,
                                          .channels = cut_.src.widest(),
                                          .padded = depth_ != map.shape[3]});
        lay_out();
    }

    void run(int stage, int64_t unit, const Buffers& buffers) const noexcept override {
        if (stage == 0)
            packed_.pack(unit, static_cast<const float*>(buffers.inputs[weights_operand_]),
                         reinterpret_cast<float*>(buffers.workspace) + unit * packed_.block_step());
        else if (stage <= made_.count())
            made_.run(stage - 1, unit, buffers);
        else if (stage == made_.count() + 1)
            compute(unit, buffers);
        else
            sink_.finalize(unit, buffers);
    }

private:
    void lay_out() {
        const auto floats = [](int64_t count) { return whole_lines(static_cast<size_t>(count) * sizeof(float)); };
        tiles_bytes_ = whole_lines(static_cast<size_t>(cut_.chunk_tiles()) * sizeof(WinogradTile));
        zero_bytes_ = floats(6 * band_->pixel_stride());
        weights_bytes_ = floats(winograd_points(scheme) * cut_.src.widest() * cut_.dst.widest());
        src_points_bytes_ = floats(group_tiles * winograd_tile_floats(scheme, cut_.src.widest()));
        dst_points_bytes_ = floats(cut_.chunk_tiles() * winograd_tile_floats(scheme, cut_.dst.widest()));
        ring_bytes_ = whole_lines(band_->scratch_bytes());
        const size_t rings = static_cast<size_t>(cut_.band_samples) * ring_bytes_;
        scratch_bytes = tiles_bytes_ + zero_bytes_ + weights_bytes_ + src_points_bytes_ + dst_points_bytes_ + rings +
                        sink_.scratch_bytes();
        stages = {{.units = packed_.units(), .reads = weights_operand_}};
        made_.add_stages(*this);
        stages.push_back({.units = cut_.chunks * cut_.dst.count(),
                          .samples = cut_.samples_of_chunk == 1 ? result_[0] : 1,
                          .completes_maps = true});
        if (sink_.reduces()) stages.push_back({.units = sink_.finalize_units(), .samples = 1});
    }

    /// What one unit works on and with.
    struct Bench {
        const Buffers& buffers;
        ChannelSlice channels;  ///< of the result
        int64_t first, last;    ///< samples
        WinogradTile* tiles;
        float *zeros, *weights, *src_points, *dst_points;
        std::byte *rings, *sink;
    };

    Bench bench(int64_t unit, const Buffers& buffers) const noexcept {
        const int64_t chunk = unit / cut_.dst.count(), first = chunk * cut_.samples_of_chunk;
        std::byte* at = buffers.scratch;
        Bench b{.buffers = buffers,
                .channels = cut_.dst[unit % cut_.dst.count()],
                .first = first,
                .last = std::min(result_[0], first + cut_.samples_of_chunk),
                .tiles = reinterpret_cast<WinogradTile*>(at),
                .zeros = reinterpret_cast<float*>(at += tiles_bytes_),
                .weights = reinterpret_cast<float*>(at += zero_bytes_),
                .src_points = reinterpret_cast<float*>(at += weights_bytes_),
                .dst_points = reinterpret_cast<float*>(at += src_points_bytes_),
                .rings = at += dst_points_bytes_,
                .sink = at += static_cast<size_t>(cut_.band_samples) * ring_bytes_};
        std::fill_n(b.zeros, zero_bytes_ / sizeof(float), 0.0f);
        return b;
    }

    void compute(int64_t unit, const Buffers& buffers) const noexcept {
        const Bench b = bench(unit, buffers);
        for (int64_t part = 0; part < cut_.src.count(); ++part) {
            const ChannelSlice channels = cut_.src[part];
            transform_weights(b, channels);
            for (int64_t sample = b.first; sample < b.last; sample += cut_.band_samples) {
                const int64_t end = std::min(b.last, sample + cut_.band_samples);
                for (int64_t s = sample; s < end; ++s) load(b, s, s - sample, channels);
                for_each_group(b, sample, [&](int64_t first, int64_t count) {
                    WinogradGroup group = group_of(b, first, count);
                    group.depth = in_blocks(channels.count);
                    group.src_points_step = winograd_tile_floats(scheme, group.depth);
                    group.add = part > 0;
                    table_.products(group);
                });
            }
        }
        for (int64_t sample = b.first; sample < b.last; ++sample) write(b, sample);
    }

    /// The points of 32 x 64 weights.
    void transform_weights(const Bench& b, ChannelSlice src) const noexcept {
        const int64_t depth = in_blocks(src.count);
        const auto* packed = reinterpret_cast<const float*>(b.buffers.workspace);
        for (int64_t o = 0; o < b.channels.count; o += conv_block)
            table_.weights(packed + (b.channels.first + o) / conv_block * packed_.block_step() + src.first * conv_block,
                           depth_ * conv_block, depth, b.weights + o * winograd_points(scheme) * depth);
    }

    /// Loads some channels of a sample and finds its tiles' sources.
    void load(const Bench& b, int64_t sample, int64_t ring, ChannelSlice channels) const noexcept {
        BandLoader::Rows src(*band_, b.buffers, b.rings + static_cast<size_t>(ring) * ring_bytes_, sample, channels);
        const TapAxis::Range range = taps_.h.sources(0, result_[1]);
        src.load(range.first, range.last);
        WinogradTile* tile = b.tiles + (sample - b.first) * cut_.sample_tiles;
        for (int64_t y = 0; y < result_[1]; y += side)
            for (int64_t x = 0; x < result_[2]; x += side, ++tile)
                for (int64_t r = 0; r < 6; ++r) {
                    const int64_t row = y + taps_.h.lowest() + r;
                    const bool inside = row >= range.first && row < range.last;
                    tile->rows[r] = inside ? src[row] + x * band_->pixel_stride() : b.zeros;
                }
    }

    /// Calls take(first tile, count) for the groups of the band that starts with a sample.
    template <class Take>
    void for_each_group(const Bench& b, int64_t sample, const Take& take) const noexcept {
        const int64_t start = (sample - b.first) * cut_.sample_tiles;
        const int64_t tiles = std::min(cut_.band_samples, b.last - sample) * cut_.sample_tiles;
        const int64_t groups = ceil_div(tiles, group_tiles);
        for (int64_t g = 0; g < groups; ++g)
            take(start + tiles * g / groups, tiles * (g + 1) / groups - tiles * g / groups);
    }

    WinogradGroup group_of(const Bench& b, int64_t first, int64_t count) const noexcept {
        const int64_t channels = in_blocks(b.channels.count), points_step = winograd_tile_floats(scheme, channels);
        return {.tiles = b.tiles + first,
                .count = count,
                .channels = channels,
                .src_step = band_->pixel_stride(),
                .weights = b.weights,
                .dst_row_step = result_[2] * sink_.pixel_stride(),
                .dst_step = sink_.pixel_stride(),
                .src_points = b.src_points,
                .dst_points = b.dst_points + first * points_step,
                .dst_points_step = points_step};
    }

    /// Takes the sums of a sample's tiles back to results, and these through the epilogue.
    void write(const Bench& b, int64_t sample) const noexcept {
        RowSink::Rows dst(sink_, b.buffers, b.sink, sample, sample, b.channels);
        float* rows = dst.begin(0);
        const int64_t begin = (sample - b.first) * cut_.sample_tiles, end = begin + cut_.sample_tiles;
        WinogradTile* tile = b.tiles + begin;
        for (int64_t y = 0; y < result_[1]; y += side)
            for (int64_t x = 0; x < result_[2]; x += side, ++tile) {
                tile->dst = rows + (y * result_[2] + x) * sink_.pixel_stride();
                tile->dst_rows = std::min(side, result_[1] - y);
                tile->dst_columns = std::min(side, result_[2] - x);
            }
        const int64_t band = (sample - b.first) / cut_.band_samples * cut_.band_samples + b.first;
        for_each_group(b, band, [&](int64_t first, int64_t count) {
            const int64_t from = std::max(first, begin), to = std::min(first + count, end);
            if (from < to) table_.results(group_of(b, first, count), from - first, to - first);
        });
        dst.done(0, result_[1]);
    }

    Shape result_;
    int64_t depth_;  ///< source channels in whole blocks
    int weights_operand_;
    TapPlan taps_;
    PackedWeights packed_;
    Cut cut_;
    RowSink sink_;
    const WinogradTable& table_;
    MadeMaps made_;
    std::optional<BandLoader> band_;
    size_t packed_bytes_ = 0, tiles_bytes_ = 0, zero_bytes_ = 0, weights_bytes_ = 0, src_points_bytes_ = 0,
           dst_points_bytes_ = 0, ring_bytes_ = 0;
};

std::string refuse(const Problem& problem) {
    std::string reason = refuse_winograd(problem);
    if (!reason.empty()) return reason;
    const Shape result = parse_conv2d(problem).result;
    const int64_t tiles = ceil_div(result[1], side) * ceil_div(result[2], side);
    if (tiles > most_tiles)
        return "expected a map of at most " + std::to_string(most_tiles) + " tiles of 4x4, got " +
               std::to_string(tiles);
    return {};
}

/// Nominal FLOPs over the measured share of the peak, the waste at the edges of the map counted; making the weights'
/// points, with the rest that is done once a chunk, takes as long as twelve tiles.
double cost(const Problem& problem) {
    const Conv2dProblem parsed = parse_conv2d(problem);
    const Cut cut(parsed);
    const double tiles = static_cast<double>(parsed.result[0] * cut.sample_tiles + 12 * cut.chunks);
    const int64_t pixels = parsed.result[0] * parsed.result[1] * parsed.result[2];
    const double waste = tiles * side * side / static_cast<double>(pixels);
    const double channels = static_cast<double>(std::min(parsed.geometry.src_c, parsed.geometry.dst_c));
    const double share = 1.5 + 1.3 * std::min(1.0, (channels - 16.0) / 48.0);
    return parsed.geometry.flops() * waste * winograd_padding(parsed.geometry) / share * 1e-12;
}

std::unique_ptr<Step> make(const Problem& problem, Isa isa) {
    return std::make_unique<WinogradByChannels>(problem, parse_conv2d(problem), isa);
}

}  // namespace

void register_winograd_by_channels(std::vector<KernelInfo>& out) {
    const std::string_view takes = "as winograd_f4x4, maps of at most 64 tiles of 4x4";
    const auto add = [&](Isa isa, std::string_view tile) {
        out.push_back(
            {"conv2d", "conv2d_fwd_winograd_f4x4_by_channels_nhwc_f32", isa, tile, takes, refuse, cost, make});
        out.push_back({"conv2d_input_grad", "conv2d_bwd_data_winograd_f4x4_by_channels_nhwc_f32", isa, tile, takes,
                       refuse, cost, make});
    };
    add(Isa::baseline, "3 tiles x 16 channels");
    add(Isa::avx2, "6 tiles x 16 channels");
    add(Isa::avx512, "12 tiles x 32 channels");
}

}  // namespace liven::kernels
