#include "fuse_programs.hpp"

#include <algorithm>

#include "after.hpp"
#include "liven/core/attributes.hpp"
#include "liven/graph/operation.hpp"

namespace liven::detail {
namespace {

using kernels::Access;
using kernels::Instruction;
using kernels::Opcode;
using kernels::Program;

/// One program in the making. Registers are numbered as they come and renumbered at the end: inputs first.
class ProgramBuilder {
public:
    ProgramBuilder(const Regions& regions, const Shape& domain, int region, const Node* core)
        : regions_(regions), domain_(domain), region_(region), core_(core) {}

    struct Read {
        GroupOperand operand;
        bool is_core = false;
        kernels::ProgramInput input = {};
        int id = 0;
    };

    /// The register that holds a value over the domain.
    int value(const Value& value) {
        const std::pair<const Node*, uint32_t> key{value.node.get(), value.output};
        for (const auto& [known, id] : known_)
            if (known == key) return id;
        const int id = compute(value);
        known_.emplace_back(key, id);
        return id;
    }

    int emit(Instruction instruction, const std::vector<int>& operands) {
        const int id = next_++;
        code_.push_back({instruction, operands, id});
        return id;
    }

    const std::vector<Read>& reads() const { return reads_; }
    const std::vector<Value>& waits() const { return waits_; }

    /// The finished program; `index` gives each read its place among the group's inputs.
    template <class Index>
    Program finish(Index&& index, const std::vector<std::pair<int, int>>& outputs,
                   const std::vector<std::pair<int, kernels::Reduction>>& reductions) {
        std::vector<int> place(static_cast<size_t>(next_), 0);
        Program program;
        for (Read& read : reads_) {
            place[static_cast<size_t>(read.id)] = static_cast<int>(program.inputs.size());
            read.input.operand = read.is_core ? -1 : index(read.operand);
            program.inputs.push_back(read.input);
        }
        int next = static_cast<int>(program.inputs.size());
        for (const Pending& pending : code_) place[static_cast<size_t>(pending.id)] = next++;
        const auto at = [&](int id) { return static_cast<uint8_t>(place[static_cast<size_t>(id)]); };
        for (const Pending& pending : code_) {
            Instruction instruction = pending.instruction;
            instruction.dst = at(pending.id);
            if (!pending.operands.empty()) instruction.a = at(pending.operands[0]);
            if (pending.operands.size() > 1) instruction.b = at(pending.operands[1]);
            if (pending.operands.size() > 2) instruction.c = at(pending.operands[2]);
            program.code.push_back(instruction);
        }
        for (const auto& [id, operand] : outputs) program.outputs.push_back({.source = at(id), .operand = operand});
        for (const auto& [id, reduction] : reductions) {
            program.reductions.push_back(reduction);
            program.reductions.back().source = at(id);
        }
        program.registers = next;
        return program;
    }

private:
    struct Pending {
        Instruction instruction;
        std::vector<int> operands;
        int id;
    };

    bool computed_here(const Value& value) const {
        const Node* node = value.node.get();
        if (regions_.role(node) == Role::constant) return regions_.home(node) == region_ && !core_;
        if (regions_.role(node) != Role::pointwise || !(value.shape() == domain_)) return false;
        return regions_.home(node) == region_ || !regions_.is_stored(node);
    }

    int compute(const Value& value) {
        const Node* node = value.node.get();
        if (node == core_ && value.output == 0) return read({.operand = {value, value.shape()}, .is_core = true});
        if (!computed_here(value)) return load(value);
        if (regions_.role(node) == Role::constant) return emit({.op = Opcode::copy}, {read(scalar(value))});
        std::vector<int> operands;
        for (const Value& input : node->inputs) operands.push_back(this->value(input));
        const auto& constants = node->as<PointwiseAttributes>();
        const bool has_constants = node->operation->fields != nullptr;
        return emit({.op = *kernels::opcode_from(node->operation->name()),
                     .imm0 = has_constants ? constants.imm0 : 0.0f,
                     .imm1 = has_constants ? constants.imm1 : 0.0f,
                     .key = has_constants ? constants.key : 0u},
                    operands);
    }

    static Read scalar(const Value& value) {
        return {.operand = {value, Shape{}}, .input = {.access = Access::scalar, .dtype = value.type().dtype}};
    }

    int load(const Value& value) {
        collect_waits(value, waits_);
        const Value stored = storage_of(value);
        if (regions_.role(stored.node.get()) == Role::constant && regions_.home(stored.node.get()) < 0)
            return read(scalar(stored));
        const Access access = access_of(value.shape(), domain_).value();
        return read({.operand = {stored, value.shape()}, .input = {.access = access, .dtype = value.type().dtype}});
    }

    int read(Read request) {
        request.id = next_++;
        reads_.push_back(request);
        return request.id;
    }

