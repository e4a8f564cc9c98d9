#include <algorithm>

#include "kernels/pointwise/compiled_program.hpp"
#include "kernels/rounding.hpp"
#include "kernels/row_reach.hpp"
#include "kernels/step.hpp"
#include "liven/core/error.hpp"

// The operation "pointwise": a program by itself, one pass over memory.

namespace liven::kernels {
namespace {

// Large enough that starting a unit costs nothing, small enough that all cores share one sample.
constexpr int64_t unit_values = 48 * 1024;

/// What the program walks: the problem's epilogue shape, else the first full output, else the first full input.
Shape domain_of(const Problem& problem) {
    const Program& program = *problem.epilogue;
    const auto shape_of = [](const std::vector<Operand>& side, int index) {
        if (index < 0 || static_cast<size_t>(index) >= side.size())
            throw Error("pointwise",
                        "the program names operand " + std::to_string(index) + " of " + std::to_string(side.size()));
        return side[static_cast<size_t>(index)].shape;
    };
    if (problem.epilogue_shape.rank() > 0) return problem.epilogue_shape;
    if (!program.outputs.empty()) return shape_of(problem.outputs, program.outputs.front().operand);
    for (const ProgramInput& input : program.inputs)
        if (input.access == Access::full) return shape_of(problem.inputs, input.operand);
    return {};
}

/// First axis, those between, last axis. Rank 1 is channels, rank 2 is samples of one pixel.
Walk walk_of(const Shape& shape) {
    Walk walk;
    const int rank = shape.rank();
    if (rank >= 1) walk.channels = shape[-1];
    if (rank >= 2) walk.samples = shape[0];
    for (int axis = 1; axis < rank - 1; ++axis) walk.pixels *= shape[axis];
    return walk;
}

/// Whether an access reads one value for each value of the walk.
bool reads_all(Access access, const Walk& walk) {
    switch (access) {
        case Access::full:
            return true;
        case Access::channel:
            return walk.samples * walk.pixels == 1;
        case Access::sample_channel:
            return walk.pixels == 1;
        case Access::pixel:
            return walk.channels == 1;
        case Access::scalar:
            break;
    }
    return false;
}

bool all_dense(const Problem& problem) {
    const auto dense = [](const Operand& operand) { return operand.dense(); };
    return std::all_of(problem.inputs.begin(), problem.inputs.end(), dense) &&
           std::all_of(problem.outputs.begin(), problem.outputs.end(), dense);
}

/// Whether the values can be walked as one channel: nothing depends on the channel but the values themselves.
bool flat(const Problem& problem, const Walk& walk) {
    const Program& program = *problem.epilogue;
    for (const ProgramInput& input : program.inputs)
        if (input.access != Access::scalar && !reads_all(input.access, walk)) return false;
    for (const Reduction& reduction : program.reductions)
        if (reduction.over != Reduction::Over::everything) return false;
    return all_dense(problem);
}

bool reduces_samples_apart(const Program& program) {
    return std::any_of(program.reductions.begin(), program.reductions.end(),
                       [](const Reduction& reduction) { return reduction.over == Reduction::Over::pixels; });
}

/// The program over the walk that suits it best.
struct Plan {
    Program program;
    Walk walk;
    bool by_sample = false;
};

Plan plan_of(const Problem& problem) {
    if (!problem.epilogue) throw Error("pointwise", "there is no program");
    const Shape domain = domain_of(problem);
    Plan plan{.program = *problem.epilogue, .walk = walk_of(domain), .by_sample = domain.rank() >= 3};
    for (const ProgramInput& input : plan.program.inputs)
        if (input.operand < 0) throw Error("pointwise", "a program by itself has no core to read");
    for (const ProgramOutput& output : plan.program.outputs)
        if (output.operand < 0) throw Error("pointwise", "a program by itself has no core to write");
    const auto read_full = [&] {
        for (ProgramInput& input : plan.program.inputs)
            if (reads_all(input.access, plan.walk)) input.access = Access::full;
    };
    if (flat(problem, plan.walk)) {
        read_full();
        plan.walk = {.samples = plan.walk.samples, .pixels = plan.walk.pixels * plan.walk.channels, .channels = 1};
        if (!plan.by_sample) plan.walk = {.samples = 1, .pixels = plan.walk.samples * plan.walk.pixels, .channels = 1};
    } else if (domain.rank() == 2 && !reduces_samples_apart(plan.program)) {
        read_full();
        plan.walk = {.samples = 1, .pixels = plan.walk.samples, .channels = plan.walk.channels};
    }
    return plan;
}

class PointwiseStep final : public Step {
public:
    PointwiseStep(const Plan& plan, const Problem& problem, Isa isa)
        : program_(plan.program, problem.inputs, problem.outputs, plan.walk, isa) {
        const ProgramView& view = program_.view();
        const int64_t parts = ceil_div(view.pixels * view.channels, unit_values);
        unit_pixels_ = ceil_div(view.pixels, std::min(parts, view.pixels));
        units_per_sample_ = ceil_div(view.pixels, unit_pixels_);
        const int64_t units = view.samples * units_per_sample_;
        stages = {
            Stage{.units = units,
                  .samples = plan.by_sample ? view.samples : 1,
                  .completes_maps = true,
                  .in_row_order = true,
                  .reach = row_reach(view.pixels, unit_pixels_, view.pixels, [](int64_t pixel) { return pixel; })}};
        scratch_bytes = program_.scratch_bytes();
        visits_once = true;
        if (!program_.reduces()) return;
        stages.push_back(Stage{.units = program_.finalize_units(), .samples = 1});
        workspace_bytes = static_cast<size_t>(units) * program_.partial_bytes();
    }

