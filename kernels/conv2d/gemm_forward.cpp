// The 1x1 convolution as a matrix product, forward and input gradient: dst (pixels x columns) = src (pixels x depth)
// weights (depth x columns), the input gradient with the weights turned. Its rows lie a stride apart in the result, and
// what lies between is zero.
//
// loop nest      unit (sample, chunk of rows, part of the columns) > up to 256 columns > block of up to 512 of depth >
//                panel of vectors of columns > strip of pixels > isa/gemm.cpp
// caches         a unit's source pixels and results in L2, a panel of weights in L1 or L2, weights in L2 or L3
// bytes moved    source once a unit; packed weights once a unit (about 200 pixels); every result once. Weights as
//                large as L2, and larger than the map, go part by part instead: a part stays with the core that packed
//                it while all samples meet it
// dot products   a source in bf16, or one that a prologue makes and that is rounded then, is read as pairs of channels,
//                half the depth, against weights rounded to pairs: the same walk over elements of four bytes, with two
//                products in each
// expected       92-96 % of the FMA peak: packing large weights for few pixels takes 3 %, and at 64 of depth storing a
//                tile is no longer small beside it.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "kernels/conv2d/chunks.hpp"
#include "kernels/conv2d/gemm.hpp"
#include "kernels/conv2d/gemm_pixels.hpp"
#include "kernels/conv2d/pixel_pairs.hpp"
#include "kernels/gemm/nest.hpp"
#include "kernels/gemm/step.hpp"
#include "kernels/gemm/weight_pairs.hpp"
#include "kernels/maps/made_map.hpp"
#include "kernels/maps/row_sink.hpp"
#include "kernels/native_bf16.hpp"
#include "kernels/rounding.hpp"
#include "kernels/row_reach.hpp"

namespace liven::kernels {
namespace {

constexpr int64_t most_depth = 512;           // a panel of 512 x 64 floats is 128 KiB: read from L2 once for each strip
constexpr int64_t most_columns = 256;         // results that wait in L2 for the epilogue
constexpr int64_t wanted_units = 16;          // of the whole step
constexpr int64_t held_weights = 256 * 1024;  // floats of a part that stays near the core that packed it

/// How the work is cut: by shape alone.
struct ColumnCut {
    int64_t depth = 0, columns = 0;
    int64_t height = 0, width = 0;        ///< pixels of a sample's product
    RowChunks chunks;                     ///< of a sample's result
    int64_t parts = 1, part_columns = 0;  ///< of the columns, for units
    bool part_by_part = false;            ///< all samples meet a part of the weights before the next
    int64_t slice_columns = 0;            ///< of a part, taken together
    int64_t strip = 0, block_depth = 0;

    /// `products`: of one step of the depth.
    ColumnCut(const Conv2dProblem& parsed, int64_t products, const GemmKernels& kernels)
        : depth(parsed.map.shape[3] / products),
          columns(parsed.result[3]),
          height(parsed.geometry.dst_h),
          width(parsed.geometry.dst_w) {
        const int64_t samples = parsed.result[0], pixels = height * width;
        chunks.count = ceil_div(height, std::min(height, ceil_div(wanted_pixels(), width)));
        chunks.rows = ceil_div(height, chunks.count);
        chunks.count = ceil_div(height, chunks.rows);
        // Few units and much work in each: cut by columns as well.
        const int64_t panels = ceil_div(columns, kernels.columns);
        const double unit_flops = 2.0 * static_cast<double>(chunks.rows * width * columns) * static_cast<double>(depth);
        parts = std::min(ceil_div(wanted_units, samples * chunks.count), static_cast<int64_t>(unit_flops / 8e6));
        // Weights as large as L2, and larger than the map: all samples meet a part before the next, on one core.
        part_by_part = depth * columns > held_weights && columns > samples * pixels;
        if (part_by_part) parts = std::max({parts, int64_t{2}, depth * columns / held_weights});
        part_columns = ceil_div(panels, std::clamp<int64_t>(parts, 1, panels)) * kernels.columns;
        parts = ceil_div(columns, part_columns);
        part_by_part = part_by_part && parts > 1;
        slice_columns =
            ceil_div(ceil_div(part_columns, kernels.columns), ceil_div(part_columns, most_columns)) * kernels.columns;
        const int64_t unit_pixels = chunks.rows * width;
        strip = ceil_div(unit_pixels, ceil_div(unit_pixels, kernels.rows));
        block_depth = round_up(ceil_div(depth, ceil_div(depth, most_depth)), 8);
    }

    int64_t blocks() const { return ceil_div(depth, block_depth); }  ///< of the depth

