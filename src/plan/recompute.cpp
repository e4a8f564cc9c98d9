#include "recompute.hpp"

#include <map>
#include <optional>
#include <set>

#include "liven/core/bytes.hpp"
#include "liven/graph/operation.hpp"

namespace liven::detail {
namespace {

using kernels::Program;

// Below this a step waits for memory: cores do tens of FLOPs in the time of one byte from it.
constexpr double kCheapFlopsPerByte = 2;
// Small maps stay in cache, where reading them costs nothing.
constexpr double kSmallestMap = 1 << 20;

/// What a group reads from memory, each value once.
using Reads = std::map<ValueKey, double>;
Reads reads_of(const std::vector<GroupOperand>& inputs) {
    Reads reads;
    for (const GroupOperand& input : inputs)
        reads[key_of(input.value)] = static_cast<double>(input.value.type().bytes());
    return reads;
}

/// The inputs that the core and the programs that make its operands read; `place` tells where each went.
std::vector<GroupOperand> inputs_of_core(const Group& group, std::map<int, int>& place) {
    std::vector<GroupOperand> kept;
    const auto keep = [&](int operand) {
        if (place.emplace(operand, static_cast<int>(kept.size())).second)
            kept.push_back(group.inputs[static_cast<size_t>(operand)]);
    };
    int next = 0;
    for (size_t i = 0; i < group.core->inputs.size(); ++i)
        if (i >= 2 || !group.has_prologue[i]) keep(next++);
    for (int i = 0; i < 2; ++i)
        for (const kernels::ProgramInput& input : group.prologue[i].inputs) keep(input.operand);
    return kept;
}

/// The group's core and what makes its operands, without what is done to the result.
Group bare(const Group& group) {
    std::map<int, int> place;
    Group core;
    core.core = group.core;
    core.waits = group.waits;
    core.domain = group.domain;
    core.inputs = inputs_of_core(group, place);
    for (size_t i = 0; i < 2; ++i) {
        core.has_prologue[i] = group.has_prologue[i];
        core.prologue_shape[i] = group.prologue_shape[i];
        core.prologue[i] = group.prologue[i];
        for (kernels::ProgramInput& input : core.prologue[i].inputs) input.operand = place.at(input.operand);
    }
    return core;
}

/// The reader's program behind the maker's core: what it read from memory it takes from the core.
Group merged(const Group& maker, const Group& reader) {
    Group group = bare(maker);
    const ValueKey made = key_of({maker.core, 0});
    std::vector<int> place;
    for (const GroupOperand& input : reader.inputs) {
        place.push_back(key_of(input.value) == made ? -1 : static_cast<int>(group.inputs.size()));
        if (place.back() >= 0) group.inputs.push_back(input);
    }
    group.epilogue = reader.epilogue;
    for (kernels::ProgramInput& input : group.epilogue.inputs)
        input.operand = place[static_cast<size_t>(input.operand)];
    group.has_epilogue = true;
    group.outputs = reader.outputs;
    group.waits.insert(group.waits.end(), reader.waits.begin(), reader.waits.end());
    group.scope = reader.scope;
    group.is_gradient = reader.is_gradient;
    group.is_repeated = reader.is_repeated;
    group.notes = reader.notes;
    return group;
}

/// The group without one of its outputs; its program no longer makes a copy for it.
void drop_output(Group& group, size_t output) {
    group.outputs.erase(group.outputs.begin() + static_cast<ptrdiff_t>(output));
    const auto dropped = static_cast<int>(output);
    Program& program = group.epilogue;
    std::erase_if(program.outputs, [&](const kernels::ProgramOutput& o) { return o.operand == dropped; });
    const auto shift = [dropped](int& operand) { operand -= operand > dropped; };
    for (kernels::ProgramOutput& o : program.outputs) shift(o.operand);
    for (kernels::Reduction& r : program.reductions) {
        shift(r.operand);
        shift(r.operand2);
    }
    program.drop_unused_code();
}

class Recomputation {
public:
    Recomputation(FusedGraph& fused, const EngineOptions& options) : fused_(fused), options_(options) {
        for (size_t g = 0; g < groups().size(); ++g)
            for (const GroupOperand& input : groups()[g].inputs) readers_[key_of(input.value)].insert(g);
        for (const Graph::Root& root : fused.graph.roots) roots_.insert(key_of(storage_of(root.value)));
    }

