#include "kernels/pointwise/chains.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "liven/core/isa.hpp"
#include "tests/kernels/programs.hpp"

// A chain of instructions passes its values on in registers, an instruction by itself reads and writes memory. Both use
// the same formulas, so a program must give the bits of its instructions run one by one.

using namespace liven;
using namespace liven::kernels;
using liven::testing::TestTensor;

namespace {

constexpr int kFull = 3, kChannel = 2, kInputs = kFull + kChannel + 1;

/// Random instructions over three maps, two vectors by channel and a scalar; the last one's result is the output.
Program random_program(Random& random) {
    static constexpr Opcode ops[] = {Opcode::neg,        Opcode::abs,         Opcode::square,    Opcode::relu,
                                     Opcode::leaky_relu, Opcode::scale_const, Opcode::add_const, Opcode::positive,
                                     Opcode::add,        Opcode::sub,         Opcode::mul,       Opcode::maximum,
                                     Opcode::minimum,    Opcode::greater,     Opcode::equal,     Opcode::leaky_step,
                                     Opcode::mad,        Opcode::select,      Opcode::clamp,     Opcode::tanh,
                                     Opcode::copy,       Opcode::is_finite,   Opcode::sign,      Opcode::div};
    Program program;
    for (int i = 0; i < kInputs; ++i) {
        const Access by = i < kFull ? Access::full : i < kFull + kChannel ? Access::channel : Access::scalar;
        program.inputs.push_back({.operand = i, .access = by});
    }
    const auto count = static_cast<int>(1 + random.below(20));
    for (int i = 0; i < count; ++i) {
        // Mostly the newest value, as in real programs; sometimes twice.
        const auto pick = [&]() -> uint8_t {
            const auto made = static_cast<uint64_t>(kInputs + i);
            return static_cast<uint8_t>(random.below(2) == 0 && i > 0 ? made - 1 : random.below(made));
        };
        program.code.push_back({.op = ops[random.below(std::size(ops))],
                                .dst = static_cast<uint8_t>(kInputs + i),
                                .a = pick(),
                                .b = pick(),
                                .c = pick(),
                                .imm0 = -0.5f,
                                .imm1 = 0.75f});
    }
    program.registers = kInputs + count;
    program.outputs = {{.source = static_cast<uint8_t>(program.registers - 1), .operand = 0}};
    return program;
}

/// The same program with every register written out: then no value is only passed on.
Program with_all_stored(Program program) {
    program.outputs.clear();
    for (int reg = kInputs; reg < program.registers; ++reg)
        program.outputs.push_back({.source = static_cast<uint8_t>(reg), .operand = reg - kInputs});
    return program;
}

std::vector<TestTensor> random_inputs(const Shape& shape) {
    std::vector<TestTensor> in;
    for (int i = 0; i < kInputs; ++i) {
        const Shape each = i < kFull ? shape : i < kFull + kChannel ? Shape{shape[-1]} : Shape{1};
        in.push_back(testing::random_tensor(each, static_cast<uint64_t>(i + 1)));
    }
    return in;
}

/// What the program's last output is.
std::vector<float> last_result(const Program& program, const std::vector<TestTensor>& in, Isa isa) {
    std::vector<const TestTensor*> inputs;
    for (const TestTensor& tensor : in) inputs.push_back(&tensor);
    std::vector<TestTensor> out(program.outputs.size(), testing::empty_tensor(in[0].shape));
    std::vector<TestTensor*> outputs;
    for (TestTensor& tensor : out) outputs.push_back(&tensor);
    testing::run_step(*testing::make_step(testing::problem_of(program, inputs, outputs), isa), inputs, outputs);
    return out.back().values;
}

/// Instruction by instruction, each a program over one pixel, shorter than any chain's block.
std::vector<float> one_by_one(const Program& program, const std::vector<TestTensor>& in, Isa isa) {
    const int64_t channels = in[0].shape[-1], pixels = in[0].shape.count() / channels;
    std::vector<float> result;
    for (int64_t p = 0; p < pixels; ++p) {
        std::vector<TestTensor> values;
        for (int i = 0; i < kInputs; ++i) {
            TestTensor pixel = testing::empty_tensor({1, channels});
            for (int64_t c = 0; c < channels; ++c) {
                const size_t at = i < kFull              ? static_cast<size_t>(p * channels + c)
                                  : i < kFull + kChannel ? static_cast<size_t>(c)
                                                         : 0;
                pixel.values[static_cast<size_t>(c)] = in[static_cast<size_t>(i)].values[at];
            }
            values.push_back(pixel);
        }
        for (const Instruction& instruction : program.code) {
            Program single;
            single.inputs = {{.operand = 0}, {.operand = 1}, {.operand = 2}};
            single.code = {instruction};
            single.code[0].dst = 3;
            single.code[0].a = 0;
            single.code[0].b = 1;
            single.code[0].c = 2;
            single.registers = 4;
            single.outputs = {{.source = 3, .operand = 0}};
            TestTensor made = testing::empty_tensor({1, channels});
            const std::vector<const TestTensor*> operands{&values[instruction.a], &values[instruction.b],
                                                          &values[instruction.c]};
            testing::run_step(*testing::make_step(testing::problem_of(single, operands, {&made}), isa), operands,
                              {&made});
            values.push_back(made);
        }
        result.insert(result.end(), values.back().values.begin(), values.back().values.end());
    }
    return result;
}

}  // namespace

