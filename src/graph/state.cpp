#include "liven/graph/state.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/graph/engine.hpp"
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

bool has_pending_reader(const NodePtr& leaf) {
    for (const Node* node = Trace::current().first(); node; node = Trace::next(node))
        for (const Value& input : node->inputs)
            if (input.node == leaf) return true;
    return false;
}

}  // namespace

State::State(std::string_view name, const Tensor& initial) : name_(intern(name)) {
    const auto values = initial.data<float>();
    leaf_ = Tensor::from(values, initial.shape());
    leaf_.node()->is_state = true;
}

void State::assign(std::span<const float> values) {
    if (static_cast<int64_t>(values.size()) != shape().count())
        throw Error(name(), "expected " + std::to_string(shape().count()) + " numbers for " + shape().str() + ", got " +
                                std::to_string(values.size()));
    Buffer buffer(values.size_bytes());
    if (!values.empty()) std::memcpy(buffer.data(), values.data(), values.size_bytes());
    replace(std::move(buffer));
}

void State::assign(const Tensor& value) {
    if (!(value.shape() == shape()))
        throw Error(name(), "expected a value of " + shape().str() + ", got " + value.shape().str());
    assign(value.data<float>());
}

void State::replace(Buffer buffer) {
    if (has_pending_reader(leaf_.value().node)) commit();
    leaf_.node()->outputs[0].storage = std::move(buffer);
}

void update_on_commit(const Tensor& owner, const State& state, MovingAverage average) {
    owner.node()->effects.push_back({.state = state.tensor().value().node,
                                     .output = owner.value().output,
                                     .momentum = average.momentum,
                                     .scale = average.scale});
}

void commit(std::span<const Assignment> assignments, const Tensor& guard) {
    thread_local std::vector<Engine::Target> targets;
    targets.clear();
    for (const Assignment& assignment : assignments)
        targets.push_back({assignment.value, assignment.state.tensor().value().node});
    append_averages(targets, guard);
    thread_local std::vector<Value> keep;
    keep.clear();
    for (Node* node = Trace::current().first(); node; node = Trace::next(node))
        for (uint32_t i = 0; i < node->outputs.size(); ++i)
            if (Trace::held_all(node) || node->outputs[i].handles > 0) keep.push_back({NodePtr(node), i});
    Engine::current().run(keep, targets);
    for (const Value& value : keep) Trace::settle(value.node.get());
    targets.clear();
    keep.clear();
}

}  // namespace liven
