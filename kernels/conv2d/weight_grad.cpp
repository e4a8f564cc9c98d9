// The direct weight gradient.
//
// loop nest      unit (slot of samples or rows, part of the output channels) > band of output rows > block of 16 output
//                channels > kernel row > isa/conv2d_weight_grad.cpp
// caches         bands of source rows (ring) and diff_dst rows in L2, the unit's partial sums in L1 or L2
// bytes moved    source and diff_dst once for each part, partial sums once for each band, the slots twice
// dot products   bands are paired where they lie: a word holds a value and that of the next output pixel's window, in
//                bf16; half the pixels, twice the products in each
// expected       80-90 % of the FMA peak, 60-75 % for a first layer
// sums           in registers over a band (at most 1,024 pixels, or one row), then in fp32 over the slot, and the slots
//                in a pairwise tree that follows from the shape; all slots stay under 32 MB whatever the thread count
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "kernels/conv2d/chunks.hpp"
#include "kernels/conv2d/direct.hpp"
#include "kernels/conv2d/pixel_pairs.hpp"
#include "kernels/conv2d/table.hpp"
#include "kernels/conv2d/taps.hpp"
#include "kernels/conv2d/weight_grad_step.hpp"
#include "kernels/maps/band.hpp"
#include "kernels/reduce/slot_sum.hpp"
#include "kernels/rounding.hpp"

namespace liven::kernels {
namespace {

/// How the work is cut: by shape alone.
struct Cut {
    RowChunks chunks;  ///< of a sample; one when a slot holds whole samples
    int64_t samples_of_slot = 1;
    int64_t slots = 1;
    int64_t parts = 1;  ///< of the blocks of output channels
    int64_t blocks_of_part = 1;
    int64_t band_rows = 1;
    int64_t ring_rows = 1;
};

/// `blocks` of output channels, each with `block_floats` of partial sums.
Cut cut_work(const Conv2dGeometry& g, const TapPlan& taps, int64_t blocks, int64_t block_floats) {
    constexpr int64_t all_slots_bytes = 32 << 20, enough_slots = 256, enough_units = 64, cache = 384 * 1024;
    Cut cut;
    const int64_t slot_bytes = blocks * block_floats * 4;
    const int64_t most_slots = std::clamp<int64_t>(all_slots_bytes / slot_bytes, 1, enough_slots);
    const int64_t joined =
        weight_grad_slots({.samples = g.samples,
                           .most = most_slots,
                           .units_of_slot = blocks,
                           .slot_floats = slot_bytes / 4,
                           .sample_floats = g.src_h * g.src_w * g.src_c + g.dst_h * g.dst_w * g.dst_c});
    if (joined < g.samples) {
        cut.samples_of_slot = ceil_div(g.samples, joined);
        cut.slots = ceil_div(g.samples, cut.samples_of_slot);
        cut.chunks = {.rows = g.dst_h, .count = 1};
    } else {
        const int64_t most_chunks = most_slots / g.samples;
        cut.chunks = cut_rows(g.dst_h, std::max(ceil_div(g.dst_h, most_chunks), ceil_div(512, g.dst_w)));
        cut.slots = g.samples * cut.chunks.count;
    }
    cut.blocks_of_part = std::clamp<int64_t>(cache / (block_floats * 4), 1, ceil_div(blocks * cut.slots, enough_units));
    cut.blocks_of_part = std::min(cut.blocks_of_part, blocks);
    cut.parts = ceil_div(blocks, cut.blocks_of_part);
    cut.band_rows = std::clamp<int64_t>(512 / g.dst_w, 1, cut.chunks.rows);
    const int64_t row_bytes = (taps.w.highest() - taps.w.lowest() + 1) * g.src_c * 4;
    while (cut.band_rows > 1 && cut.band_rows * g.window.stride.h * row_bytes > cache)
        cut.band_rows = (cut.band_rows + 1) / 2;
    for (int64_t y = 0; y < g.dst_h; ++y) {
        const auto range = taps.h.sources(y, std::min(g.dst_h, y + cut.band_rows));
        cut.ring_rows = std::max(cut.ring_rows, range.last - range.first);
    }
    return cut;
}

class DirectWeightGrad final : public WeightGradStep {
public:
    DirectWeightGrad(const Problem& problem, const Conv2dProblem& parsed, Isa isa, bool dots)
        : dots_(dots),
          exchanged_(better_exchanged(parsed.geometry).has_value()),
          geometry_(better_exchanged(parsed.geometry).value_or(parsed.geometry)),
          depthwise_(parsed.geometry.depthwise()),
          taps_(forward_taps(geometry_)),
          merged_(geometry_.groups == 1 && (geometry_.window.dilation.w == 1 || geometry_.window.kernel.w == 1)),
          group_blocks_(ceil_div(geometry_.group_dst_c(), conv_block)),
          elements_(geometry_.window.kernel.h * geometry_.window.kernel.w * geometry_.group_src_c()),
          cut_(depthwise_ ? cut_work(geometry_, taps_, 1, elements_ * geometry_.dst_c)
                          : cut_work(geometry_, taps_, geometry_.groups * group_blocks_, elements_ * conv_block)),
          sum_({.slots = cut_.slots, .slot_floats = slot_floats()}),
          grad_(conv_grad_table(isa)),
          pack_pairs_(gemm_kernels(isa).pack_pairs),
          depthwise_table_(depthwise_table(isa)) {
        fused_ = merged_ && geometry_.window.kernel.h == 3 &&
                 geometry_.window.kernel.w * geometry_.src_c <= grad_.fused_length;
        workspace_bytes = whole_lines(static_cast<size_t>(cut_.slots * slot_floats()) * sizeof(float));
        MapSource src = parsed.map, diff_dst = parsed.diff_dst;
        if (exchanged_) std::swap(src, diff_dst);
        // Every part would run the prologues again; from the fifth on it is cheaper to keep what they make.
        if (cut_.parts > 4) {
            made_.keep(src, problem, isa, workspace_bytes);
            made_.keep(diff_dst, problem, isa, workspace_bytes);
        }
        const int64_t lowest = first_column_ = std::min(taps_.w.lowest(), taps_.w.extent - 1);
        src_band_.emplace(src, problem, isa,
                          BandLoader::Options{.first_column = lowest,
                                              .columns = band_columns() + (dots_ ? geometry_.window.stride.w : 0),
                                              .rows = cut_.ring_rows,
                                              .dense_pixels = merged_ && geometry_.window.kernel.w > 1});
        diff_band_.emplace(diff_dst, problem, isa,
                           BandLoader::Options{.first_column = 0,
                                               .columns = dots_ ? round_up(geometry_.dst_w, 2) : geometry_.dst_w,
                                               .rows = cut_.band_rows,
                                               .dense_pixels = false});
        lay_out();
    }

private:
    /// Columns of the source that the windows meet.
    int64_t band_columns() const { return std::max<int64_t>(taps_.w.highest() - first_column_ + 1, 1); }
    int64_t src_step() const { return geometry_.window.stride.w * src_band_->pixel_stride(); }
    int64_t blocks() const { return depthwise_ ? 1 : geometry_.groups * group_blocks_; }
    int64_t block_floats() const { return depthwise_ ? elements_ * geometry_.dst_c : elements_ * conv_block; }
    int64_t slot_floats() const { return blocks() * block_floats(); }