    /// Enough work for a unit (35 us at full speed) and enough pixels to pay for reading the weights, yet no more than
    /// L2 holds with their results.
    int64_t wanted_pixels() const {
        constexpr int64_t cache_floats = 112 * 1024, least = 48, most = 256;
        const int64_t held = cache_floats / std::max(depth, std::min(columns, most_columns));
        return std::clamp(4'000'000 / (2 * depth * columns) + 1, least, std::clamp(held, least, most));
    }
};

/// A bf16 map in memory as one of pairs of channels.
MapSource in_pairs(MapSource map) {
    map.shape = {map.shape[0], map.shape[1], map.shape[2], map.shape[3] / 2};
    map.pixel_stride /= 2;
    return map;
}

/// The same problem over pairs of channels: a bf16 map as it lies in memory; one that a program makes stays as it is.
Conv2dProblem in_pairs(const Problem& problem, Conv2dProblem parsed) {
    if (problem.prologue[0]) return parsed;
    parsed.map.operand = 0;
    parsed.map.pixel_stride = problem.inputs[0].pixel_stride;
    parsed.map.program = nullptr;
    parsed.map = in_pairs(parsed.map);
    return parsed;
}

/// With flat tiles, for which pixels need not be copied: they lie a power of two apart more often than not.
GemmKernels kernels_of(Isa isa, bool dots) {
    GemmKernels kernels = gemm_kernels(isa);
    kernels.rows = kernels.flat_rows;
    kernels.columns = kernels.flat_columns;
    kernels.tile = dots ? kernels.flat_tile_dots : kernels.flat_tile;
    return kernels;
}

class GemmConvolution final : public Step {
public:
    GemmConvolution(const Problem& problem, const Conv2dProblem& parsed, Isa isa, bool dots)
        : result_(parsed.result),
          turned_(problem.op == "conv2d_input_grad"),
          dots_(dots),
          weights_operand_(parsed.weights),
          kernels_(kernels_of(isa, dots)),
          cut_(parsed, dots && parsed.map.program ? 2 : 1, kernels_),
          apart_(turned_ ? parsed.geometry.window.stride : Extent2d(1)),
          sink_(problem, result_, spreads() ? apart_.h : cut_.chunks.rows, result_[0] * cut_.chunks.count, isa,
                cut_.slice_columns) {
        panel_pitch_ = kernels_.columns * cut_.depth + gemm_gap;
        packed_bytes_ = whole_lines(static_cast<size_t>(panels() * panel_pitch_) * sizeof(float));
        sink_.place(packed_bytes_);
        workspace_bytes = packed_bytes_ + whole_lines(sink_.workspace_bytes());
        MapSource map = parsed.map;
        Extent2d stride = turned_ ? Extent2d(1) : parsed.geometry.window.stride;
        if (cut_.parts > 1) {  // every part would run the prologue, or copy what the stride meets, again
            const bool makes_pairs = dots && map.program;
            made_.keep(map, problem, isa, workspace_bytes, stride, makes_pairs);
            if (makes_pairs) map = in_pairs(map);
            stride = Extent2d(1);
        }
        pixels_.emplace(
            map, problem, isa,
            GemmPixels::Options{
                .stride = stride, .width = cut_.width, .rows = cut_.chunks.rows, .in_place = true, .in_pairs = dots});
        in_place_ = pixels_->scratch_bytes() == 0;
        visits_once = true;
        lay_out(map, stride);
    }

    void run(int stage, int64_t unit, const Buffers& buffers) const noexcept override {
        if (stage == 0)
            pack(unit, buffers);
        else if (stage <= made_.count())
            made_.run(stage - 1, unit, buffers);
        else if (stage == made_.count() + 1)
            multiply(unit, buffers);
        else
            sink_.finalize(unit, buffers);
    }

private:
    int64_t panels() const { return ceil_div(cut_.columns, kernels_.columns); }
    bool spreads() const { return apart_ != Extent2d(1); }

    void lay_out(const MapSource& map, Extent2d stride) {
        pixels_bytes_ = whole_lines(pixels_->scratch_bytes());
        if (spreads())
            product_bytes_ =
                whole_lines(static_cast<size_t>(cut_.chunks.rows * cut_.width * cut_.slice_columns) * sizeof(float));
        scratch_bytes = pixels_bytes_ + product_bytes_ + sink_.scratch_bytes();
        if (dots_ && turned_)  // a panel's weights on their way to be turned
            scratch_bytes = std::max(
                scratch_bytes, whole_lines(static_cast<size_t>(kernels_.columns * cut_.block_depth) * sizeof(float)));
        stages = {{.units = panels() * cut_.blocks(), .reads = weights_operand_}};
        made_.add_stages(*this);
        const int64_t height = map.shape[1];
        Stage stage{.units = result_[0] * cut_.chunks.count * cut_.parts,
                    .samples = cut_.part_by_part ? 1 : result_[0],
                    .completes_maps = true,
                    .in_row_order = cut_.parts == 1};
        if (cut_.parts == 1)
            stage.reach = row_reach(result_[1], cut_.chunks.rows * apart_.h, height, [&](int64_t y) {
                return std::min(height, (ceil_div(y, apart_.h) - 1) * stride.h + 1);
            });
        stages.push_back(stage);
        if (sink_.reduces()) stages.push_back({.units = sink_.finalize_units(), .samples = 1});
    }

