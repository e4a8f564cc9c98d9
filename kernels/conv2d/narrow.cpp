// The convolution with few result channels: forward at stride 1 (a decoder's last layers), input gradient at any stride
// (of a first layer). The direct kernel would leave most lanes of its vectors empty; here these run along the products
// of one source pixel with all taps and result channels, which are then added up where they belong.
//
// loop nest      unit (sample, chunk of rows) > result row > source rows it needs that are not made yet: pixels > 16 or
//                32 products > source channels (isa/conv2d_forward.cpp); then kernel rows > pixels > run of a kernel
//                row
// caches         products of as many source rows as the kernel has rows (ring, L2), one result row (L1)
// bytes moved    source rows once a unit, with (kernel rows - 1) rows of halo; products through L2
// expected       45-50 % of the FMA peak for 64 -> 3 channels under 3x3 taps, where 27 of 32 lanes are in use, and 65 %
//                for the gradient of a 7x7 first layer; the direct kernel has 17-26 % (bin/conv2d_bench)
#include <algorithm>
#include <memory>
#include <string>

#include "kernels/conv2d/chunks.hpp"
#include "kernels/conv2d/direct.hpp"
#include "kernels/conv2d/row_convolution.hpp"
#include "kernels/conv2d/table.hpp"
#include "kernels/conv2d/taps.hpp"
#include "kernels/maps/band.hpp"
#include "kernels/maps/row_sink.hpp"
#include "kernels/rounding.hpp"

namespace liven::kernels {
namespace {

/// What a source pixel becomes: a run of products for each kernel row, kernel columns in the order of the result's.
struct NarrowShape {
    int64_t depth, channels;     ///< of source and result
    int64_t kernel_h, kernel_w;  ///< taps
    int64_t run() const { return kernel_w * channels; }
    int64_t products() const { return kernel_h * run(); }
    int64_t blocks() const { return ceil_div(products(), conv_block); }
};

NarrowShape narrow_shape(const Conv2dGeometry& g, bool input_grad) {
    return {.depth = input_grad ? g.dst_c : g.src_c,
            .channels = input_grad ? g.src_c : g.dst_c,
            .kernel_h = g.window.kernel.h,
            .kernel_w = g.window.kernel.w};
}

class NarrowConvolution final : public RowConvolution {
public:
    NarrowConvolution(const Problem& problem, const Conv2dProblem& parsed, Isa isa)
        : geometry_(parsed.geometry),
          result_(parsed.result),
          input_grad_(problem.op == "conv2d_input_grad"),
          shape_(narrow_shape(geometry_, input_grad_)),
          weights_operand_(parsed.weights),
          taps_(input_grad_ ? input_grad_taps(geometry_) : forward_taps(geometry_)),
          chunks_(cut_rows(result_[1], std::max(least_rows(), 12 * (shape_.kernel_h - 1)))),
          band_rows_(std::clamp<int64_t>((255 + result_[2]) / result_[2], 1, chunks_.rows)),
          src_width_(parsed.map.shape[2]),
          band_(parsed.map, problem, isa, {.first_column = 0, .columns = src_width_, .rows = 1, .dense_pixels = false}),
          sink_(problem, result_, band_rows_, result_[0] * chunks_.count, isa),
          forward_(conv_forward_table(isa)) {
        lay_out();
    }

private:
    /// Enough work to be worth handing out: about 50 us.
    int64_t least_rows() const {
        return static_cast<int64_t>(4e6 / (geometry_.flops() / static_cast<double>(result_[0] * result_[1]))) + 1;
    }

