#include "kernels/program.hpp"

#include <array>
#include <charconv>

namespace liven::kernels {
namespace {

struct OpcodeEntry {
    Opcode op;
    std::string_view name;
    int immediates;
};

constexpr std::array opcodes{
    OpcodeEntry{Opcode::copy, "copy", 0},
    OpcodeEntry{Opcode::neg, "neg", 0},
    OpcodeEntry{Opcode::exp, "exp", 0},
    OpcodeEntry{Opcode::log, "log", 0},
    OpcodeEntry{Opcode::sqrt, "sqrt", 0},
    OpcodeEntry{Opcode::rsqrt, "rsqrt", 0},
    OpcodeEntry{Opcode::reciprocal, "reciprocal", 0},
    OpcodeEntry{Opcode::abs, "abs", 0},
    OpcodeEntry{Opcode::square, "square", 0},
    OpcodeEntry{Opcode::sign, "sign", 0},
    OpcodeEntry{Opcode::relu, "relu", 0},
    OpcodeEntry{Opcode::leaky_relu, "leaky_relu", 1},
    OpcodeEntry{Opcode::tanh, "tanh", 0},
    OpcodeEntry{Opcode::sigmoid, "sigmoid", 0},
    OpcodeEntry{Opcode::softplus, "softplus", 0},
    OpcodeEntry{Opcode::gelu, "gelu", 0},
    OpcodeEntry{Opcode::gelu_grad, "gelu_grad", 0},
    OpcodeEntry{Opcode::erf, "erf", 0},
    OpcodeEntry{Opcode::quick_gelu, "quick_gelu", 0},
    OpcodeEntry{Opcode::clamp, "clamp", 2},
    OpcodeEntry{Opcode::pow_const, "pow_const", 1},
    OpcodeEntry{Opcode::scale_const, "scale_const", 1},
    OpcodeEntry{Opcode::add_const, "add_const", 1},
    OpcodeEntry{Opcode::widen, "widen", 0},
    OpcodeEntry{Opcode::positive, "positive", 0},
    OpcodeEntry{Opcode::is_finite, "is_finite", 0},
    OpcodeEntry{Opcode::add, "add", 0},
    OpcodeEntry{Opcode::sub, "sub", 0},
    OpcodeEntry{Opcode::mul, "mul", 0},
    OpcodeEntry{Opcode::div, "div", 0},
    OpcodeEntry{Opcode::maximum, "maximum", 0},
    OpcodeEntry{Opcode::minimum, "minimum", 0},
    OpcodeEntry{Opcode::pow, "pow", 0},
    OpcodeEntry{Opcode::greater, "greater", 0},
    OpcodeEntry{Opcode::equal, "equal", 0},
    OpcodeEntry{Opcode::leaky_step, "leaky_step", 1},
    OpcodeEntry{Opcode::mad, "mad", 0},
    OpcodeEntry{Opcode::select, "select", 0},
    OpcodeEntry{Opcode::dropout, "dropout", 2},
};

constexpr bool in_order() {
    for (size_t i = 0; i < opcodes.size(); ++i)
        if (static_cast<size_t>(opcodes[i].op) != i) return false;
    return opcodes.size() == static_cast<size_t>(Opcode::dropout) + 1;
}
static_assert(in_order(), "one entry an opcode, in the order of the enumeration");

const OpcodeEntry& entry_of(Opcode op) { return opcodes[static_cast<size_t>(op)]; }

std::string number(float value) {
    std::array<char, 32> text{};
    const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), result.ptr};
}

std::string name_of_register(int index) { return "%" + std::to_string(index); }

std::string_view name_of(Access access) {
    switch (access) {
        case Access::full:
            return "full";
        case Access::channel:
            return "channel";
        case Access::sample_channel:
            return "sample_channel";
        case Access::pixel:
            return "pixel";
        case Access::scalar:
            return "scalar";
    }
    return "?";
}

std::string name_of_operand(int operand, std::string_view side) {
    return operand < 0 ? "core" : std::string(side) + std::to_string(operand);
}