    /// A panel of columns: those of one tile, a block of the depth.
    void pack(int64_t unit, const Buffers& buffers) const noexcept {
        const int64_t panel = unit / cut_.blocks(), k = unit % cut_.blocks() * cut_.block_depth;
        const int64_t depth = std::min(cut_.block_depth, cut_.depth - k);
        const int64_t first = panel * kernels_.columns, width = std::min(kernels_.columns, cut_.columns - first);
        const int64_t row = round_up(width, kernels_.lanes);
        const auto* weights = static_cast<const float*>(buffers.inputs[weights_operand_]);
        float* packed = reinterpret_cast<float*>(buffers.workspace) + panel * panel_pitch_ + k * row;
        const int64_t elements = dots_ ? 2 : 1;  // floats that become one
        weights += turned_ ? (first * cut_.depth + k) * elements : k * elements * cut_.columns + first;
        if (dots_)
            WeightPairs{.weights = weights,
                        .row = turned_ ? 2 * cut_.depth : cut_.columns,
                        .turned = turned_,
                        .depth = depth,
                        .width = width}
                .pack(kernels_, reinterpret_cast<float*>(buffers.scratch), packed, row);
        else if (turned_)
            kernels_.pack_turned(weights, cut_.depth, width, depth, packed, row);
        else
            kernels_.pack(weights, cut_.columns, depth, 1, width, packed, row, 0);
    }

    void multiply(int64_t unit, const Buffers& buffers) const noexcept {
        const int64_t slots = result_[0] * cut_.chunks.count;
        const int64_t part = cut_.part_by_part ? unit / slots : unit % cut_.parts;
        const int64_t slot = cut_.part_by_part ? unit % slots : unit / cut_.parts;
        const int64_t sample = slot / cut_.chunks.count, chunk = slot % cut_.chunks.count;
        const int64_t first = cut_.chunks.begin(chunk), rows = cut_.chunks.end(chunk, cut_.height) - first;
        const int64_t first_result = first * apart_.h, results = std::min(rows * apart_.h, result_[1] - first_result);
        const GemmBlock src = pixels_->take(buffers, buffers.scratch, {sample, first, rows});
        const int64_t end = std::min(cut_.columns, (part + 1) * cut_.part_columns);
        for (int64_t n = part * cut_.part_columns; n < end; n += cut_.slice_columns) {
            const ChannelSlice slice{.first = n, .count = std::min(cut_.slice_columns, end - n)};
            GemmFetches fetches;
            sink_.each_map(buffers, sample, first_result, results, slice,
                           [&](const char* data, int64_t count, int64_t bytes, int64_t pitch) {
                               fetches.add(data, count, bytes, pitch);
                           });
            RowSink::Rows dst(sink_, buffers, buffers.scratch + pixels_bytes_ + product_bytes_, sample, slot, slice);
            if (spreads()) {
                auto* product = reinterpret_cast<float*>(buffers.scratch + pixels_bytes_);
                multiply_slice(buffers, src, rows * cut_.width, slice, product, slice.count, fetches);
                for (int64_t y = first; y < first + rows; ++y, product += cut_.width * slice.count)
                    spread(product, y, slice.count, dst);
            } else {
                multiply_slice(buffers, src, rows * cut_.width, slice, dst.begin(first), sink_.pixel_stride(), fetches);
                dst.done(first, rows);
            }
        }
    }

    /// Row y of the product, with zeros between its pixels and up to the next row.
    void spread(const float* product, int64_t y, int64_t channels, RowSink::Rows& dst) const noexcept {
        const int64_t first = y * apart_.h, rows = std::min(apart_.h, result_[1] - first);
        float* to = dst.begin(first);
        for (int64_t row = 0; row < rows; ++row)
            for (int64_t x = 0; x < result_[2]; ++x, to += sink_.pixel_stride())
                if (row == 0 && x % apart_.w == 0)
                    std::copy_n(product + x / apart_.w * channels, channels, to);
                else
                    std::fill_n(to, channels, 0.0f);
        dst.done(first, rows);
    }