    void run(int stage, int64_t unit, const Buffers& buffers) const noexcept override {
        const ProgramView& view = program_.view();
        auto* partials = reinterpret_cast<double*>(buffers.workspace);
        if (stage == 1) return program_.finalize(unit, buffers, partials, stages[0].units);
        double* slot = nullptr;
        if (program_.reduces()) {
            slot = partials + unit * view.partial_doubles;
            view.clear(view, slot, 0, 0);
        }
        const int64_t sample = unit / units_per_sample_, first = unit % units_per_sample_ * unit_pixels_;
        auto* scratch = reinterpret_cast<float*>(buffers.scratch);
        view.prepare(view, buffers, sample, 0, 0, scratch);
        const Chunk chunk{
            .sample = sample, .first_pixel = first, .pixels = std::min(unit_pixels_, view.pixels - first)};
        view.run(view, buffers, chunk, scratch, slot);
    }

private:
    CompiledProgram program_;
    int64_t unit_pixels_ = 1, units_per_sample_ = 1;
};

template <Isa isa>
std::string refusal(const Problem& problem) {
    try {
        const Plan plan = plan_of(problem);
        const CompiledProgram program(plan.program, problem.inputs, problem.outputs, plan.walk, isa);
        return {};
    } catch (const Error& error) {
        return error.what();
    }
}

double seconds_per_peak(const Problem& problem) { return values_moved(problem) * 1e-12; }

std::unique_ptr<Step> make(const Problem& problem, Isa isa) {
    return std::make_unique<PointwiseStep>(plan_of(problem), problem, isa);
}

template <Isa isa>
KernelInfo info() {
    return {.op = "pointwise",
            .name = "pointwise_program_nhwc_f32",
            .isa = isa,
            .tile = "up to 1024 values",
            .takes = "any program over maps of one shape, with values by channel, by sample or alone",
            .refuse = refusal<isa>,
            .cost = seconds_per_peak,
            .make = make};
}

}  // namespace

void register_pointwise(std::vector<KernelInfo>& out) {
    out.push_back(info<Isa::baseline>());
    out.push_back(info<Isa::avx2>());
    out.push_back(info<Isa::avx512>());
}

}  // namespace liven::kernels
