#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "kernels/maps/band.hpp"
#include "kernels/pointwise/compiled_program.hpp"
#include "kernels/rounding.hpp"
#include "kernels/row_reach.hpp"
#include "liven/core/window.hpp"

namespace liven::kernels {

/// A map made once, in a stage of its own, and kept in the workspace, for cores that would otherwise make every row
/// many times over: what a prologue makes, or a stride meets, or both. `rounded`: in bf16, which takes a program and a
/// CPU with AVX512_BF16.
class MadeMap {
public:
    MadeMap(const MapSource& source, const Problem& problem, Isa isa, size_t workspace_offset, Extent2d stride,
            bool rounded)
        : source_(source),
          stride_(stride),
          round_(rounded ? gemm_kernels(isa).round_bf16 : nullptr),
          shape_{source.shape[0], (source.shape[1] - 1) / stride.h + 1, (source.shape[2] - 1) / stride.w + 1,
                 source.shape[3]},
          offset_(workspace_offset) {
        const Shape& all = source.shape;
        if (!source.program) return;
        program_.emplace(*source.program, problem.inputs, problem.outputs,
                         Walk{.samples = all[0], .pixels = all[1] * all[2], .channels = all[3]}, isa);
        source_.program = nullptr;  // compiled; the program may be gone when the step runs
        if (stride_ != Extent2d(1) || round_)
            row_bytes_ = whole_lines(static_cast<size_t>(all[2] * all[3]) * sizeof(float));
    }

    /// The map as the following stages read it.
    MapSource result() const {
        return {.shape = shape_,
                .operand = -1,
                .pixel_stride = shape_[3],
                .program = nullptr,
                .workspace_offset = offset_,
                .rounded = round_ != nullptr};
    }
    size_t bytes() const { return static_cast<size_t>(shape_.count()) * (round_ ? sizeof(uint16_t) : sizeof(float)); }
    size_t scratch_bytes() const { return row_bytes_ + (program_ ? program_->scratch_bytes() : 0); }

    /// One unit a row, so one sample is shape[1] units.
    Step::Stage stage() const {
        return {.units = shape_[0] * shape_[1],
                .samples = shape_[0],
                .reach = row_reach(shape_[1], 1, source_.shape[1], [&](int64_t y) { return (y - 1) * stride_.h + 1; })};
    }

    void run(int64_t unit, const Buffers& buffers) const noexcept {
        const int64_t sample = unit / shape_[1], row = unit % shape_[1] * stride_.h, channels = shape_[3];
        if (round_) return run_rounded(unit, sample, row, buffers);
        float* made = reinterpret_cast<float*>(buffers.workspace + offset_) + unit * shape_[2] * channels;
        if (row_bytes_ == 0 && program_) {
            make(sample, row, buffers, made);
            return;
        }
        const float* from = reinterpret_cast<const float*>(buffers.scratch);
        int64_t pixel = channels;
        if (program_) {
            make(sample, row, buffers, reinterpret_cast<float*>(buffers.scratch));
        } else {
            pixel = source_.pixel_stride;
            from = static_cast<const float*>(buffers.inputs[source_.operand]) +
                   (sample * source_.shape[1] + row) * source_.shape[2] * pixel;
        }
        for (int64_t x = 0; x < shape_[2]; ++x, from += stride_.w * pixel, made += channels)
            std::copy_n(from, channels, made);
    }

private:
    void run_rounded(int64_t unit, int64_t sample, int64_t row, const Buffers& buffers) const noexcept {
        const int64_t channels = shape_[3], values = shape_[2] * channels;
        float* from = reinterpret_cast<float*>(buffers.scratch);
        auto* made = reinterpret_cast<uint16_t*>(buffers.workspace + offset_) + unit * values;
        make(sample, row, buffers, from);
        if (stride_.w == 1) return round_(from, values, made);
        for (int64_t x = 0; x < shape_[2]; ++x, from += stride_.w * channels, made += channels)
            round_(from, channels, made);
    }

    /// Runs the program for a row of the source.
    // NOLINTNEXTLINE(readability-non-const-parameter): to is written through the chunk
    void make(int64_t sample, int64_t row, const Buffers& buffers, float* to) const noexcept {
        const ProgramView& view = program_->view();
        float* scratch = reinterpret_cast<float*>(buffers.scratch + row_bytes_);
        view.prepare(view, buffers, sample, 0, view.channels, scratch);
        const Chunk chunk{.sample = sample,
                          .first_pixel = row * source_.shape[2],
                          .pixels = source_.shape[2],
                          .first_channel = 0,
                          .channels = 0,
                          .core = nullptr,
                          .core_stride = 0,
                          .sink = to,
                          .sink_stride = 0};
        view.run(view, buffers, chunk, scratch, nullptr);
    }

    MapSource source_;
    Extent2d stride_;
    void (*round_)(const float*, int64_t, uint16_t*);  ///< to bf16; null: as it is
    Shape shape_;                                      ///< of what is kept
    size_t offset_, row_bytes_ = 0;
    std::optional<CompiledProgram> program_;
};

/// The maps a step makes beforehand, in a stage each.
class MadeMaps {
public:
    /// Lets the step read what the source's program makes instead of running it, and of that only what a stride meets;
    /// nothing when there is neither. Takes room at the end of the step's workspace.
    void keep(MapSource& source, const Problem& problem, Isa isa, size_t& workspace_bytes,
              Extent2d stride = Extent2d(1), bool rounded = false) {
        if (!source.program && stride == Extent2d(1)) return;
        maps_.emplace_back(source, problem, isa, workspace_bytes, stride, rounded);
        source = maps_.back().result();
        workspace_bytes += whole_lines(maps_.back().bytes());
    }
    void add_stages(Step& step) const {
        for (const MadeMap& map : maps_) {
            step.stages.push_back(map.stage());
            step.scratch_bytes = std::max(step.scratch_bytes, map.scratch_bytes());
        }
    }
    int count() const { return static_cast<int>(maps_.size()); }
    void run(int map, int64_t unit, const Buffers& buffers) const noexcept {
        maps_[static_cast<size_t>(map)].run(unit, buffers);
    }

private:
    std::vector<MadeMap> maps_;
};

}  // namespace liven::kernels
