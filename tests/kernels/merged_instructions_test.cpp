#include "kernels/merged_instructions.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "liven/core/isa.hpp"
#include "tests/kernels/programs.hpp"

using namespace liven;
using namespace liven::kernels;
using liven::testing::TestTensor;

namespace {

struct Pattern {
    std::string name;
    std::vector<Instruction> code;  ///< over four full inputs, registers 0 to 3; the last one's result counts
    Merged merged;
};

std::vector<Pattern> patterns() {
    using enum Opcode;
    return {
        {"normalize",
         {{.op = sub, .dst = 4, .a = 0, .b = 1}, {.op = mad, .dst = 5, .a = 4, .b = 2, .c = 3}},
         Merged::normalize},
        {"add scaled",
         {{.op = scale_const, .dst = 4, .a = 0, .imm0 = 0.9f},
          {.op = scale_const, .dst = 5, .a = 1, .imm0 = 0.1f},
          {.op = add, .dst = 6, .a = 4, .b = 5}},
         Merged::add_scaled},
        {"add scaled square",
         {{.op = scale_const, .dst = 4, .a = 0, .imm0 = 0.999f},
          {.op = square, .dst = 5, .a = 1},
          {.op = scale_const, .dst = 6, .a = 5, .imm0 = 0.001f},
          {.op = add, .dst = 7, .a = 4, .b = 6}},
         Merged::add_scaled_square},
        {"shifted root",
         {{.op = sqrt, .dst = 4, .a = 0},
          {.op = mul, .dst = 5, .a = 4, .b = 1},
          {.op = add_const, .dst = 6, .a = 5, .imm0 = 1e-7f}},
         Merged::shifted_root},
        {"minus quotient",
         {{.op = div, .dst = 4, .a = 1, .b = 2}, {.op = sub, .dst = 5, .a = 0, .b = 4}},
         Merged::minus_quotient},
    };
}

/// A program that writes the last register, or all of them: then nothing can be merged.
Program program_with(const Pattern& pattern, bool all) {
    Program program;
    for (int i = 0; i < 4; ++i) program.inputs.push_back({.operand = i});
    program.code = pattern.code;
    program.registers = 4 + static_cast<int>(pattern.code.size());
    for (size_t i = all ? 0 : pattern.code.size() - 1; i < pattern.code.size(); ++i)
        program.outputs.push_back({.source = pattern.code[i].dst, .operand = static_cast<int>(program.outputs.size())});
    return program;
}

std::vector<float> last_result(const Program& program, const std::vector<TestTensor>& in, Isa isa) {
    std::vector<const TestTensor*> inputs;
    for (const TestTensor& tensor : in) inputs.push_back(&tensor);
    std::vector<TestTensor> out(program.outputs.size(), testing::empty_tensor(in[0].shape));
    std::vector<TestTensor*> outputs;
    for (TestTensor& tensor : out) outputs.push_back(&tensor);
    testing::run_step(*testing::make_step(testing::problem_of(program, inputs, outputs), isa), inputs, outputs);
    return out.back().values;
}

std::vector<ViewInstruction> view_of(const std::vector<Instruction>& code) {
    std::vector<ViewInstruction> view;
    for (const Instruction& i : code)
        view.push_back({.op = i.op,
                        .dst = i.dst,
                        .a = i.a,
                        .b = operands_of(i.op) > 1 ? i.b : i.a,
                        .c = operands_of(i.op) > 2 ? i.c : i.a,
                        .imm0 = i.imm0,
                        .imm1 = i.imm1,
                        .key = i.key});
    return view;
}

}  // namespace

TEST_CASE("Each pattern becomes one instruction, unless somebody else reads what it hides") {
    for (const Pattern& pattern : patterns()) {
        INFO(pattern.name);
        std::vector<ViewInstruction> code = view_of(pattern.code);
        const uint16_t result = code.back().dst;
        merge_instructions(code, {&result, 1});
        REQUIRE(code.size() == 1);
        CHECK(code[0].merged == pattern.merged);
        CHECK(code[0].dst == result);
        for (size_t hidden = 0; hidden + 1 < pattern.code.size(); ++hidden) {
            std::vector<ViewInstruction> whole = view_of(pattern.code);
            const uint16_t kept[] = {whole[hidden].dst, result};
            merge_instructions(whole, kept);
            CHECK(whole.size() > 1);
        }
    }
}

TEST_CASE("Merged instructions give the bits of those they stand for") {
    const auto shape = GENERATE(Shape{1}, Shape{3, 5, 7}, Shape{2, 9, 11, 16}, Shape{4099});
    std::vector<TestTensor> in;
    for (uint64_t seed = 1; seed <= 4; ++seed) {
        in.push_back(testing::random_tensor(shape, seed));
        for (float& value : in.back().values) value += 1.5f;  // roots and quotients stay tame
    }
    for (const Isa isa : available_isas())
        for (const Pattern& pattern : patterns()) {
            INFO(pattern.name << " over " << shape << " on " << name_of(isa));
            CHECK(testing::same_bits(last_result(program_with(pattern, false), in, isa),
                                     last_result(program_with(pattern, true), in, isa)));
        }
}
