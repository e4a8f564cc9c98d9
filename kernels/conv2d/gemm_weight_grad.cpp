// The weight gradient of a convolution as a matrix product for each element of its kernel: diff_weights (src channels x
// dst channels) = src' diff_dst over all pixels that the element meets.
//
// loop nest      unit (slot of rows or samples, element, block of at most 256 x 256 of the result) > about 256 pixels >
//                panel of two vectors of dst channels > strip of src channels > isa/gemm.cpp
// caches         the pixels of both maps and the unit's partial sums in L2; pixels far apart are copied together first
// bytes moved    both maps once for each 256 channels of the other, partial sums once for each 256 pixels, slots twice
// expected       80-90 % of the FMA peak: tiles read both operands at the stride of the pixels, mostly from L2
//                while tiles multiply, the maps of the next pixels come into L2 (gemm_fetches.hpp)
// dot products   maps in bf16 are read two pixels at a time, channel by channel side by side: half the depth
// sums           256 pixels in registers, then in fp32 over the slot, and the slots in a pairwise tree that follows
//                from the shape; a slot holds several samples where it is as large as the maps of one; all slots stay
//                under 32 MB whatever the thread count
#include <algorithm>
#include <memory>
#include <optional>

#include "kernels/conv2d/chunks.hpp"
#include "kernels/conv2d/gemm.hpp"
#include "kernels/conv2d/gemm_pixels.hpp"
#include "kernels/conv2d/pixel_pairs.hpp"
#include "kernels/conv2d/weight_grad_step.hpp"
#include "kernels/gemm/nest.hpp"
#include "kernels/reduce/slot_sum.hpp"
#include "kernels/rounding.hpp"
#include "kernels/row_reach.hpp"

namespace liven::kernels {
namespace {

constexpr int64_t most_stride = 128;  // floats from pixel to pixel: larger ones collide in L1 and outrun the prefetcher

/// A range cut into nearly equal parts of whole `grain`s.
struct EqualParts {
    int64_t total = 0, part = 0, count = 1;

    EqualParts(int64_t extent, int64_t most, int64_t grain)
        : total(extent),
          part(round_up(ceil_div(extent, ceil_div(extent, most)), grain)),
          count(ceil_div(extent, part)) {}
    ChannelSlice operator[](int64_t i) const { return {.first = i * part, .count = std::min(part, total - i * part)}; }
};

/// How the work is cut: by shape alone.
struct GradCut {
    EqualParts src, dst;  ///< channels
    int64_t elements;     ///< of the kernel
    RowChunks chunks;     ///< of a sample; one when a slot holds whole samples
    int64_t samples_of_slot = 1, slots = 1;
    int64_t block_rows = 1;  ///< whose pixels one tile adds up
    int64_t strip = 0;       ///< src channels of a tile

