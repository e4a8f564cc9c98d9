#include "hand_over.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace liven::detail {
namespace {

/// Operands of the core itself come first, but for those that a prologue makes.
size_t core_operands(const Group& group) {
    if (!group.core) return 0;
    return group.core->inputs.size() - (group.has_prologue[0] ? 1 : 0) - (group.has_prologue[1] ? 1 : 0);
}

bool reads(const kernels::Program& program, size_t input) {
    return std::any_of(program.inputs.begin(), program.inputs.end(),
                       [&](const kernels::ProgramInput& read) { return read.operand == static_cast<int>(input); });
}

/// Whether the epilogue reads the operand where it writes, and nothing else reads it.
bool read_in_passing(const Group& group, size_t input) {
    if (input < core_operands(group) || reads(group.prologue[0], input) || reads(group.prologue[1], input))
        return false;
    return std::all_of(group.epilogue.inputs.begin(), group.epilogue.inputs.end(),
                       [&](const kernels::ProgramInput& read) {
                           return read.operand != static_cast<int>(input) || read.access == kernels::Access::full;
                       });
}

bool is_whole(const GroupOperand& operand) { return operand.dense() && !operand.home; }

class HandOvers {
public:
    explicit HandOvers(const Schedule& schedule) : schedule_(schedule), writes_(first_writes(schedule)) {
        for (const Graph::Root& root : schedule_.fused.graph.roots) roots_.insert(key_of(storage_of(root.value)));
        for (size_t i = 0; i < groups().size(); ++i) {
            for (const GroupOperand& input : groups()[i].inputs) users_[key_of(input.storage())].push_back(i);
            for (const GroupOperand& output : groups()[i].outputs) {
                users_[key_of(output.storage())].push_back(i);
                makers_[key_of(output.storage())].push_back(i);
            }
        }
    }

    std::vector<HandOver> run() const {
        std::vector<HandOver> found;
        for (size_t i = 0; i < groups().size(); ++i) {
            if (!schedule_.steps[i]->visits_once || !groups()[i].has_epilogue || schedule_.keeps_all(i)) continue;
            for (size_t output = 0; output < groups()[i].outputs.size(); ++output)
                if (const auto input = input_for(i, output)) {
                    found.push_back({.step = i, .input = *input, .output = output});
                    break;
                }
        }
        return found;
    }

private:
    const std::vector<Group>& groups() const { return schedule_.fused.groups; }

    std::optional<size_t> input_for(size_t step, size_t output) const {
        const Group& group = groups()[step];
        const GroupOperand& result = group.outputs[output];
        if (group.is_reduction(output) || !is_whole(result) || !in_arena(result)) return {};
        if (makers_.at(key_of(result.value)).size() != 1) return {};
        for (size_t input = 0; input < group.inputs.size(); ++input) {
            const GroupOperand& operand = group.inputs[input];
            if (is_whole(operand) && operand.shape == result.shape && operand.dtype() == result.dtype() &&
                in_arena(operand) && read_in_passing(group, input) && ends_with(operand, step))
                return input;
        }
        return {};
    }

    /// Results of the plan lie elsewhere or are copied at its end; leaves and constants are not made by a step.
    bool in_arena(const GroupOperand& operand) const {
        const ValueKey key = key_of(operand.storage());
        return makers_.contains(key) && !roots_.contains(key);
    }

    /// Whether the step is the last to use the operand, once, and all others are done before it writes.
    bool ends_with(const GroupOperand& operand, size_t step) const {
        const std::vector<size_t>& users = users_.at(key_of(operand.storage()));
        if (std::count(users.begin(), users.end(), step) != 1) return false;
        return std::all_of(users.begin(), users.end(), [&](size_t user) {
            // What only the first run makes is there for all later ones.
            return user == step || (schedule_.span[user].second < writes_[step] && !schedule_.keeps_all(user));
        });
    }

    const Schedule& schedule_;
    const std::vector<size_t> writes_;
    std::set<ValueKey> roots_;
    std::map<ValueKey, std::vector<size_t>> users_, makers_;
};

}  // namespace

std::vector<HandOver> find_hand_overs(const Schedule& schedule) { return HandOvers(schedule).run(); }

std::vector<size_t> first_writes(const Schedule& schedule) {
    std::vector<size_t> first;
    for (const auto& [begin, end] : schedule.span) first.push_back(end);
    for (size_t s = schedule.segments.size(); s-- > 0;)
        for (const ScheduledStage& at : schedule.segments[s].stages)
            if (schedule.steps[at.step]->stages[static_cast<size_t>(at.stage)].reads < 0) first[at.step] = s;
    return first;
}

}  // namespace liven::detail
