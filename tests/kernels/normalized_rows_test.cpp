#include "kernels/maps/normalized_rows.hpp"

#include "tests/kernels/programs.hpp"

using namespace liven;
using namespace liven::testing;
using namespace liven::kernels;

namespace {

/// Over a map and three operands of one value a channel, registers 0 to 3: mean, scale and shift.
Program program_of_code(std::vector<Instruction> code) {
    Program program;
    program.inputs = {{.operand = 0},
                      {.operand = 1, .access = Access::channel},
                      {.operand = 2, .access = Access::channel},
                      {.operand = 3, .access = Access::channel}};
    program.outputs = {{.source = code.back().dst, .operand = -1}};
    program.registers = 4 + static_cast<int>(code.size());
    program.code = std::move(code);
    return program;
}

const Instruction leaky{.op = Opcode::leaky_relu, .dst = 4, .a = 0, .imm0 = 0.2f};
const Instruction centred{.op = Opcode::sub, .dst = 5, .a = 0, .b = 1};
const Instruction leaky_centred{.op = Opcode::sub, .dst = 5, .a = 4, .b = 1};
const Instruction scaled{.op = Opcode::mad, .dst = 6, .a = 5, .b = 2, .c = 3};
const Instruction relu{.op = Opcode::relu, .dst = 7, .a = 6};
const Instruction leaky_scaled{.op = Opcode::leaky_relu, .dst = 7, .a = 6, .imm0 = 0.1f};

}  // namespace

TEST_CASE("A normalisation in registers has the bits of its program, infinities and NaN included") {
    const std::vector<std::vector<Instruction>> codes = {
        {leaky, leaky_centred, scaled},
        {leaky, leaky_centred, scaled, leaky_scaled},
        {centred, scaled, relu},
        {{.op = Opcode::mad, .dst = 4, .a = 0, .b = 2, .c = 3}},
        {{.op = Opcode::relu, .dst = 4, .a = 0}, {.op = Opcode::mad, .dst = 5, .a = 4, .b = 2, .c = 3}}};
    // Fewer pixels than a block, and more, in a row and in several; pixels that lie apart; channels beyond a block.
    for (const Shape& shape : {Shape{1, 3, 5, 16}, Shape{2, 1, 67, 48}, Shape{1, 2, 21, 272}})
        for (const auto& code : codes)
            for (const Isa isa : available_isas()) {
                INFO(shape << " " << name_of(isa) << ", " << code.size() << " instructions");
                const int64_t channels = shape[3];
                TestTensor map = random_tensor(shape, 1, channels + 3);
                map.values[1] = infinity;
                map.values[2] = -infinity;
                map.values[3] = not_a_number;
                const TestTensor mean = random_tensor({channels}, 2), scale = random_tensor({channels}, 3),
                                 shift = random_tensor({channels}, 4);
                const std::vector<const TestTensor*> inputs{&map, &mean, &scale, &shift};
                TestTensor want = empty_tensor(shape), got = empty_tensor(shape);
                Program program = program_of_code(code);
                std::vector<Operand> operands;
                for (const TestTensor* tensor : inputs) operands.push_back(tensor->operand());
                const auto normalization = Normalization::of(program, operands, isa);
                REQUIRE(normalization);
                program.outputs[0].operand = 0;
                run_step(*make_step(problem_of(program, inputs, {&want}), isa), inputs, {&want});
                Guarded memory(map, 0);
                memory.put(map.values);
                const void* pointers[] = {memory.data(), mean.values.data(), scale.values.data(), shift.values.data()};
                const Buffers buffers{.inputs = pointers};
                for (int64_t y = 0; y < shape[0] * shape[1]; ++y)
                    for (int64_t c = 0; c < channels; c += 16)  // as slices of 16 channels
                        normalization->run(buffers, y * shape[2], c,
                                           {.dst = got.values.data() + y * shape[2] * channels + c,
                                            .dst_step = channels,
                                            .pixels = shape[2],
                                            .channels = 16});
                CHECK(same_bits(got.values, want.values));
                std::fill(got.values.begin(), got.values.end(), 0.0f);
                normalization->run(buffers, 0, 0,
                                   {.dst = got.values.data(),
                                    .dst_step = channels,
                                    .pixels = shape.count() / channels,
                                    .channels = channels});
                CHECK(same_bits(got.values, want.values));
            }
}

TEST_CASE("Programs that do more than normalise are not taken for one") {
    const std::vector<Operand> operands(4, Operand{{2, 3, 3, 16}, DType::f32, 16});
    const auto known = [&](const Program& program) {
        return Normalization::of(program, operands, Isa::baseline).has_value();
    };
    CHECK(known(program_of_code({centred, scaled})));
    CHECK_FALSE(known(program_of_code({centred})));
    CHECK_FALSE(known(program_of_code({centred, {.op = Opcode::leaky_relu, .dst = 6, .a = 5}, scaled})));
    CHECK_FALSE(known(program_of_code({centred, scaled, {.op = Opcode::tanh, .dst = 7, .a = 6}})));
    CHECK_FALSE(known(program_of_code({centred, scaled, relu, {.op = Opcode::relu, .dst = 8, .a = 7}})));
    CHECK_FALSE(known(program_of_code({centred, scaled, {.op = Opcode::add, .dst = 7, .a = 6, .b = 0}})));
    Program summed = program_of_code({centred, scaled});
    summed.reductions = {{.source = 6, .operand = 0}};
    CHECK_FALSE(known(summed));
    const std::vector<Operand> narrow(4, Operand{{2, 3, 3, 5}, DType::f32, 5});
    CHECK_FALSE(Normalization::of(program_of_code({centred, scaled}), narrow, Isa::baseline).has_value());
}