    void lay_out() {
        const int64_t kernel_w = geometry_.window.kernel.w;
        const size_t pointer = sizeof(const float*);
        runs_bytes_ = whole_lines(
            static_cast<size_t>(std::max<int64_t>(kernel_w, 3) * geometry_.window.kernel.h * cut_.band_rows) * pointer);
        diff_rows_bytes_ = whole_lines(static_cast<size_t>(cut_.band_rows) * pointer);
        zero_bytes_ =
            fused_ ? whole_lines(static_cast<size_t>(((geometry_.dst_w - 1) * geometry_.window.stride.w + kernel_w) *
                                                     src_band_->pixel_stride()) *
                                 sizeof(float))
                   : 0;
        src_bytes_ = whole_lines(src_band_->scratch_bytes());
        diff_bytes_ = whole_lines(diff_band_->scratch_bytes());
        if (dots_) {
            src_pairs_row_ = round_up(band_columns() * src_band_->pixel_stride(), conv_block);
            diff_pairs_row_ =
                round_up(ceil_div(geometry_.dst_w, 2) * diff_band_->pixel_stride(), conv_block) + conv_block;
        }
        const int64_t pairs = cut_.ring_rows * src_pairs_row_ + cut_.band_rows * diff_pairs_row_ + conv_block;
        scratch_bytes = runs_bytes_ + diff_rows_bytes_ + zero_bytes_ + src_bytes_ + diff_bytes_ +
                        (dots_ ? whole_lines(static_cast<size_t>(pairs) * sizeof(float)) : 0);
        stages.clear();
        made_.add_stages(*this);
        const bool by_sample = cut_.samples_of_slot == 1;
        stages.push_back({.units = cut_.slots * cut_.parts, .samples = by_sample ? geometry_.samples : 1});
        stages.push_back({.units = sum_.units(), .samples = 1});
    }

