// The direct convolution, forward and input gradient: one driver, because the input gradient is a convolution of
// diff_dst with turned weights (conv2d/taps.hpp).
//
// loop nest      unit (part of the channels, sample, chunk of rows) > band of rows > 16 or 32 result channels >
//                row > isa/conv2d_forward.cpp
//
// caches         band of source rows with halo (ring, L2), weights of one block (L1 or L2), rows for the epilogue (L2)
//
// bytes moved    source rows once a unit, with (kernel rows - 1) rows of halo; every result once; weights once a
//                band, which is tall enough (256 pixels) for that not to matter. Weights that are larger than L2
//                and the map go part by part: a part stays with the core that packed it while all samples meet it
//
// dot products   the band holds pairs of channels in bf16, copied as they lie or rounded behind the prologue; sums,
//                epilogue and everything else stay in f32
// expected       85-97 % of the FMA peak; copying the band costs 2-5 % at 16 channels, and a first layer (70-75 %)
//                waits for memory to take its results. Kernel rows in the padding are skipped, which nominal FLOPs
//                do not show.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/conv2d/chunks.hpp"
#include "kernels/conv2d/direct.hpp"
#include "kernels/conv2d/pixel_pairs.hpp"
#include "kernels/conv2d/row_convolution.hpp"
#include "kernels/conv2d/table.hpp"
#include "kernels/conv2d/taps.hpp"
#include "kernels/conv2d/weights.hpp"
#include "kernels/maps/band.hpp"
#include "kernels/maps/row_sink.hpp"
#include "kernels/native_bf16.hpp"
#include "kernels/rounding.hpp"