    void run() {
        for (size_t g = 0; g < groups().size(); ++g)
            if (const auto output = stored_result(g)) consider(g, *output);
        std::erase_if(groups(), [](const Group& group) { return group.outputs.empty(); });
    }

private:
    std::vector<Group>& groups() { return fused_.groups; }

    /// Which output of a cheap step is its core's result, if it is stored for pointwise steps alone.
    std::optional<size_t> stored_result(size_t g) {
        const Group& group = groups()[g];
        if (!group.core || !group.kernel) return {};
        const Value result{group.core, 0};
        const auto bytes = static_cast<double>(result.type().bytes());
        if (bytes < kSmallestMap || cost_of(*group.core).flops > kCheapFlopsPerByte * bytes) return {};
        if (roots_.contains(key_of(result)) || readers_[key_of(result)].empty()) return {};
        for (size_t reader : readers_[key_of(result)])
            if (!reads_in_place(groups()[reader], result)) return {};
        for (size_t i = 0; i < group.outputs.size(); ++i)
            if (key_of(group.outputs[i].value) == key_of(result)) return i;
        return {};
    }

    /// Whether the group is a program that reads the value only where it writes.
    static bool reads_in_place(const Group& group, const Value& value) {
        if (group.core || !(group.domain == value.shape())) return false;
        for (const kernels::ProgramInput& input : group.epilogue.inputs) {
            const GroupOperand& operand = group.inputs[static_cast<size_t>(input.operand)];
            if (key_of(operand.value) == key_of(value) &&
                (input.access != kernels::Access::full || !(operand.shape == value.shape())))
                return false;
        }
        return true;
    }

    void consider(size_t maker, size_t output) {
        const Value result{groups()[maker].core, 0};
        const std::set<size_t> readers = readers_[key_of(result)];
        const Reads core = reads_of(bare(groups()[maker]).inputs);
        const auto map = static_cast<double>(result.type().bytes());
        double saved = map;
        std::map<size_t, Group> made;
        for (size_t reader : readers) {
            const Reads before = reads_of(groups()[reader].inputs);
            saved += map;
            for (const auto& [value, bytes] : core)
                if (!before.contains(value)) saved -= bytes;
            Group group = merged(groups()[maker], groups()[reader]);
            group.kernel = kernels::choose(group.problem(options_.strict_math), options_.isa).chosen;
            if (!group.kernel) return;
            made.emplace(reader, std::move(group));
        }
        if (saved <= 0) return;
        Group stripped = groups()[maker];
        if (stripped.outputs.size() > 1) {
            drop_output(stripped, output);
            if (!kernels::choose(stripped.problem(options_.strict_math), options_.isa).chosen) return;
        } else {
            stripped.outputs.clear();
        }
        replace(maker, std::move(stripped), made);
        fused_.recomputed.stored_bytes += map;
        fused_.recomputed.moved_bytes += saved;
    }

    void replace(size_t maker, Group stripped, std::map<size_t, Group>& made) {
        const Value result{stripped.core, 0};
        const std::string name(stripped.op());
        stripped.notes.push_back("its result of " + megabytes(static_cast<double>(result.type().bytes()), 1) +
                                 " is not stored: readers compute it again");
        for (auto& [reader, group] : made) {
            for (const GroupOperand& input : group.inputs) readers_[key_of(input.value)].insert(reader);
            group.flops = groups()[reader].flops + cost_of(*group.core).flops;
            group.bytes = 0;
            for (const auto& [value, bytes] : reads_of(group.inputs)) group.bytes += bytes;
            for (const GroupOperand& output : group.outputs)
                group.bytes += static_cast<double>(output.value.type().bytes());
            group.notes.push_back(name + " is computed again here rather than read");
            groups()[reader] = std::move(group);
        }
        stripped.bytes -= static_cast<double>(result.type().bytes());
        groups()[maker] = std::move(stripped);
    }

    FusedGraph& fused_;
    const EngineOptions& options_;
    std::map<ValueKey, std::set<size_t>> readers_;
    std::set<ValueKey> roots_;
};

}  // namespace

void recompute_cheap(FusedGraph& fused, const EngineOptions& options) { Recomputation(fused, options).run(); }

}  // namespace liven::detail