    /// The scratch of one unit.
    struct Bench {
        const float** runs;
        const float** diff_rows;
        float* zeros;
        std::byte* src;
        std::byte* diff;
        float *src_pairs, *diff_pairs;  ///< rows of words, with dots
    };

    Bench bench(const Buffers& buffers) const noexcept {
        std::byte* at = buffers.scratch;
        Bench b{};
        b.runs = reinterpret_cast<const float**>(at);
        b.diff_rows = reinterpret_cast<const float**>(at += runs_bytes_);
        b.zeros = reinterpret_cast<float*>(at += diff_rows_bytes_);
        b.src = at += zero_bytes_;
        b.diff = at += src_bytes_;
        b.src_pairs = reinterpret_cast<float*>(at += diff_bytes_);
        b.diff_pairs = b.src_pairs + cut_.ring_rows * src_pairs_row_;
        return b;
    }

    void accumulate(int64_t unit, const Buffers& buffers) const noexcept override {
        const int64_t slot = unit / cut_.parts, part = unit % cut_.parts;
        const int64_t first_block = part * cut_.blocks_of_part;
        const int64_t last_block = std::min(blocks(), first_block + cut_.blocks_of_part);
        float* partial = reinterpret_cast<float*>(buffers.workspace) + slot * slot_floats();
        std::fill(partial + first_block * block_floats(), partial + last_block * block_floats(), 0.0f);
        const Bench scratch = bench(buffers);
        std::fill_n(scratch.zeros, zero_bytes_ / sizeof(float), 0.0f);
        const int64_t first_sample = cut_.samples_of_slot > 1 ? slot * cut_.samples_of_slot : slot / cut_.chunks.count;
        const int64_t last_sample = std::min(geometry_.samples, first_sample + cut_.samples_of_slot);
        const int64_t chunk = cut_.samples_of_slot > 1 ? 0 : slot % cut_.chunks.count;
        for (int64_t sample = first_sample; sample < last_sample; ++sample) {
            BandLoader::Rows src(*src_band_, buffers, scratch.src, sample);
            BandLoader::Rows diff(*diff_band_, buffers, scratch.diff, sample);
            int64_t paired = 0;  // source rows
            const int64_t end = cut_.chunks.end(chunk, geometry_.dst_h);
            for (int64_t y = cut_.chunks.begin(chunk); y < end; y += cut_.band_rows) {
                const int64_t last = std::min(end, y + cut_.band_rows);
                const TapAxis::Range range = taps_.h.sources(y, last);
                src.load(range.first, range.last);
                diff.load(y, last);
                if (dots_) {
                    for (int64_t row = std::max(range.first, paired); row < range.last; ++row)
                        pack_pairs_(src[row], src_step(), 1, band_columns() * src_band_->pixel_stride(),
                                    src_pairs(scratch, row), 0);
                    paired = std::max(range.last, paired);
                    const int64_t pixel = diff_band_->pixel_stride();
                    for (int64_t row = y; row < last; ++row)
                        pack_pairs_(diff[row], pixel, ceil_div(geometry_.dst_w, 2), geometry_.dst_c,
                                    diff_pairs(scratch, row), pixel);
                }
                if (depthwise_)
                    depthwise_band(scratch, src, diff, y, last, partial);
                else
                    dense_band(scratch, src, diff, y, last, partial, first_block, last_block);
            }
        }
    }

    /// Words of a source row: a value, and that of the same element of the next output pixel's window. Behind the last
    /// of an odd number of output pixels diff_dst is zero.
    float* src_pairs(const Bench& b, int64_t row) const { return b.src_pairs + row % cut_.ring_rows * src_pairs_row_; }
    float* diff_pairs(const Bench& b, int64_t row) const {
        return b.diff_pairs + row % cut_.band_rows * diff_pairs_row_;
    }
    const float* src_row(const Bench& b, const BandLoader::Rows& src, int64_t row) const {
        return dots_ ? src_pairs(b, row) : src[row];
    }
    const float* diff_row(const Bench& b, const BandLoader::Rows& diff, int64_t row) const {
        return dots_ ? diff_pairs(b, row) : diff[row];
    }
    void add_rows(const ConvGradRows& rows) const noexcept { (dots_ ? grad_.rows_dots : grad_.rows)(rows); }