namespace liven::kernels {
namespace {

/// How the work is cut and walked.
struct Walkdown {
    RowChunks chunks;
    int64_t parts = 1;      ///< of the result channels, each a unit's
    int64_t band_rows = 1;  ///< result rows computed together
    int64_t ring_rows = 1;  ///< source rows they need
};

bool has_large_weights(const Conv2dGeometry& g) {
    return g.weights() * static_cast<int64_t>(sizeof(float)) > 512 * 1024;
}

/// Parts of the result channels. Threads that share the rows of one small map would each read all weights for a few
/// pixels: they share the channels. So do they when the map of several samples is smaller than the weights.
int64_t count_parts(const Conv2dGeometry& g, const Shape& map, const Shape& result) {
    constexpr int64_t few_pixels = 200, held_floats = 600 * 1024;
    if (g.groups != 1 || !has_large_weights(g)) return 1;
    const int64_t channels = result[3];
    if (g.samples == 1) return result[1] * result[2] <= few_pixels && channels % 64 == 0 ? channels / 64 : 1;
    if (g.weights() <= map.count()) return 1;
    for (const int64_t part : {128, 64, 32})
        if (channels % part == 0 && g.weights() / channels * part <= held_floats) return channels / part;
    return 1;
}

/// A prologue that makes pairs is not run beforehand, and so not for every part of several samples.
int64_t parts_of(const Conv2dProblem& parsed, bool dots) {
    if (dots && parsed.map.program && parsed.geometry.samples > 1) return 1;
    return count_parts(parsed.geometry, parsed.map.shape, parsed.result);
}

/// Enough work in a unit (about 50 us at full speed), and when the weights outgrow L2, enough pixels to pay for reading
/// them.
int64_t least_rows(const Conv2dGeometry& g, const Shape& result, int64_t parts) {
    // Few result channels take as long as a block of them.
    const double blocks = static_cast<double>(ceil_div(result[3], conv_block) * conv_block);
    const double row_flops = g.flops() * blocks / static_cast<double>(g.samples * result[1] * result[3]);
    int64_t rows = static_cast<int64_t>(4e6 / row_flops) + 1;
    if (has_large_weights(g) && g.samples >= 8) rows = std::max(rows, 196 / result[2] + 1);
    // Eight units together, where the channels do not make as many.
    if (has_large_weights(g) && g.samples < 8)
        rows = std::max(rows, result[1] * g.samples * std::min<int64_t>(parts, 8) / 8);
    return rows;
}

Walkdown walk_down(const Conv2dGeometry& g, const TapPlan& taps, const Shape& result, int64_t parts) {
    Walkdown walk{
        .chunks = cut_rows(result[1], least_rows(g, result, parts)), .parts = parts, .band_rows = 1, .ring_rows = 1};
    const int64_t source_row_bytes = (taps.w.highest() - taps.w.lowest() + 1) * g.src_c * 4;
    const int64_t cache = 384 * 1024;
    walk.band_rows = std::clamp<int64_t>((255 + result[2]) / result[2], 1, walk.chunks.rows);
    while (walk.band_rows > 1 && walk.band_rows * std::max(source_row_bytes, result[2] * result[3] * 4) > cache)
        walk.band_rows = (walk.band_rows + 1) / 2;
    for (int64_t y = 0; y < result[1]; ++y) {
        const auto range = taps.h.sources(y, std::min(result[1], y + walk.band_rows));
        walk.ring_rows = std::max(walk.ring_rows, range.last - range.first);
    }
    return walk;
}

/// Columns of the source that a band holds. A kernel that meets no source pixel at all still gets one.
BandLoader::Options band_options(const TapPlan& taps, int64_t ring_rows, bool dense_pixels, bool in_pairs) {
    const int64_t lowest = std::min(taps.w.lowest(), taps.w.extent - 1);
    return {.first_column = lowest,
            .columns = std::max<int64_t>(taps.w.highest() - lowest + 1, 1),
            .rows = ring_rows,
            .dense_pixels = dense_pixels,
            .in_pairs = in_pairs};
}

class DirectConvolution final : public RowConvolution {
public:
    DirectConvolution(const Problem& problem, const Conv2dProblem& parsed, Isa isa, bool dots)
        : geometry_(parsed.geometry),
          result_(parsed.result),
          input_grad_(problem.op == "conv2d_input_grad"),
          depthwise_(parsed.geometry.depthwise()),
          dots_(dots),
          weights_operand_(parsed.weights),
          taps_(input_grad_ ? input_grad_taps(geometry_) : forward_taps(geometry_)),
          walk_(walk_down(geometry_, taps_, result_, parts_of(parsed, dots))),
          forward_(conv_forward_table(isa)),
          packed_(taps_, geometry_, input_grad_, isa, dots ? forward_.pair_weights : nullptr),
          sink_(problem, result_, walk_.band_rows, result_[0] * walk_.chunks.count, isa, result_[3] / walk_.parts),
          depthwise_table_(depthwise_table(isa)) {
        const size_t packed = whole_lines(depthwise_ ? depthwise_bytes() : packed_.bytes());
        sink_.place(packed);
        workspace_bytes = whole_lines(packed + sink_.workspace_bytes());
        MapSource map = parsed.map;
        // Every part would run the prologue again.
        if (walk_.parts > 1 && !dots) made_.keep(map, problem, isa, workspace_bytes);
        band_.emplace(map, problem, isa,
                      band_options(taps_, walk_.ring_rows, !depthwise_ && geometry_.window.kernel.w > 1, dots));
        first_column_ = std::min(taps_.w.lowest(), taps_.w.extent - 1);
        merged_ = geometry_.groups == 1;
        for (const TapPhase& phase : taps_.w.phases)
            for (size_t t = 1; t < phase.taps.size(); ++t)
                merged_ = merged_ && phase.taps[t].offset == phase.taps[t - 1].offset + 1;
        lay_out();
    }

private:
    void lay_out() {
        const int64_t elements = geometry_.window.kernel.h * geometry_.window.kernel.w;
        runs_bytes_ = whole_lines(static_cast<size_t>(elements) * sizeof(const float*));
        band_bytes_ = whole_lines(band_->scratch_bytes());
        scratch_bytes = runs_bytes_ + band_bytes_ + sink_.scratch_bytes();
        set_stages(depthwise_ ? 1 : packed_.units(), weights_operand_, result_, walk_.chunks, taps_.h, sink_,
                   walk_.parts);
    }

    size_t depthwise_bytes() const {
        return static_cast<size_t>(geometry_.window.kernel.h * geometry_.window.kernel.w * geometry_.dst_c) *
               sizeof(float);
    }

    void pack(int64_t unit, const Buffers& buffers) const noexcept override {
        const auto* weights = static_cast<const float*>(buffers.inputs[weights_operand_]);
        auto* packed = reinterpret_cast<float*>(buffers.workspace);
        if (depthwise_)
            pack_depthwise(weights, packed);
        else
            packed_.pack(unit, weights, packed + unit * packed_.block_step());
    }

    /// Depthwise weights, HW1C, only change the order of their elements.
    void pack_depthwise(const float* weights, float* packed) const noexcept {
        const int64_t channels = geometry_.dst_c;
        for (const TapPhase& h : taps_.h.phases)
            for (const TapPhase& w : taps_.w.phases)
                for (const Tap& tap_h : h.taps)
                    for (const Tap& tap_w : w.taps) {
                        const float* from =
                            weights + (tap_h.kernel * geometry_.window.kernel.w + tap_w.kernel) * channels;
                        packed = std::copy_n(from, channels, packed);
                    }
    }

