#include "liven/graph/plan.hpp"

#include <array>
#include <string>

#include "arena_limit.hpp"
#include "executor.hpp"
#include "liven/core/error.hpp"
#include "liven/core/small_vector.hpp"
#include "reference_plan.hpp"

namespace liven {
namespace {

constexpr std::array<std::string_view, 8> kStages{"trace",         "differentiate", "lower",    "simplify",
                                                  "rematerialize", "fuse",          "schedule", "allocate"};

std::unique_ptr<Plan> through_all_passes(const Graph& traced, const EngineOptions& options) {
    const Graph lowered = lower(differentiate(traced));
    if (options.executor == ExecutorKind::reference) return detail::make_reference_plan(lowered, options);
    const Graph fitting = detail::within_arena_limit(simplify(lowered), options);
    return detail::make_planned(detail::allocate(detail::schedule(detail::fuse(fitting, options), options)), options);
}

}  // namespace

std::unique_ptr<Plan> make_plan(const Graph& traced, const EngineOptions& options) {
    auto plan = through_all_passes(traced, options);
    pool_trim();  // the nodes of every graph that was tried; a step records one
    return plan;
}

PlanStage plan_stage_from(std::string_view name) {
    for (size_t i = 0; i < kStages.size(); ++i)
        if (kStages[i] == name) return static_cast<PlanStage>(i);
    std::string choices;
    for (std::string_view stage : kStages) choices += (choices.empty() ? "" : ", ") + std::string(stage);
    throw Error("--after", "expected one of " + choices + ", got '" + std::string(name) + "'");
}

std::string explain(const Graph& traced, const EngineOptions& options, const ExplainOptions& what) {
    const auto shown = [&](const auto& graph) { return what.graphviz ? graph.graphviz() : graph.str(); };
    if (what.after == PlanStage::trace) return shown(traced);
    const Graph differentiated = differentiate(traced);
    if (what.after == PlanStage::differentiate) return shown(differentiated);
    const Graph lowered = lower(differentiated);
    if (what.after == PlanStage::lower) return shown(lowered);
    const Graph simple = simplify(lowered);
    if (what.after == PlanStage::simplify) return shown(simple);
    const Graph fitting = detail::within_arena_limit(simple, options);
    if (what.after == PlanStage::rematerialize) return shown(fitting);
    detail::FusedGraph fused = detail::fuse(fitting, options);
    if (what.after == PlanStage::fuse || what.graphviz) return shown(fused);
    detail::Schedule schedule = detail::schedule(std::move(fused), options);
    if (what.after == PlanStage::schedule) return schedule.str();
    return detail::allocate(std::move(schedule)).str();
}

}  // namespace liven