    const TapPhase& rows_of_kernel() const { return taps_.h.phases[0]; }
    const TapPhase& columns_of_kernel() const { return taps_.w.phases[0]; }
    bool inside(int64_t row) const { return row >= 0 && row < geometry_.src_h; }
    int64_t run_length() const {
        return merged_ ? geometry_.window.kernel.w * geometry_.src_c : geometry_.group_src_c();
    }

    void dense_band(const Bench& scratch, const BandLoader::Rows& src, const BandLoader::Rows& diff, int64_t first,
                    int64_t last, float* partial, int64_t first_block, int64_t last_block) const noexcept {
        for (int64_t block = first_block; block < last_block; ++block) {
            float* sums = partial + block * block_floats();
            if (fused_) {
                fused_rows(scratch, src, diff, first, last, block, sums);
                continue;
            }
            for (const Tap& tap : rows_of_kernel().taps) kernel_row(scratch, src, diff, first, last, block, tap, sums);
        }
    }

    int64_t channel_of(int64_t block) const {
        return block / group_blocks_ * geometry_.group_dst_c() + block % group_blocks_ * conv_block;
    }
    int64_t channels_of(int64_t block) const {
        return std::min(conv_block, geometry_.group_dst_c() - block % group_blocks_ * conv_block);
    }

    ConvGradRows call(const Bench& scratch, int64_t run_count, int64_t rows, int64_t block,
                      float* sums) const noexcept {
        return {.src = scratch.runs,
                .diff_dst = scratch.diff_rows,
                .run_count = run_count,
                .rows = rows,
                .pixels = dots_ ? ceil_div(geometry_.dst_w, 2) : geometry_.dst_w,
                .src_step = dots_ ? 2 * src_step() : src_step(),
                .diff_step = diff_band_->pixel_stride(),
                .length = run_length(),
                .channels = channels_of(block),
                .partial = sums};
    }

    /// All output rows that meet one kernel row inside the map.
    void kernel_row(const Bench& scratch, const BandLoader::Rows& src, const BandLoader::Rows& diff, int64_t first,
                    int64_t last, int64_t block, const Tap& tap, float* sums) const noexcept {
        const int64_t stride = rows_of_kernel().src_step;
        while (first < last && !inside(first * stride + tap.offset)) ++first;
        while (last > first && !inside((last - 1) * stride + tap.offset)) --last;
        if (first == last) return;
        const int64_t rows = last - first, pixel = src_band_->pixel_stride();
        const int64_t runs = merged_ ? 1 : geometry_.window.kernel.w;
        const int64_t group_channel = block / group_blocks_ * geometry_.group_src_c();
        for (int64_t u = 0; u < runs; ++u) {
            const int64_t column = (columns_of_kernel().taps[static_cast<size_t>(u)].offset - first_column_) * pixel;
            for (int64_t r = 0; r < rows; ++r)
                scratch.runs[u * rows + r] =
                    src_row(scratch, src, (first + r) * stride + tap.offset) + column + group_channel;
        }
        for (int64_t r = 0; r < rows; ++r)
            scratch.diff_rows[r] = diff_row(scratch, diff, first + r) + channel_of(block);
        add_rows(call(scratch, runs, rows, block, sums + tap.kernel * runs * run_length() * conv_block));
    }

    /// Three short kernel rows at once: the whole gradient of a first layer fits the registers. Rows in the padding are
    /// zeros.
    void fused_rows(const Bench& scratch, const BandLoader::Rows& src, const BandLoader::Rows& diff, int64_t first,
                    int64_t last, int64_t block, float* sums) const noexcept {
        const int64_t rows = last - first, stride = rows_of_kernel().src_step;
        const int64_t column = (columns_of_kernel().taps[0].offset - first_column_) * src_band_->pixel_stride();
        for (int64_t k = 0; k < 3; ++k)
            for (int64_t r = 0; r < rows; ++r) {
                const int64_t y = (first + r) * stride + rows_of_kernel().taps[static_cast<size_t>(k)].offset;
                scratch.runs[k * rows + r] = inside(y) ? src_row(scratch, src, y) + column : scratch.zeros;
            }
        for (int64_t r = 0; r < rows; ++r)
            scratch.diff_rows[r] = diff_row(scratch, diff, first + r) + channel_of(block);
        add_rows(call(scratch, 3, rows, block, sums));
    }