    const RowSink& sink() const override { return sink_; }

    void compute(int64_t unit, const Buffers& buffers) const noexcept override {
        const int64_t chunks = walk_.chunks.count, chunk = unit % chunks, sample = unit / chunks % result_[0];
        const int64_t width = result_[3] / walk_.parts;
        const ChannelSlice slice{.first = unit / (chunks * result_[0]) * width, .count = width};
        BandLoader::Rows src(*band_, buffers, buffers.scratch + runs_bytes_, sample);
        RowSink::Rows dst(sink_, buffers, buffers.scratch + runs_bytes_ + band_bytes_, sample, sample * chunks + chunk,
                          slice);
        const int64_t end = walk_.chunks.end(chunk, result_[1]);
        for (int64_t y = walk_.chunks.begin(chunk); y < end; y += walk_.band_rows) {
            const int64_t last = std::min(end, y + walk_.band_rows);
            const TapAxis::Range range = taps_.h.sources(y, last);
            src.load(range.first, range.last);
            if (depthwise_)
                depthwise_band(buffers, src, dst.begin(y), y, last);
            else
                dense_band(buffers, src, dst.begin(y), y, last, slice.first, upcoming(src, last, end, range.last));
            dst.done(y, last - y);
        }
    }

    int64_t dst_row_step() const { return result_[2] * sink_.pixel_stride(); }

    /// What the next band of this unit will copy.
    std::span<const std::byte> upcoming(const BandLoader::Rows& src, int64_t next, int64_t end,
                                        int64_t loaded) const noexcept {
        if (next >= end) return {};
        return src.upcoming(taps_.h.sources(next, std::min(end, next + walk_.band_rows)).last - loaded);
    }

    /// `dst` is where channel `first_channel` of the unit's part goes.
    void dense_band(const Buffers& buffers, const BandLoader::Rows& src, float* dst, int64_t first, int64_t last,
                    int64_t first_channel, std::span<const std::byte> soon) const noexcept {
        const int64_t width = result_[3] / geometry_.groups / walk_.parts;
        // Two blocks together halve the traffic of source values.
        const int64_t step = forward_.max_row_channels;
        const size_t calls = static_cast<size_t>(geometry_.groups * ((width + step - 1) / step) * (last - first));
        const auto* packed = reinterpret_cast<const float*>(buffers.workspace);
        size_t call = 0;
        for (int64_t group = 0; group < geometry_.groups; ++group)
            for (int64_t channel = 0; channel < width; channel += step) {
                const float* weights =
                    packed + (group * packed_.blocks() + (first_channel + channel) / conv_block) * packed_.block_step();
                for (int64_t y = first; y < last; ++y, ++call) {
                    const size_t from = soon.size() * call / calls, to = soon.size() * (call + 1) / calls;
                    dense_row(buffers, src, weights, dst + (y - first) * dst_row_step() + group * width + channel, y,
                              group, std::min(step, width - channel), soon.subspan(from, to - from));
                }
            }
    }

    // NOLINTNEXTLINE(readability-non-const-parameter): dst is written through the row
    void dense_row(const Buffers& buffers, const BandLoader::Rows& src, const float* weights, float* dst, int64_t y,
                   int64_t group, int64_t channels, std::span<const std::byte> soon) const noexcept {
        const size_t phase_h = static_cast<size_t>(y) % taps_.h.phases.size();
        const int64_t depth = band_channels() / geometry_.groups / (dots_ ? 2 : 1), pixel = band_->pixel_stride();
        const auto** runs = reinterpret_cast<const float**>(buffers.scratch);
        for (size_t w = 0; w < taps_.w.phases.size(); ++w) {
            const TapPhase& phase = taps_.w.phases[w];
            if (phase.outputs == 0) continue;
            const auto columns = static_cast<int64_t>(phase.taps.size());
            const Runs found = find_runs(src, y, w, merged_, group * depth, runs);
            const ConvRow row{.runs = runs,
                              .run_count = found.count,
                              .run_length = merged_ ? columns * depth : depth,
                              .src_step = phase.src_step * pixel,
                              .weights = weights + packed_.phase_offset(phase_h, w) +
                                         found.skipped_rows * columns * depth * conv_block,
                              .block_step = packed_.block_step(),
                              .dst = dst + phase.first * sink_.pixel_stride(),
                              .dst_step = phase.step * sink_.pixel_stride(),
                              .channels = channels,
                              .pixels = phase.outputs,
                              .soon = w == 0 ? soon.data() : nullptr,
                              .soon_bytes = w == 0 ? static_cast<int64_t>(soon.size()) : 0};
            (dots_ ? forward_.row_dots : forward_.row)(row);
        }
    }

