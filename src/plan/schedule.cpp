#include "schedule.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include "liven/core/error.hpp"
#include "liven/graph/operation.hpp"
#include "segments.hpp"
#include "src/reference/table.hpp"

namespace liven::detail {
namespace {

/// The reference loops as a step: one unit, so one thread.
class ReferenceStep final : public kernels::Step {
public:
    explicit ReferenceStep(const Group& group)
        : core_(group.core), function_(reference::function<float>(group.core->operation->name())) {
        for (const GroupOperand& input : group.inputs) inputs_.push_back(input.shape);
        for (const GroupOperand& output : group.outputs) outputs_.push_back(output.shape);
    }
    void run(int, int64_t, const kernels::Buffers& buffers) const noexcept override {
        // concat takes any number of operands
        SmallVector<reference::Array<float>, 16> in;
        SmallVector<reference::Array<float>, 4> out;
        for (size_t i = 0; i < inputs_.size(); ++i) in.push_back({inputs_[i], const_cast<void*>(buffers.inputs[i])});
        for (size_t i = 0; i < outputs_.size(); ++i) out.push_back({outputs_[i], buffers.outputs[i]});
        function_(core_->attributes, {in.data(), in.size()}, {out.data(), out.size()});
    }

private:
    NodePtr core_;
    reference::Function<float> function_;
    std::vector<Shape> inputs_, outputs_;
};

/// A concatenation whose parts are in their places.
class JoinedStep final : public kernels::Step {
public:
    JoinedStep() { stages.clear(); }
    void run(int, int64_t, const kernels::Buffers&) const noexcept override {}
};

std::unique_ptr<kernels::Step> make_step(const Group& group, const EngineOptions& options) {
    if (group.in_place) return std::make_unique<JoinedStep>();
    if (group.kernel) return group.kernel->make(group.problem(options.strict_math), options.isa);
    return std::make_unique<ReferenceStep>(group);
}

/// A program reads each place before it writes it: a group may write over what only its program reads, if every place
/// is visited once. A matrix product visits its results once; other cores may compute rows again at the seams.
bool may_overwrite(const Group& group, const Value& old) {
    if (group.core && group.op() != "matmul") return false;
    for (size_t i = 0; i < group.inputs.size(); ++i) {
        if (key_of(group.inputs[i].value) != key_of(old)) continue;
        const auto reads = [i](const kernels::ProgramInput& input) { return input.operand == static_cast<int>(i); };
        const auto& inputs = group.epilogue.inputs;
        const auto read = std::find_if(inputs.begin(), inputs.end(), reads);
        if (read == inputs.end() || read->access != kernels::Access::full) return false;
    }
    return true;
}

/// Decides which assigned states are written in place and makes their writers wait for all other readers.
std::vector<bool> place_updates(const FusedGraph& fused, Flow& flow) {
    std::vector<bool> in_place;
    std::map<ValueKey, int> targets;
    for (const Graph::Root& root : fused.graph.roots) ++targets[key_of(storage_of(root.value))];
    for (const Graph::Root& root : fused.graph.roots) {
        const Value value = storage_of(root.value);
        const auto maker = flow.maker.find(key_of(value));
        bool allowed = root.assigns >= 0 && maker != flow.maker.end() && targets[key_of(value)] == 1;
        if (allowed) {
            const Value old{fused.graph.leaves[static_cast<size_t>(root.assigns)], 0};
            const size_t writer = maker->second;
            allowed = may_overwrite(fused.groups[writer], old);
            const auto& readers = flow.readers[key_of(old)];
            for (size_t reader : readers)
                allowed = allowed && (reader == writer || !flow.waits(fused.groups, reader, writer));
            for (const Graph::Root& other : fused.graph.roots)
                allowed = allowed && key_of(storage_of(other.value)) != key_of(old);
            if (allowed)
                for (size_t reader : readers)
                    if (reader != writer) flow.after[writer].push_back(reader);
        }
        in_place.push_back(allowed);
    }
    return in_place;
}

/// Producers first, and updates after the readers they must wait for; otherwise the given order.
std::vector<size_t> in_order(const std::vector<Group>& groups, const Flow& flow) {
    std::vector<int> state(groups.size(), 0);
    std::vector<size_t> order;
    const auto visit = [&](auto&& self, size_t i) -> void {
        if (state[i] != 0) return;
        state[i] = 1;
        for (const GroupOperand& input : groups[i].inputs)
            if (const auto found = flow.maker.find(key_of(input.value)); found != flow.maker.end())
                self(self, found->second);
        for (size_t earlier : flow.after[i]) self(self, earlier);
        order.push_back(i);
    };
    // Groups that write states come last, so that the update is the last segment of the plan.
    for (size_t i = 0; i < groups.size(); ++i)
        if (flow.after[i].empty()) visit(visit, i);
    for (size_t i = 0; i < groups.size(); ++i) visit(visit, i);
    return order;
}

/// The groups and their flow in another order.
Flow rearrange(std::vector<Group>& groups, const Flow& flow, const std::vector<size_t>& order) {
    std::vector<size_t> place(groups.size());
    std::vector<Group> sorted;
    for (size_t i : order) {
        place[i] = sorted.size();
        sorted.push_back(std::move(groups[i]));
    }
    groups = std::move(sorted);
    Flow rearranged(groups);
    for (size_t i = 0; i < place.size(); ++i) {
        std::vector<size_t>& after = rearranged.after[place[i]];
        after.clear();
        for (size_t earlier : flow.after[i]) after.push_back(place[earlier]);
    }
    return rearranged;
}

/// What follows from states alone: whole steps, and the packing of weights.
std::vector<std::vector<bool>> find_kept(const Schedule& schedule) {
    std::vector<std::vector<bool>> kept;
    std::map<ValueKey, bool> constant;
    for (const NodePtr& leaf : schedule.fused.graph.leaves) constant[key_of({leaf, 0})] = leaf->is_state;
    for (size_t i = 0; i < schedule.steps.size(); ++i) {
        const Group& group = schedule.fused.groups[i];
        const auto is_constant = [&](const GroupOperand& input) { return constant[key_of(input.value)]; };
        const bool all = std::all_of(group.inputs.begin(), group.inputs.end(), is_constant);
        for (const GroupOperand& output : group.outputs) constant[key_of(output.value)] = all;
        kept.emplace_back();
        for (const kernels::Step::Stage& stage : schedule.steps[i]->stages)
            kept.back().push_back(all ||
                                  (stage.reads >= 0 && is_constant(group.inputs[static_cast<size_t>(stage.reads)])));
    }
    return kept;
}

}  // namespace

bool Schedule::keeps(size_t step) const {
    return !kept.empty() && std::find(kept[step].begin(), kept[step].end(), true) != kept[step].end();
}

bool Schedule::keeps_all(size_t step) const {
    return keeps(step) && std::find(kept[step].begin(), kept[step].end(), false) == kept[step].end();
}

Schedule schedule(FusedGraph fused, const EngineOptions& options) {
    Schedule result;
    Flow flow(fused.groups);
    result.in_place = place_updates(fused, flow);
    flow = rearrange(fused.groups, flow, in_order(fused.groups, flow));
    result.fused = std::move(fused);
    for (const Group& group : result.fused.groups) result.steps.push_back(make_step(group, options));
    form_segments(result, flow);
    if (options.frozen_states) result.kept = find_kept(result);
    return result;
}

std::string Schedule::str() const {
    std::ostringstream out;
    for (size_t i = 0; i < segments.size(); ++i) {
        out << "segment " << i;
        if (segments[i].samples > 1) out << "   " << segments[i].samples << " samples";
        out << '\n';
        for (size_t s = 0; s < segments[i].stages.size(); ++s) {
            const ScheduledStage& place = segments[i].stages[s];
            const Group& group = fused.groups[place.step];
            const kernels::Step::Stage& stage = steps[place.step]->stages[static_cast<size_t>(place.stage)];
            out << "  step " << place.step << " stage " << place.stage << "   " << stage.units << " units   "
                << group.op() << "   " << group.kernel_name();
            for (const WalkLink& link : segments[i].links)
                if (link.stage == s)
                    out << "   " << (link.is_in_bands() ? "in bands" : "by samples") << " behind step "
                        << segments[i].stages[link.before].step;
            if (*group.scope) out << "   # " << group.place();
            out << '\n';
        }
        out << "  barrier\n";
    }
    return out.str();
}

}  // namespace liven::detail