    void depthwise_band(const Bench& scratch, const BandLoader::Rows& src, const BandLoader::Rows& diff, int64_t first,
                        int64_t last, float* partial) const noexcept {  // NOLINT: partial is written through the row
        const int64_t pixel = src_band_->pixel_stride(), columns = geometry_.window.kernel.w;
        for (int64_t y = first; y < last; ++y) {
            int64_t taps = 0, skipped = 0;
            for (const Tap& tap : rows_of_kernel().taps) {
                const int64_t row = y * rows_of_kernel().src_step + tap.offset;
                if (row < 0) ++skipped;
                if (!inside(row)) continue;
                for (const Tap& column : columns_of_kernel().taps)
                    scratch.runs[taps++] = src[row] + (column.offset - first_column_) * pixel;
            }
            const DepthwiseGradRow row{.taps = scratch.runs,
                                       .tap_count = taps,
                                       .src_step = geometry_.window.stride.w * pixel,
                                       .diff_dst = diff[y],
                                       .diff_step = diff_band_->pixel_stride(),
                                       .channels = geometry_.dst_c,
                                       .pixels = geometry_.dst_w,
                                       .partial = partial + skipped * columns * geometry_.dst_c,
                                       .partial_step = geometry_.dst_c};
            depthwise_table_.grad_row(row);
        }
    }

    /// Values of one element (tap, channel of diff_dst) and a block of source channels: the tap is turned round.
    void put_exchanged(const float* sums, int64_t block, int64_t element, float* out) const noexcept {
        const int64_t results = geometry_.src_c, sources = geometry_.dst_c;
        const int64_t taps = geometry_.window.kernel.h * geometry_.window.kernel.w;
        const int64_t tap = taps - 1 - element / results, result = element % results;
        float* at = out + (tap * sources + channel_of(block)) * results + result;
        for (int64_t lane = 0; lane < channels_of(block); ++lane) at[lane * results] = sums[lane];
    }

    /// Sums the slots and puts the values where HWIO wants them.
    void finish(int64_t unit, const Buffers& buffers) const noexcept override {
        const SlotSum::Range range = sum_.run(unit, reinterpret_cast<float*>(buffers.workspace));
        const float* sums = reinterpret_cast<const float*>(buffers.workspace);
        float* out = static_cast<float*>(buffers.outputs[0]);
        if (depthwise_) {
            std::copy(sums + range.begin, sums + range.end, out + range.begin);
            return;
        }
        for (int64_t i = range.begin; i < range.end; i += conv_block) {
            const int64_t block = i / block_floats(), element = i % block_floats() / conv_block;
            if (exchanged_)
                put_exchanged(sums + i, block, element, out);
            else
                std::copy_n(sums + i, channels_of(block), out + element * geometry_.dst_c + channel_of(block));
        }
    }

    bool dots_;
    bool exchanged_;  ///< diff_dst has few channels: it slides over the source, and the result is turned round
    Conv2dGeometry geometry_;
    bool depthwise_;
    TapPlan taps_;
    bool merged_;
    int64_t group_blocks_, elements_;
    Cut cut_;
    SlotSum sum_;
    const ConvGradTable& grad_;
    void (*pack_pairs_)(const float*, int64_t, int64_t, int64_t, float*, int64_t);
    const DepthwiseTable& depthwise_table_;
    bool fused_ = false;
    std::optional<BandLoader> src_band_, diff_band_;
    int64_t first_column_ = 0;
    int64_t src_pairs_row_ = 0, diff_pairs_row_ = 0;  ///< floats from one row of words to the next
    size_t runs_bytes_ = 0, diff_rows_bytes_ = 0, zero_bytes_ = 0, src_bytes_ = 0, diff_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_direct_weight_grad(const Problem& problem, Isa isa) {
    return std::make_unique<DirectWeightGrad>(problem, parse_conv2d(problem), isa, false);
}

std::unique_ptr<Step> make_direct_dots_weight_grad(const Problem& problem, Isa isa) {
    return std::make_unique<DirectWeightGrad>(problem, parse_conv2d(problem), isa, true);
}

std::string refuse_direct_dots_weight_grad(const Problem& problem) {
    const Conv2dProblem parsed = parse_conv2d(problem);
    if (!parsed.refusal.empty()) return parsed.refusal;
    if (parsed.geometry.groups != 1) return "expected one group, got " + std::to_string(parsed.geometry.groups);
    // Pairing a band for one tap takes as long as the dot products save.
    if (parsed.geometry.window.kernel == Extent2d(1) && parsed.geometry.window.padding == Padding2d{})
        return "1x1 kernels without padding are matrix products: those have dot products that are faster";
    return refuse_grad_dots(problem, parsed);
}

}  // namespace liven::kernels