    GradCut(const Conv2dGeometry& g, const GemmKernels& kernels)
        : src(g.src_c, 256, kernels.rows),
          dst(g.dst_c, 256, kernels.columns),
          elements(g.window.kernel.h * g.window.kernel.w) {
        constexpr int64_t all_slots_floats = 8 << 20, enough_units = 64, least_pixels = 512, tile_pixels = 256;
        const int64_t most_slots = std::clamp<int64_t>(all_slots_floats / g.weights(), 1, 256);
        chunks = {.rows = g.dst_h, .count = 1};
        const int64_t joined = weight_grad_slots({.samples = g.samples,
                                                  .most = most_slots,
                                                  .units_of_slot = parts(),
                                                  .slot_floats = g.weights(),
                                                  .sample_floats = g.dst_h * g.dst_w * (g.src_c + g.dst_c)});
        if (joined < g.samples) {
            samples_of_slot = ceil_div(g.samples, joined);
            slots = ceil_div(g.samples, samples_of_slot);
        } else {
            const int64_t wanted = std::clamp<int64_t>(enough_units / (parts() * g.samples), 1,
                                                       std::max<int64_t>(most_slots / g.samples, 1));
            chunks = cut_rows(g.dst_h, std::max(ceil_div(g.dst_h, wanted), ceil_div(least_pixels, g.dst_w)));
            slots = g.samples * chunks.count;
        }
        // As many rows as fit, in equal blocks where a slot is few of them.
        const int64_t rows = samples_of_slot * chunks.rows, most = std::max<int64_t>(tile_pixels / g.dst_w, 1);
        block_rows = ceil_div(rows, ceil_div(rows, most));
        strip = ceil_div(src.part, ceil_div(src.part, kernels.rows));
    }
    int64_t parts() const { return elements * src.count * dst.count; }
};

/// `Pixels`: GemmPixels, or PixelPairs for dot products of bf16.
template <class Pixels>
class GemmWeightGrad final : public WeightGradStep {
public:
    GemmWeightGrad(const Problem& problem, const Conv2dProblem& parsed, Isa isa)
        : geometry_(parsed.geometry),
          kernels_(Pixels::kernels_of(isa)),
          cut_(geometry_, kernels_),
          sum_({.slots = cut_.slots, .slot_floats = geometry_.weights()}) {
        if (cut_.slots > 1)
            workspace_bytes = whole_lines(static_cast<size_t>(cut_.slots * geometry_.weights()) * sizeof(float));
        MapSource src = parsed.map, diff_dst = parsed.diff_dst;
        // Every block of the other's channels would run a prologue again.
        Extent2d stride = geometry_.window.stride;
        const bool pointwise = cut_.elements == 1, rounded = Pixels::products == 2;
        if (Pixels::runs_program(src) && (cut_.dst.count > 2 || !pointwise)) {
            made_.keep(src, problem, isa, workspace_bytes, pointwise ? stride : Extent2d(1), rounded);
            if (pointwise) stride = Extent2d(1);
        }
        if (Pixels::runs_program(diff_dst) && (cut_.src.count > 2 || !pointwise))
            made_.keep(diff_dst, problem, isa, workspace_bytes, Extent2d(1), rounded);
        src_.emplace(src, problem, isa,
                     GemmPixels::Options{.stride = stride,
                                         .width = geometry_.dst_w,
                                         .rows = cut_.block_rows,
                                         .channels = cut_.src.part,
                                         .in_place = pointwise && src.pixel_stride <= most_stride});
        // Tiles read whole vectors of columns: there must be some behind the last pixel.
        const bool whole = geometry_.dst_c % kernels_.lanes == 0;
        diff_dst_.emplace(diff_dst, problem, isa,
                          GemmPixels::Options{.width = geometry_.dst_w,
                                              .rows = cut_.block_rows,
                                              .channels = cut_.dst.part,
                                              .in_place = whole && diff_dst.pixel_stride <= most_stride});
        lay_out();
    }

private:
    void lay_out() {
        src_bytes_ = whole_lines(src_->scratch_bytes());
        scratch_bytes = src_bytes_ + diff_dst_->scratch_bytes();
        stages.clear();
        made_.add_stages(*this);
        // The blocks of a chunk's result come one after the other, and each reads all of the chunk.
        Stage stage{.units = cut_.slots * cut_.parts(), .samples = cut_.samples_of_slot == 1 ? geometry_.samples : 1};
        if (stage.samples > 1) {
            const double parts = static_cast<double>(cut_.parts()), chunks = static_cast<double>(cut_.chunks.count);
            stage.reach = (1 - 1 / parts) / chunks +
                          row_reach(geometry_.dst_h, cut_.chunks.rows, geometry_.src_h, [&](int64_t y) {
                              const Window2d& w = geometry_.window;
                              const int64_t reached = (w.kernel.h - 1) * w.dilation.h - w.padding.top;
                              return std::clamp<int64_t>((y - 1) * w.stride.h + reached + 1, 1, geometry_.src_h);
                          });
        }
        stages.push_back(stage);
        if (cut_.slots > 1) stages.push_back({.units = sum_.units(), .samples = 1});
    }

    struct Bench {
        const Buffers& buffers;
        ChannelSlice src, dst;  ///< channels of the unit's block
        int64_t down, right;    ///< where the unit's element lies
        std::byte *src_pixels, *dst_pixels;
    };

    void accumulate(int64_t unit, const Buffers& buffers) const noexcept override {
        const int64_t slot = unit / cut_.parts(), blocks = cut_.src.count * cut_.dst.count;
        const int64_t element = unit % cut_.parts() / blocks, part = unit % blocks;
        const Window2d& window = geometry_.window;
        const Bench bench{.buffers = buffers,
                          .src = cut_.src[part / cut_.dst.count],
                          .dst = cut_.dst[part % cut_.dst.count],
                          .down = element / window.kernel.w * window.dilation.h - window.padding.top,
                          .right = element % window.kernel.w * window.dilation.w - window.padding.left,
                          .src_pixels = buffers.scratch,
                          .dst_pixels = buffers.scratch + src_bytes_};
        float* sums = cut_.slots > 1 ? reinterpret_cast<float*>(buffers.workspace) + slot * geometry_.weights()
                                     : static_cast<float*>(buffers.outputs[0]);
        sums += (element * geometry_.src_c + bench.src.first) * geometry_.dst_c + bench.dst.first;
        const int64_t height = geometry_.dst_h;
        int64_t first = slot * cut_.samples_of_slot * height,
                last = std::min(geometry_.samples * height, first + cut_.samples_of_slot * height);
        if (cut_.chunks.count > 1) {  // a slot is a chunk of a sample
            const int64_t sample = slot / cut_.chunks.count * height, chunk = slot % cut_.chunks.count;
            first = sample + cut_.chunks.begin(chunk);
            last = sample + cut_.chunks.end(chunk, height);
        }
        for (int64_t row = first; row < last; row += cut_.block_rows) {
            const int64_t end = std::min(last, row + cut_.block_rows);
            GemmFetches fetches;
            fetch(bench, end, std::min(last, end + cut_.block_rows), fetches);
            add_products(bench, row, end, sums, row > first, fetches);
        }
    }