    const Regions& regions_;
    Shape domain_;
    int region_;
    const Node* core_;
    int next_ = 0;
    std::vector<Read> reads_;
    std::vector<Value> waits_;
    std::vector<Pending> code_;
    std::vector<std::pair<std::pair<const Node*, uint32_t>, int>> known_;
};

}  // namespace

GroupBuilder::GroupBuilder(const Regions& regions, size_t region) : regions_(regions), region_(region) {
    const Node* core = regions.core(region);
    if (core) group_.core = NodePtr(const_cast<Node*>(core));
    group_.domain = regions.domain(region);
    const Node* face = core ? core : regions.members(region).front();
    group_.scope = face->scope;
    group_.is_gradient = face->is_gradient;
    group_.is_repeated = face->is_repeated;
}

Group GroupBuilder::build() {
    if (group_.core) add_core_operands();
    if (!group_.core || !regions_.members(region_).empty()) add_epilogue();
    if (group_.core)
        for (size_t i = 0; i < 2 && i < group_.core->inputs.size(); ++i)
            if (regions_.takes_prologue(group_.core.get(), i)) add_prologue(i);
    if (group_.core && !group_.has_epilogue)
        for (uint32_t i = 0; i < group_.core->outputs.size(); ++i)
            output_index({group_.core, i}, group_.core->outputs[i].type.shape);
    return std::move(group_);
}

void GroupBuilder::add_core_operands() {
    for (size_t i = 0; i < group_.core->inputs.size(); ++i) {
        const Value& operand = group_.core->inputs[i];
        if (regions_.takes_prologue(group_.core.get(), i)) continue;
        collect_waits(operand, group_.waits);
        group_.inputs.push_back({storage_of(operand), operand.shape()});
    }
}

int GroupBuilder::input_index(const GroupOperand& operand) {
    // The core's own operands are found by position: only what programs read is shared.
    group_.inputs.push_back(operand);
    return static_cast<int>(group_.inputs.size()) - 1;
}

int GroupBuilder::output_index(const Value& value, const Shape& shape) {
    group_.outputs.push_back({value, shape});
    return static_cast<int>(group_.outputs.size()) - 1;
}

void GroupBuilder::wait_for(const std::vector<Value>& values) {
    group_.waits.insert(group_.waits.end(), values.begin(), values.end());
}

/// What the step stores and sums, and what that is made of: the rest is computed where it is read.
std::set<const Node*> GroupBuilder::needed_members() const {
    const std::vector<const Node*>& members = regions_.members(region_);
    std::set<const Node*> needed;
    for (size_t i = members.size(); i-- > 0;) {
        const bool is_result = regions_.role(members[i]) == Role::sum || regions_.is_stored(members[i]);
        if (!is_result && !needed.contains(members[i])) continue;
        needed.insert(members[i]);
        for (const Value& input : members[i]->inputs) needed.insert(input.node.get());
    }
    return needed;
}

void GroupBuilder::add_epilogue() {
    ProgramBuilder program(regions_, group_.domain, static_cast<int>(region_), group_.core.get());
    std::vector<std::pair<int, int>> outputs;
    std::vector<std::pair<int, kernels::Reduction>> reductions;
    if (group_.core && regions_.is_stored(group_.core.get())) {
        const Value result{group_.core, 0};
        const int copy = program.emit({.op = Opcode::copy}, {program.value(result)});
        outputs.emplace_back(copy, output_index(result, result.shape()));
    }
    const std::set<const Node*> needed = needed_members();
    for (const Node* node : regions_.members(region_)) {
        if (!needed.contains(node)) continue;
        const NodePtr owner(const_cast<Node*>(node));
        if (regions_.role(node) == Role::sum) {
            kernels::Reduction reduction = reduction_of(*node).value();
            reduction.operand = output_index({owner, 0}, node->outputs[0].type.shape);
            if (node->outputs.size() > 1) reduction.operand2 = output_index({owner, 1}, node->outputs[1].type.shape);
            reductions.emplace_back(program.value(node->inputs[0]), reduction);
            continue;
        }
        const int id = program.value({owner, 0});
        if (regions_.is_stored(node)) outputs.emplace_back(id, output_index({owner, 0}, node->outputs[0].type.shape));
    }
    group_.epilogue =
        program.finish([&](const GroupOperand& operand) { return input_index(operand); }, outputs, reductions);
    wait_for(program.waits());
    group_.has_epilogue = true;
}

void GroupBuilder::add_prologue(size_t operand) {
    const Value& made = group_.core->inputs[operand];
    ProgramBuilder program(regions_, made.shape(), -2, nullptr);
    const int id = program.value(made);
    group_.prologue[operand] =
        program.finish([&](const GroupOperand& read) { return input_index(read); }, {{id, -1}}, {});
    wait_for(program.waits());
    group_.has_prologue[operand] = true;
    group_.prologue_shape[operand] = made.shape();
}

}  // namespace liven::detail