    void lay_out() {
        const Window2d& w = geometry_.window;
        step_ = input_grad_ ? w.stride.w : 1;
        // The first source pixel's run begins in this column of the result, or left of it.
        const int64_t column = input_grad_ ? -w.padding.left : w.padding.left - (shape_.kernel_w - 1);
        line_first_ = std::min<int64_t>(0, column);
        const int64_t last = std::max(result_[2], column + (src_width_ - 1) * step_ + shape_.kernel_w);
        run_offset_ = (column - line_first_) * shape_.channels;
        line_floats_ = (last - line_first_) * shape_.channels;
        for (int64_t y = 0; y < result_[1]; ++y) {
            const TapAxis::Range range = taps_.h.sources(y, y + 1);
            ring_rows_ = std::max(ring_rows_, range.last - range.first);
        }
        const size_t packed = whole_lines(static_cast<size_t>(shape_.blocks() * block_floats()) * sizeof(float));
        sink_.place(packed);
        workspace_bytes = packed + sink_.workspace_bytes();
        runs_bytes_ = whole_lines(static_cast<size_t>(shape_.kernel_h) * sizeof(const float*));
        line_bytes_ = whole_lines(static_cast<size_t>(line_floats_) * sizeof(float));
        // A block more: the last run is read in whole vectors.
        ring_bytes_ = whole_lines(static_cast<size_t>(ring_rows_ * row_floats() + conv_block) * sizeof(float));
        band_bytes_ = whole_lines(band_.scratch_bytes());
        scratch_bytes = runs_bytes_ + line_bytes_ + ring_bytes_ + band_bytes_ + sink_.scratch_bytes();
        set_stages(shape_.blocks(), weights_operand_, result_, chunks_, taps_.h, sink_);
    }

    int64_t block_floats() const { return shape_.depth * conv_block; }
    int64_t pixel_floats() const { return shape_.blocks() * conv_block; }
    int64_t row_floats() const { return src_width_ * pixel_floats(); }

    /// Weights of 16 products, source channel by source channel. Forward, a pixel's products with the last kernel
    /// column lie leftmost in the result.
    void pack(int64_t block, const Buffers& buffers) const noexcept override {
        const auto* weights = static_cast<const float*>(buffers.inputs[weights_operand_]);
        float* out = reinterpret_cast<float*>(buffers.workspace) + block * block_floats();
        const int64_t depth_step = input_grad_ ? 1 : geometry_.dst_c, channel_step = input_grad_ ? geometry_.dst_c : 1;
        for (int64_t lane = 0; lane < conv_block; ++lane) {
            const int64_t product = block * conv_block + lane, place = product % shape_.run() / shape_.channels;
            const bool empty = product >= shape_.products();
            const int64_t column = input_grad_ ? place : shape_.kernel_w - 1 - place;
            const int64_t tap = product / shape_.run() * shape_.kernel_w + column;
            const float* from =
                weights +
                (empty ? 0 : tap * geometry_.src_c * geometry_.dst_c + product % shape_.channels * channel_step);
            for (int64_t d = 0; d < shape_.depth; ++d) out[d * conv_block + lane] = empty ? 0 : from[d * depth_step];
        }
    }

    /// What one unit works with.
    struct Bench {
        const Buffers& buffers;
        const float** runs;
        float *line, *ring;
        int64_t made = 0;  ///< source rows before this one have been made, those in the ring are there
    };

    const RowSink& sink() const override { return sink_; }

    void compute(int64_t unit, const Buffers& buffers) const noexcept override {
        const int64_t sample = unit / chunks_.count, chunk = unit % chunks_.count;
        std::byte* at = buffers.scratch;
        Bench b{.buffers = buffers,
                .runs = reinterpret_cast<const float**>(at),
                .line = reinterpret_cast<float*>(at += runs_bytes_),
                .ring = reinterpret_cast<float*>(at += line_bytes_)};
        at += ring_bytes_;
        BandLoader::Rows src(band_, buffers, at, sample);
        RowSink::Rows dst(sink_, buffers, at + band_bytes_, sample, unit);
        const int64_t end = chunks_.end(chunk, result_[1]);
        for (int64_t first = chunks_.begin(chunk); first < end; first += band_rows_) {
            const int64_t last = std::min(end, first + band_rows_);
            float* row = dst.begin(first);
            for (int64_t y = first; y < last; ++y, row += result_[2] * sink_.pixel_stride()) result_row(b, src, y, row);
            dst.done(first, last - first);
        }
    }