    /// What the block of rows [first, last), counted over all samples, will read.
    void fetch(const Bench& b, int64_t first, int64_t last, GemmFetches& fetches) const noexcept {
        const int64_t height = geometry_.dst_h;
        const auto add = [&](const auto* data, int64_t count, int64_t bytes, int64_t pitch) {
            fetches.add(data, count, bytes, pitch);
        };
        for (int64_t row = first, next = 0; row < last; row = next) {
            next = std::min(last, (row / height + 1) * height);
            GemmPixels::Rows rows{.sample = row / height, .first = row % height, .count = next - row};
            diff_dst_->each_map(b.buffers, rows, b.dst, add);
            rows.down = b.down;
            src_->each_map(b.buffers, rows, b.src, add);
        }
    }

    /// The pixels of rows [first, last), counted over all samples.
    GemmBlock take(const Pixels& pixels, const Bench& b, int64_t first, int64_t last) const noexcept {
        const int64_t height = geometry_.dst_h;
        const bool is_src = &pixels == &*src_;
        return pixels.take_all(b.buffers, is_src ? b.src_pixels : b.dst_pixels, (last - first) * geometry_.dst_w,
                               is_src ? b.src : b.dst, [&](auto take_rows) {
                                   for (int64_t row = first, next = 0; row < last; row = next) {
                                       next = std::min(last, (row / height + 1) * height);
                                       take_rows(GemmPixels::Rows{.sample = row / height,
                                                                  .first = row % height,
                                                                  .count = next - row,
                                                                  .before = row - first,
                                                                  .down = is_src ? b.down : 0,
                                                                  .right = is_src ? b.right : 0});
                                   }
                               });
    }

    // NOLINTNEXTLINE(readability-non-const-parameter): sums are written through the tile
    void add_products(const Bench& b, int64_t first, int64_t last, float* sums, bool adds,
                      GemmFetches& fetches) const noexcept {
        const GemmBlock src = take(*src_, b, first, last), diff_dst = take(*diff_dst_, b, first, last);
        GemmNest nest{.tile = {.a = src.data,
                               .a_row = src.row,
                               .a_turned = true,
                               .b = diff_dst.data,
                               .b_row = diff_dst.row,
                               .c = sums,
                               .c_row = geometry_.dst_c,
                               .add = adds ? sums : nullptr,
                               .add_row = geometry_.dst_c,
                               .depth = ceil_div((last - first) * geometry_.dst_w, Pixels::products)},
                      .rows = b.src.count,
                      .columns = b.dst.count,
                      .strip = cut_.strip,
                      .row_step = 1,
                      .panel_pitch = kernels_.columns,
                      .fetches = &fetches};
        fetches.spread(nest.tiles(kernels_));
        nest.run(kernels_);
    }

    /// Sums the slots: they lie as the weights do.
    void finish(int64_t unit, const Buffers& buffers) const noexcept override {
        auto* slots = reinterpret_cast<float*>(buffers.workspace);
        sum_.run(unit, slots, static_cast<float*>(buffers.outputs[0]));
    }

    Conv2dGeometry geometry_;
    GemmKernels kernels_;
    GradCut cut_;
    SlotSum sum_;
    std::optional<Pixels> src_, diff_dst_;
    size_t src_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_gemm_conv2d_weight_grad(const Problem& problem, Isa isa) {
    return std::make_unique<GemmWeightGrad<GemmPixels>>(problem, parse_conv2d(problem), isa);
}

std::unique_ptr<Step> make_dots_conv2d_weight_grad(const Problem& problem, Isa isa) {
    return std::make_unique<GemmWeightGrad<PixelPairs>>(problem, parse_conv2d(problem), isa);
}

std::string refuse_dots_weight_grad(const Problem& problem) {
    if (std::string reason = refuse_gemm_conv2d(problem); !reason.empty()) return reason;
    return refuse_grad_dots(problem, parse_conv2d(problem));
}

}  // namespace liven::kernels