std::string str(const ProgramInput& input) {
    std::string text = name_of_operand(input.operand, "in");
    if (input.operand >= 0) text += "." + std::string(name_of(input.access));
    return text;
}

std::string str(const Instruction& code) {
    const OpcodeEntry& entry = entry_of(code.op);
    std::string text = std::string(entry.name) + "(" + name_of_register(code.a);
    if (operands_of(code.op) > 1) text += ", " + name_of_register(code.b);
    if (operands_of(code.op) > 2) text += ", " + name_of_register(code.c);
    if (entry.immediates > 0) text += ", " + number(code.imm0);
    if (entry.immediates > 1) text += ", " + number(code.imm1);
    if (code.op == Opcode::dropout) text += ", key " + std::to_string(code.key);
    return text + ")";
}

std::string str(const Reduction& reduction) {
    constexpr std::array<std::string_view, 3> over{"pixels_and_samples", "pixels", "everything"};
    const bool moments = reduction.kind == Reduction::Kind::moments;
    std::string text = name_of_operand(reduction.operand, "out");
    if (moments) text += ", " + name_of_operand(reduction.operand2, "out");
    return text + " = " + (moments ? "moments(" : "sum(") + name_of_register(reduction.source) + " over " +
           std::string(over[static_cast<size_t>(reduction.over)]) + ")";
}

}  // namespace

std::string_view name_of(Opcode op) { return static_cast<size_t>(op) < opcodes.size() ? entry_of(op).name : "?"; }

std::optional<Opcode> opcode_from(std::string_view name) {
    for (const OpcodeEntry& entry : opcodes)
        if (entry.name == name) return entry.op;
    return std::nullopt;
}

void Program::drop_unused_code() {
    std::vector<bool> used(static_cast<size_t>(registers), false);
    for (const ProgramOutput& output : outputs) used[output.source] = true;
    for (const Reduction& reduction : reductions) used[reduction.source] = true;
    for (size_t i = 0; i < inputs.size(); ++i) used[i] = true;
    for (auto code_at = code.rbegin(); code_at != code.rend(); ++code_at) {
        if (!used[code_at->dst]) continue;
        const uint8_t operands[] = {code_at->a, code_at->b, code_at->c};
        for (int i = 0; i < operands_of(code_at->op); ++i) used[operands[i]] = true;
    }
    std::erase_if(code, [&](const Instruction& instruction) { return !used[instruction.dst]; });
    std::vector<uint8_t> place(used.size(), 0);
    uint8_t next = 0;
    for (size_t i = 0; i < used.size(); ++i)
        if (used[i]) place[i] = next++;
    for (Instruction& instruction : code)
        for (uint8_t* reg : {&instruction.dst, &instruction.a, &instruction.b, &instruction.c}) *reg = place[*reg];
    for (ProgramOutput& output : outputs) output.source = place[output.source];
    for (Reduction& reduction : reductions) reduction.source = place[reduction.source];
    registers = next;
}

std::string Program::str() const {
    std::string text;
    const auto append = [&](const std::string& part) {
        if (!text.empty()) text += "; ";
        text += part;
    };
    for (size_t i = 0; i < inputs.size(); ++i)
        append(name_of_register(static_cast<int>(i)) + " = " + kernels::str(inputs[i]));
    for (const Instruction& instruction : code)
        append(name_of_register(instruction.dst) + " = " + kernels::str(instruction));
    for (const ProgramOutput& output : outputs)
        append(name_of_operand(output.operand, "out") + " = " + name_of_register(output.source));
    for (const Reduction& reduction : reductions) append(kernels::str(reduction));
    return text;
}

const Program& storing_program() {
    static const Program program = [] {
        Program stores;
        stores.inputs = {{.operand = -1}};
        stores.outputs = {{.source = 0, .operand = 0}};
        stores.registers = 1;
        return stores;
    }();
    return program;
}

}  // namespace liven::kernels
