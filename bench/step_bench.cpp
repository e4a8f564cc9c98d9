// The steps of the models' plans as the planner fuses them, each by itself: the chosen kernel with what rides along
// before and after it (batch-norm, activation, statistics, residual). Beside the same lines in kernel_bench it shows
// what the riders cost. Names say the kernel, "+" its programs, and the operation inside.
#include <algorithm>
#include <memory>

#include "bench/support/session.hpp"
#include "bench/support/step_work.hpp"
#include "liven/graph/operation.hpp"
#include "src/cli/workload.hpp"
#include "src/plan/fused.hpp"

namespace {

using namespace liven;
using namespace liven::bench;

/// A step with its graph, which its programs and attributes live in.
struct PlanStep {
    std::shared_ptr<detail::FusedGraph> plan;
    const detail::Group* group = nullptr;
    std::unique_ptr<StepWork> step;
    void run() const { step->run(); }
};

std::shared_ptr<detail::FusedGraph> plan_of(const Shapes& model, Isa isa) {
    cli::ModelChoice choice;
    choice.name = model.model;
    cli::Workload work(choice, {.batch = model.batch});
    EngineOptions options = Engine::current().options();
    options.isa = isa;
    return std::make_shared<detail::FusedGraph>(detail::fuse(simplify(lower(differentiate(work.graph()))), options));
}

/// Large steps over floats: of the others the memory would hold no sensible values, or nothing to time.
bool is_worth_timing(const detail::Group& group) {
    if (!group.kernel || group.in_place) return false;
    const auto floats = [](const detail::GroupOperand& o) {
        return o.value.type().dtype == DType::f32 || o.shape.count() == 1;
    };
    const auto large = [](const detail::GroupOperand& o) { return o.shape.count() >= 16384; };
    return std::all_of(group.inputs.begin(), group.inputs.end(), floats) &&
           (std::any_of(group.inputs.begin(), group.inputs.end(), large) ||
            std::any_of(group.outputs.begin(), group.outputs.end(), large));
}

std::string name_of_step(const detail::Group& group) {
    std::string name(group.kernel->name);
    if (group.has_prologue[0] || group.has_prologue[1]) name += "+prologue";
    if (group.core && group.has_epilogue) name += "+epilogue";
    return name;
}

/// The step as a line: its operation over the shapes that the kernel sees.
ShapeLine line_of(const detail::Group& group) {
    std::string text = group.core ? describe(*group.core) : "pointwise";
    if (group.core) {
        for (const Value& input : group.core->inputs) text += " " + input.shape().str();
        text += " ->";
        for (const Node::Output& output : group.core->outputs) text += " " + output.type.shape.str();
    } else {
        for (const detail::GroupOperand& input : group.inputs) text += " " + input.shape.str();
        text += " -> " + group.domain.str();
    }
    return shape_line_from(text);
}

void add_step(Session& session, const Shapes& model, const std::shared_ptr<detail::FusedGraph>& plan,
              const detail::Group& group, int threads) {
    static std::vector<std::unique_ptr<ShapeLine>> lines;  // entries point to them until the end
    const ShapeLine& line = *lines.emplace_back(std::make_unique<ShapeLine>(line_of(group)));
    const std::string name = name_of_step(group);
    const Entry entry{.engine = "liven",
                      .kernel = name,
                      .model = model.model,
                      .line = &line,
                      .direct = name.find("winograd") == std::string::npos};
    session.add(entry, threads, group.kernel->isa, [plan, &group](Stopwatch& watch) {
        const auto job = std::make_shared<PlanStep>(
            PlanStep{plan, &group, std::make_unique<StepWork>(group.problem(false), *group.kernel, watch.team())});
        // Nominal FLOPs of what the step computes, riders included; bytes of what it reads and writes.
        return Session::Made{
            .work = {.flops = group.flops, .bytes = group.bytes, .prepare = {}, .run = [job] { job->run(); }},
            .refusal = {}};
    });
}

/// Called for every line of every model; the plan is made at a model's first. Lines by hand have none.
void add_line(Session& session, const Shapes& model, const ShapeLine& line, int threads) {
    if (&line != model.lines.data() || model.batch == 0) return;
    for (const Isa isa : available_isas()) {
        if (!session.has(isa)) continue;
        const auto plan = plan_of(model, isa);
        for (const detail::Group& group : plan->groups)
            if (is_worth_timing(group)) add_step(session, model, plan, group, threads);
    }
}

}  // namespace

int main(int argc, char** argv) { return run_lines("step_bench", argc, argv, add_line); }
