#pragma once

#include <algorithm>
#include <vector>

#include "kernels/maps/band.hpp"
#include "kernels/pointwise/compiled_program.hpp"
#include "kernels/rounding.hpp"

namespace liven::kernels {

/// A map that a prologue makes once, in a stage of its own, and keeps in the workspace: for cores that would otherwise
/// make every row many times over.
class MadeMap {
public:
    MadeMap(const MapSource& source, const Problem& problem, Isa isa, size_t workspace_offset)
        : shape_(source.shape),
          offset_(workspace_offset),
          program_(*source.program, problem.inputs, problem.outputs,
                   Walk{.samples = shape_[0], .pixels = shape_[1] * shape_[2], .channels = shape_[3]}, isa) {}

    /// The map as the following stages read it.
    MapSource result() const {
        return {
            .shape = shape_, .operand = -1, .pixel_stride = shape_[3], .program = nullptr, .workspace_offset = offset_};
    }
    size_t bytes() const { return static_cast<size_t>(shape_.count()) * sizeof(float); }
    size_t scratch_bytes() const { return program_.scratch_bytes(); }

    /// One unit a row, so one sample is shape[1] units.
    Step::Stage stage() const { return {.units = shape_[0] * shape_[1], .samples = shape_[0], .reach = 0}; }

    void run(int64_t unit, const Buffers& buffers) const noexcept {
        const int64_t sample = unit / shape_[1], row = unit % shape_[1], row_floats = shape_[2] * shape_[3];
        const ProgramView& view = program_.view();
        float* scratch = reinterpret_cast<float*>(buffers.scratch);
        view.prepare(view, buffers, sample, 0, view.channels, scratch);
        const Chunk chunk{.sample = sample,
                          .first_pixel = row * shape_[2],
                          .pixels = shape_[2],
                          .first_channel = 0,
                          .channels = 0,
                          .core = nullptr,
                          .core_stride = 0,
                          .sink = reinterpret_cast<float*>(buffers.workspace + offset_) + unit * row_floats,
                          .sink_stride = 0};
        view.run(view, buffers, chunk, scratch, nullptr);
    }

private:
    Shape shape_;
    size_t offset_;
    CompiledProgram program_;
};

/// The maps a step makes beforehand, in a stage each.
class MadeMaps {
public:
    /// Lets the step read what the source's program makes instead of running it; nothing when there is none. Takes room
    /// at the end of the step's workspace.
    void keep(MapSource& source, const Problem& problem, Isa isa, size_t& workspace_bytes) {
        if (!source.program) return;
        maps_.emplace_back(source, problem, isa, workspace_bytes);
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