    // NOLINTNEXTLINE(readability-non-const-parameter): dst is written through the tile
    void multiply_slice(const Buffers& buffers, const GemmBlock& src, int64_t pixels, ChannelSlice slice, float* dst,
                        int64_t dst_row, GemmFetches& fetches) const noexcept {
        const float* panel =
            reinterpret_cast<const float*>(buffers.workspace) + slice.first / kernels_.columns * panel_pitch_;
        GemmNest nest{.tile = {.a_row = src.row, .c = dst, .c_row = dst_row},
                      .rows = pixels,
                      .columns = slice.count,
                      .strip = cut_.strip,
                      .row_step = src.row,
                      .panel_pitch = panel_pitch_,
                      .b_packed = true,
                      .fetches = &fetches};
        fetches.spread(nest.tiles(kernels_) * cut_.blocks());
        for (int64_t k = 0; k < cut_.depth; k += cut_.block_depth) {
            nest.tile.a = src.data + k;
            nest.tile.b = panel;
            nest.first_step = k;
            nest.a_is_new = in_place_ && slice.first == 0 && k == 0;  // all of a row comes at once
            nest.tile.depth = std::min(cut_.block_depth, cut_.depth - k);
            nest.run(kernels_);
            nest.tile.add = dst;
            nest.tile.add_row = nest.tile.c_row;
        }
    }

    Shape result_;
    bool turned_, dots_;
    int weights_operand_;
    GemmKernels kernels_;
    ColumnCut cut_;
    Extent2d apart_;  ///< pixels of the product, in the result
    RowSink sink_;
    MadeMaps made_;
    std::optional<GemmPixels> pixels_;
    bool in_place_ = false;
    int64_t panel_pitch_ = 0;
    size_t packed_bytes_ = 0, pixels_bytes_ = 0, product_bytes_ = 0;
};

/// The weight gradient of a strided convolution goes through an element of its kernel after the other, each of which
/// reads the maps: those behind a prologue are made beforehand, and large ones would be most of what a step needs.
std::string refuse_elements(const Conv2dProblem& parsed) {
    constexpr int64_t most_made = 8 << 20;
    for (const MapSource* map : {&parsed.map, &parsed.diff_dst})
        if (map->program && map->shape.count() > most_made)
            return "expected at most " + std::to_string(most_made) + " values behind a prologue, got " +
                   map->shape.str();
    return {};
}

}  // namespace

std::string refuse_gemm_conv2d(const Problem& problem) {
    const Conv2dProblem parsed = parse_conv2d(problem);
    if (!parsed.refusal.empty()) return parsed.refusal;
    const Conv2dGeometry& g = parsed.geometry;
    const Window2d& window = g.window;
    const bool strided = !(window.stride == Extent2d(1)) && std::min(g.src_c, g.dst_c) >= 64 && g.groups == 1;
    if (problem.op == "conv2d_weight_grad" && strided && window.kernel != Extent2d(1)) return refuse_elements(parsed);
    if (window.kernel != Extent2d(1) || window.padding != Padding2d{} || parsed.geometry.groups != 1)
        return "expected a 1x1 kernel, no padding and one group";
    return {};
}

std::string refuse_dots_conv2d(const Problem& problem) {
    if (std::string reason = refuse_gemm_conv2d(problem); !reason.empty()) return reason;
    const Conv2dProblem parsed = parse_conv2d(problem);
    if (!made_of_bf16(parsed.map, problem)) return "expected a map stored in bf16, got f32";
    if (std::string reason = refuse_bf16_dots(problem.strict_math); !reason.empty()) return reason;
    const bool apart = !problem.prologue[0] && problem.inputs[0].pixel_stride % 2 != 0;
    if (parsed.map.shape[3] % 2 != 0 || apart)
        return "expected pairs of channels, got " + std::to_string(parsed.map.shape[3]);
    return {};
}

std::unique_ptr<Step> make_gemm_conv2d(const Problem& problem, Isa isa) {
    return std::make_unique<GemmConvolution>(problem, parse_conv2d(problem), isa, false);
}

std::unique_ptr<Step> make_dots_conv2d(const Problem& problem, Isa isa) {
    return std::make_unique<GemmConvolution>(problem, in_pairs(problem, parse_conv2d(problem)), isa, true);
}

double cost_gemm_conv2d(const Problem& problem, Isa isa) {
    const GemmKernels& kernels = gemm_kernels(isa);
    const auto used = [](int64_t count, int64_t grain) {
        return static_cast<double>(count) / static_cast<double>(round_up(count, grain));
    };
    const Conv2dProblem parsed = parse_conv2d(problem);
    const bool weight_grad = problem.op == "conv2d_weight_grad";
    // A tile of one vector of columns waits for its loads; of the result only the weight gradient has so few.
    const double share =
        weight_grad ? 0.9 * used(parsed.geometry.dst_c, kernels.columns) : 0.97 * used(parsed.result[3], kernels.lanes);
    return parsed.geometry.flops() * 1e-12 / share;
}

}  // namespace liven::kernels
