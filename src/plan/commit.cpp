#include <algorithm>
#include <vector>

#include "liven/core/log.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/operation.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/arithmetic.hpp"

namespace liven {
namespace {

/// New values of the states that moving averages of committed nodes write, oldest node first.
void append_averages(std::vector<Engine::Target>& targets, const Tensor& guard) {
    thread_local std::vector<Value> roots;
    thread_local std::vector<Node*> order;
    thread_local std::vector<const Node*> owners;
    roots.clear();
    owners.clear();
    for (const Engine::Target& target : targets) roots.push_back(target.value);
    for (Node* node = Trace::current().first(); node; node = Trace::next(node))
        if (node->is_held())
            for (uint32_t i = 0; i < node->outputs.size(); ++i) roots.push_back({NodePtr(node), i});
    visit_order(roots.data(), roots.data() + roots.size(), order);
    roots.clear();
    for (const Node* node : order)
        if (!node->effects.empty()) owners.push_back(node);
    std::sort(owners.begin(), owners.end(), [](const Node* a, const Node* b) { return a->serial < b->serial; });
    const size_t first = targets.size();
    for (const Node* owner : owners)
        for (const Node::Effect& effect : owner->effects) {
            const auto same = std::find_if(targets.begin() + static_cast<ptrdiff_t>(first), targets.end(),
                                           [&](const Engine::Target& target) { return target.state == effect.state; });
            const Tensor before(same == targets.end() ? Value{effect.state, 0} : same->value);
            const Tensor observed(Value{NodePtr(const_cast<Node*>(owner)), effect.output});
            const Tensor after =
                apply(ops::ExponentialAverage{.momentum = effect.momentum, .scale = effect.scale}, {before, observed});
            if (same == targets.end())
                targets.push_back({after.value(), effect.state});
            else
                same->value = after.value();
        }
    if (!guard.defined()) return;
    for (size_t i = first; i < targets.size(); ++i)
        targets[i].value = select(guard, Tensor(targets[i].value), Tensor(Value{targets[i].state, 0})).value();
}

/// Names what handles keep: each costs memory and fusion in every step.
void log_kept(std::span<const Value> keep) {
    for (const Value& value : keep)
        if (value.shape().count() > 1)
            log_detail("commit: somebody holds " + describe(*value.node) + " " + value.shape().str() +
                       (*value.node->scope ? " of " + std::string(value.node->scope) : std::string()) +
                       ": it is stored in every step");
}

void collect_targets(std::vector<Engine::Target>& targets, std::span<const Assignment> assignments,
                     const Tensor& guard) {
    targets.clear();
    for (const Assignment& assignment : assignments)
        targets.push_back({assignment.value, assignment.state.tensor().value().node});
    append_averages(targets, guard);
}

}  // namespace

Graph trace_commit(std::span<const Assignment> assignments, const Tensor& guard, std::span<const Value> keep) {
    std::vector<Engine::Target> targets;
    collect_targets(targets, assignments, guard);
    return Engine::current().graph_of(keep, targets);
}

void commit(std::span<const Assignment> assignments, const Tensor& guard) {
    thread_local std::vector<Engine::Target> targets;
    collect_targets(targets, assignments, guard);
    thread_local std::vector<Value> keep;
    keep.clear();
    for (Node* node = Trace::current().first(); node; node = Trace::next(node))
        for (uint32_t i = 0; i < node->outputs.size(); ++i)
            if (Trace::held_all(node) || node->outputs[i].handles > 0) keep.push_back({NodePtr(node), i});
    Engine& engine = Engine::current();
    const int64_t plans = engine.statistics().plans_made;
    engine.run(keep, targets);
    if (engine.statistics().plans_made != plans && log_shows(LogLevel::detail)) log_kept(keep);
    for (const Value& value : keep) Trace::settle(value.node.get());
    targets.clear();
    keep.clear();
    if (guard.defined() && guard.item() == 0.0f) engine.count_skipped_step();
}

}  // namespace liven