TEST_CASE("A chain gives the bits of its instructions run one by one") {
    // 16 channels repeat within a block, 3 and 20 do not; 7 x 3 values are shorter than one, 67 pixels leave a rest.
    const auto shape = GENERATE(Shape{7, 3}, Shape{67, 16}, Shape{13, 20});
    const std::vector<TestTensor> in = random_inputs(shape);
    for (const Isa isa : available_isas()) {
        Random random(11);
        for (int round = 0; round < 12; ++round) {
            const Program program = random_program(random);
            INFO(program.str() << " over " << shape << " on " << name_of(isa));
            REQUIRE(testing::same_bits(last_result(program, in, isa), one_by_one(program, in, isa)));
        }
    }
}

TEST_CASE("What is written out changes no bit of the result") {
    const auto shape = GENERATE(Shape{2, 9, 11, 16}, Shape{1024, 8}, Shape{5, 300});
    const std::vector<TestTensor> in = random_inputs(shape);
    for (const Isa isa : available_isas()) {
        Random random(29);
        for (int round = 0; round < 60; ++round) {
            const Program program = random_program(random);
            INFO(program.str() << " over " << shape << " on " << name_of(isa));
            REQUIRE(testing::same_bits(last_result(program, in, isa), last_result(with_all_stored(program), in, isa)));
        }
    }
}

TEST_CASE("An output in an input's memory leaves the input's values to those who read them later") {
    // out0 = a + b in the memory of a, then out1 = a * out0 + b in the memory of b.
    Program program;
    program.inputs = {{.operand = 0}, {.operand = 1}};
    program.code = {{.op = Opcode::add, .dst = 2, .a = 0, .b = 1},
                    {.op = Opcode::mad, .dst = 3, .a = 0, .b = 2, .c = 1}};
    program.registers = 4;
    program.outputs = {{.source = 2, .operand = 0}, {.source = 3, .operand = 1}};
    const auto shape = GENERATE(Shape{67, 16}, Shape{3, 5});
    const std::vector<TestTensor> in = random_inputs(shape);
    TestTensor sum = testing::empty_tensor(shape), product = testing::empty_tensor(shape);
    for (const Isa isa : available_isas()) {
        const auto step = testing::make_step(testing::problem_of(program, {&in[0], &in[1]}, {&sum, &product}), isa);
        testing::run_step(*step, {&in[0], &in[1]}, {&sum, &product});
        std::vector<float> a = in[0].values, b = in[1].values;
        Buffer workspace(step->workspace_bytes + 64), scratch(step->scratch_bytes + 64);
        const void* inputs[] = {a.data(), b.data()};
        void* outputs[] = {a.data(), b.data()};
        for (size_t stage = 0; stage < step->stages.size(); ++stage)
            for (int64_t unit = 0; unit < step->stages[stage].units; ++unit)
                step->run(static_cast<int>(stage), unit,
                          {inputs, outputs, workspace.as<std::byte>(), scratch.as<std::byte>()});
        INFO(shape << " on " << name_of(isa));
        CHECK(testing::same_bits(a, sum.values));
        CHECK(testing::same_bits(b, product.values));
    }
}

TEST_CASE("A value only handed on to the next instruction is not stored") {
    LinkTable table;
    const auto stub = [] {};
    table.load = table.store = table.end = stub;
    for (auto& forms : table.step) forms[0] = stub;
    table.step[static_cast<int>(Opcode::tanh)][0] = nullptr;  // not as a link
    const std::vector<ViewInstruction> code = {{.op = Opcode::sub, .dst = 2, .a = 0, .b = 1, .c = 0},
                                               {.op = Opcode::square, .dst = 3, .a = 2, .b = 2, .c = 2},
                                               {.op = Opcode::mul, .dst = 4, .a = 2, .b = 3, .c = 2},
                                               {.op = Opcode::tanh, .dst = 5, .a = 4, .b = 4, .c = 4},
                                               {.op = Opcode::neg, .dst = 6, .a = 5, .b = 5, .c = 5}};
    const uint16_t kept[] = {6};
    const Chains chains = make_chains(code, kept, {}, table);
    CHECK(chains.stored[2]);        // read again by the product
    CHECK_FALSE(chains.stored[3]);  // handed on
    CHECK(chains.stored[4]);        // the loop of tanh reads memory
    CHECK(chains.stored[5]);
    CHECK(chains.stored[6]);  // the result
    REQUIRE(chains.runs.size() == 3);
    CHECK(chains.runs[0].count == 3);
    CHECK(chains.runs[1].link == -1);
    CHECK(chains.runs[2].count == 1);
}