    void result_row(Bench& b, BandLoader::Rows& src, int64_t y, float* dst) const noexcept {
        const TapAxis::Range range = taps_.h.sources(y, y + 1);
        for (b.made = std::max(b.made, range.first); b.made < range.last; ++b.made) make_products(b, src, b.made);
        const TapPhase& phase = taps_.h.phase_of(y);
        int64_t count = 0;
        for (const Tap& tap : phase.taps) {
            const int64_t source = y / phase.step * phase.src_step + tap.offset;
            if (source < 0 || source >= taps_.h.extent) continue;
            b.runs[count++] = b.ring + source % ring_rows_ * row_floats() + tap.kernel * shape_.run();
        }
        std::fill_n(b.line, line_floats_, 0.0f);
        forward_.add_runs({.rows = b.runs,
                           .row_count = count,
                           .src_step = pixel_floats(),
                           .length = shape_.run(),
                           .dst = b.line + run_offset_,
                           .dst_step = step_ * shape_.channels,
                           .pixels = src_width_});
        const float* line = b.line - line_first_ * shape_.channels;
        const int64_t channels = shape_.channels, pixel = sink_.pixel_stride();
        if (pixel == channels) {
            std::copy_n(line, result_[2] * channels, dst);
            return;
        }
        for (int64_t x = 0; x < result_[2]; ++x) std::copy_n(line + x * channels, channels, dst + x * pixel);
    }

    void make_products(Bench& b, BandLoader::Rows& src, int64_t row) const noexcept {
        src.load(row, row + 1);
        const float* pixels = src[row];
        float* out = b.ring + row % ring_rows_ * row_floats();
        const auto* weights = reinterpret_cast<const float*>(b.buffers.workspace);
        const int64_t step = std::max(forward_.max_row_channels, conv_block);
        for (int64_t channel = 0; channel < pixel_floats(); channel += step)
            forward_.row({.runs = &pixels,
                          .run_count = 1,
                          .run_length = shape_.depth,
                          .src_step = band_.pixel_stride(),
                          .weights = weights + channel / conv_block * block_floats(),
                          .block_step = block_floats(),
                          .dst = out + channel,
                          .dst_step = pixel_floats(),
                          .channels = std::min(step, pixel_floats() - channel),
                          .pixels = src_width_});
    }

    Conv2dGeometry geometry_;
    Shape result_;
    bool input_grad_;
    NarrowShape shape_;
    int weights_operand_;
    TapPlan taps_;
    RowChunks chunks_;
    int64_t band_rows_;
    int64_t src_width_;
    BandLoader band_;
    RowSink sink_;
    const ConvForwardTable& forward_;
    int64_t step_ = 1;  ///< columns of the result from one source pixel to the next
    int64_t line_first_ = 0, line_floats_ = 0, run_offset_ = 0;  ///< a result row with what hangs over its ends
    int64_t ring_rows_ = 1;
    size_t runs_bytes_ = 0, line_bytes_ = 0, ring_bytes_ = 0, band_bytes_ = 0;
};

}  // namespace

std::string refuse_narrow(const Problem& problem) {
    const Conv2dProblem parsed = parse_conv2d(problem);
    if (!parsed.refusal.empty()) return parsed.refusal;
    const Conv2dGeometry& g = parsed.geometry;
    const bool input_grad = problem.op == "conv2d_input_grad";
    const NarrowShape shape = narrow_shape(g, input_grad);
    if (g.groups != 1) return "expected one group, got " + std::to_string(g.groups);
    if (!(g.window.dilation == Extent2d(1))) return "expected a dilation of 1";
    if (!input_grad && !(g.window.stride == Extent2d(1))) return "expected a stride of 1";
    if (shape.channels >= conv_block || shape.products() > 512)
        return "expected fewer than 16 result channels and at most 512 products a pixel, got " +
               std::to_string(shape.channels) + " and " + std::to_string(shape.products());
    return {};
}

double cost_narrow(const Problem& problem) {
    const Conv2dProblem parsed = parse_conv2d(problem);
    const NarrowShape shape = narrow_shape(parsed.geometry, problem.op == "conv2d_input_grad");
    // In vectors: making the products, storing them, and adding them up.
    const auto blocks = static_cast<double>(shape.blocks());
    const auto runs = static_cast<double>(shape.kernel_h * ceil_div(shape.run(), conv_block));
    const double vectors = blocks * (static_cast<double>(shape.depth) / 0.9 + 3.0) + 5.0 * runs;
    const Shape& map = parsed.map.shape;
    return 1.1 * 32.0 * vectors * static_cast<double>(map[0] * map[1] * map[2]) * 1e-12;
}

std::unique_ptr<Step> make_narrow_convolution(const Problem& problem, Isa isa) {
    return std::make_unique<NarrowConvolution>(problem, parse_conv2d(problem), isa);
}

}  // namespace liven::kernels