    // NOLINTNEXTLINE(readability-non-const-parameter): dst is written through the row
    void depthwise_band(const Buffers& buffers, const BandLoader::Rows& src, float* dst, int64_t first,
                        int64_t last) const noexcept {
        const auto* packed = reinterpret_cast<const float*>(buffers.workspace);
        const auto** runs = reinterpret_cast<const float**>(buffers.scratch);
        for (int64_t y = first; y < last; ++y, dst += dst_row_step()) {
            const size_t phase_h = static_cast<size_t>(y) % taps_.h.phases.size();
            for (size_t w = 0; w < taps_.w.phases.size(); ++w) {
                const TapPhase& phase = taps_.w.phases[w];
                if (phase.outputs == 0) continue;
                const Runs found = find_runs(src, y, w, false, 0, runs);
                // PackedWeights counts its offsets for blocks of 16 lanes of one channel each; here an element is C
                // values.
                const int64_t element = packed_.phase_offset(phase_h, w) / conv_block +
                                        found.skipped_rows * static_cast<int64_t>(phase.taps.size());
                const DepthwiseRow row{.taps = runs,
                                       .tap_count = found.count,
                                       .src_step = phase.src_step * band_->pixel_stride(),
                                       .weights = packed + element * geometry_.dst_c,
                                       .weight_step = geometry_.dst_c,
                                       .dst = dst + phase.first * sink_.pixel_stride(),
                                       .dst_step = phase.step * sink_.pixel_stride(),
                                       .channels = geometry_.dst_c,
                                       .pixels = phase.outputs};
                depthwise_table_.row(row);
            }
        }
    }

    int64_t band_channels() const { return input_grad_ ? geometry_.dst_c : geometry_.src_c; }

    struct Runs {
        int64_t count = 0;
        int64_t skipped_rows = 0;  ///< kernel rows above the map
    };
    /// Where the source values of result row y begin, for each kernel row inside the map: one run, or one for each
    /// kernel column.
    Runs find_runs(const BandLoader::Rows& src, int64_t y, size_t phase_w, bool merged, int64_t channel,
                   const float** runs) const noexcept {
        const TapPhase& h = taps_.h.phase_of(y);
        const TapPhase& w = taps_.w.phases[phase_w];
        const int64_t index = y / h.step * h.src_step, pixel = band_->pixel_stride();
        Runs found;
        for (const Tap& tap : h.taps) {
            const int64_t source = index + tap.offset;
            if (source < 0) ++found.skipped_rows;
            if (source < 0 || source >= taps_.h.extent) continue;
            const float* row = src[source] + channel;
            const size_t columns = merged ? std::min<size_t>(w.taps.size(), 1) : w.taps.size();
            for (size_t c = 0; c < columns; ++c) runs[found.count++] = row + (w.taps[c].offset - first_column_) * pixel;
        }
        return found;
    }

    Conv2dGeometry geometry_;
    Shape result_;
    bool input_grad_, depthwise_, dots_;
    int weights_operand_;
    TapPlan taps_;
    Walkdown walk_;
    const ConvForwardTable& forward_;
    PackedWeights packed_;
    std::optional<BandLoader> band_;
    RowSink sink_;
    const DepthwiseTable& depthwise_table_;
    int64_t first_column_ = 0;
    bool merged_ = false;  ///< the columns of a kernel row are one run of contiguous source values
    size_t runs_bytes_ = 0, band_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_direct_convolution(const Problem& problem, Isa isa) {
    return std::make_unique<DirectConvolution>(problem, parse_conv2d(problem), isa, false);
}

std::unique_ptr<Step> make_direct_dots_convolution(const Problem& problem, Isa isa) {
    return std::make_unique<DirectConvolution>(problem, parse_conv2d(problem), isa, true);
}

std::string refuse_direct_dots(const Problem& problem) {
    const Conv2dProblem parsed = parse_conv2d(problem);
    if (!parsed.refusal.empty()) return parsed.refusal;
    if (!made_of_bf16(parsed.map, problem)) return "expected a map stored in bf16, got f32";
    if (std::string reason = refuse_bf16_dots(problem.strict_math); !reason.empty()) return reason;
    if (parsed.geometry.groups != 1) return "expected one group, got " + std::to_string(parsed.geometry.groups);
    if (parsed.map.shape[3] % 2 != 0) return "expected pairs of channels, got " + std::to_string(parsed.map.shape[3]);
    return {};
}

}  // namespace liven::kernels
