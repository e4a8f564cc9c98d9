// Where programs read and write: places, rows of a kernel, operands that do not fit.

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/pointwise/compiled_program.hpp"
#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "src/reference/program.hpp"
#include "tests/kernels/programs.hpp"
#include "tests/kernels/step_runner.hpp"

using namespace liven;
using namespace liven::kernels;
using liven::testing::empty_tensor;
using liven::testing::problem_of;
using liven::testing::program_of;
using liven::testing::random_tensor;
using liven::testing::TestTensor;

namespace {

/// An i64 scalar in a tensor of floats: only the bits matter.
TestTensor word(int64_t value) {
    TestTensor out = empty_tensor({2});
    std::memcpy(out.values.data(), &value, sizeof value);
    return out;
}

}  // namespace

TEST_CASE("Dropout's mask depends on the place of an element alone") {
    const auto shape = GENERATE(Shape{1, 1, 1, 1}, Shape{2, 5, 7, 3}, Shape{2, 9, 7, 16}, Shape{1, 2, 3, 2000},
                                Shape{1, 40, 40, 64}, Shape{70, 17});
    const bool strided = GENERATE(false, true);
    const int64_t stride = strided ? shape[-1] + 5 : 0;
    const TestTensor x = random_tensor(shape, 1, stride);
    const int64_t seed_value = -81'985'529'216'486'896, counter_value = (int64_t{5} << 32) + 77;
    const TestTensor seed = word(seed_value), counter = word(counter_value);
    Program program;
    program.inputs = {{.operand = 0},
                      {.operand = 1, .access = Access::scalar, .dtype = DType::i64},
                      {.operand = 2, .access = Access::scalar, .dtype = DType::i64}};
    program.code = {
        {.op = Opcode::dropout, .dst = 3, .a = 0, .b = 1, .c = 2, .imm0 = 0.25f, .imm1 = 1.0f / 0.75f, .key = 9}};
    program.outputs = {{.source = 3, .operand = 0}};
    int64_t kept = 0;
    for (const Isa isa : available_isas()) {
        TestTensor y = empty_tensor(shape, stride);
        Problem problem = problem_of(program, {&x, &seed, &counter}, {&y});
        for (const size_t i : {1u, 2u}) problem.inputs[i] = {.shape = Shape{1}, .dtype = DType::i64, .pixel_stride = 1};
        testing::run_step(*testing::make_step(problem, isa), {&x, &seed, &counter}, {&y});
        bool equal = true;
        for (int64_t e = 0; e < shape.count(); ++e) {
            const bool keeps = reference::dropout_keeps(e, static_cast<uint64_t>(seed_value),
                                                        static_cast<uint64_t>(counter_value), 9, 0.25f);
            kept += keeps;
            const auto i = static_cast<size_t>(e);
            equal = equal && y.values[i] == (keeps ? x.values[i] * (1.0f / 0.75f) : 0.0f);
        }
        CHECK(equal);
    }
    // Six standard deviations of a binomial.
    const double draws = static_cast<double>(shape.count()),
                 share = static_cast<double>(kept) / draws / static_cast<double>(available_isas().size());
    CHECK(std::abs(share - 0.75) <= 6 * std::sqrt(0.75 * 0.25 / draws));
}

TEST_CASE("An output may lie in the memory of an input") {
    // out0 = a + b takes a's memory although a is read again for out1 = a * b.
    Program program;
    program.inputs = {{.operand = 0}, {.operand = 1}};
    program.code = {{.op = Opcode::add, .dst = 2, .a = 0, .b = 1}, {.op = Opcode::mul, .dst = 3, .a = 0, .b = 1}};
    program.outputs = {{.source = 2, .operand = 0}, {.source = 3, .operand = 1}, {.source = 0, .operand = 2}};
    program.reductions = {{.over = Reduction::Over::everything, .source = 0, .operand = 3}};
    const TestTensor a = random_tensor({2, 30, 20, 8}, 1), b = random_tensor({2, 30, 20, 8}, 2);
    for (const Isa isa : available_isas()) {
        TestTensor sum = a, product = b, copy = a, total = empty_tensor({1});
        const Problem problem = problem_of(program, {&a, &b}, {&sum, &product, &copy, &total});
        const auto step = testing::make_step(problem, isa);
        Buffer scratch(step->scratch_bytes), workspace(step->workspace_bytes);
        const std::array<const void*, 2> in{sum.values.data(), product.values.data()};
        const std::array<void*, 4> out{sum.values.data(), product.values.data(), copy.values.data(),
                                       total.values.data()};
        const Buffers buffers{in.data(), out.data(), workspace.as<std::byte>(), scratch.as<std::byte>()};
        for (int stage = 0; stage < 2; ++stage)
            for (int64_t unit = 0; unit < step->stages[static_cast<size_t>(stage)].units; ++unit)
                step->run(stage, unit, buffers);
        double exact = 0;
        bool equal = true;
        for (size_t i = 0; i < a.values.size(); ++i) {
            equal = equal && sum.values[i] == a.values[i] + b.values[i] &&
                    product.values[i] == a.values[i] * b.values[i] && copy.values[i] == a.values[i];
            exact += double{a.values[i]};
        }
        CHECK(equal);
        CHECK(double{total.values[0]} == Approx(exact).margin(1e-3));
    }
}

TEST_CASE("A kernel's rows pass through core and sink, whole or by ranges of channels, at any stride") {
    const int64_t pixels = 23, channels = GENERATE(3, 16, 40, 256, 2000), split = GENERATE(0, 1, 2);
    const int64_t core_stride = channels + GENERATE(0, 7), sink_stride = channels + 2;
    Program program;
    program.inputs = {{.operand = -1}, {.operand = 0, .access = Access::channel}, {.operand = 1}};
    program.code = {{.op = Opcode::add, .dst = 3, .a = 0, .b = 1},
                    {.op = Opcode::mad, .dst = 4, .a = 3, .b = 1, .c = 2}};
    program.outputs = {{.source = 4, .operand = -1}, {.source = 3, .operand = 0}};
    program.reductions = {{.kind = Reduction::Kind::moments, .source = 4, .operand = 1, .operand2 = 2}};
    const Shape shape{1, 1, pixels, channels};
    const TestTensor core = random_tensor({pixels, core_stride}, 1), bias = random_tensor({channels}, 2),
                     other = random_tensor(shape, 3);
    const std::vector<Operand> inputs{bias.operand(), other.operand()};
    const std::vector<Operand> outputs{other.operand(), bias.operand(), bias.operand()};
    for (const Isa isa : available_isas()) {
        CompiledProgram program_for(program, inputs, outputs, {.samples = 1, .pixels = pixels, .channels = channels},
                                    isa);
        const CompiledProgram compiled = std::move(program_for);
        const ProgramView& view = compiled.view();
        Buffer scratch(compiled.scratch_bytes());
        std::vector<double> slot(static_cast<size_t>(view.partial_doubles), -1.0);
        TestTensor sink = empty_tensor({pixels, sink_stride}), plain = empty_tensor(shape),
                   mean = empty_tensor({channels}), variance = mean;
        const std::array<const void*, 2> in{bias.values.data(), other.values.data()};
        const std::array<void*, 3> out{plain.values.data(), mean.values.data(), variance.values.data()};
        const Buffers buffers{in.data(), out.data(), nullptr, nullptr};
        view.clear(view, slot.data(), 0, 0);
        const int64_t width = split == 0 ? channels : split == 1 ? (channels + 1) / 2 : 2;
        for (int64_t c = 0; c < channels; c += width) {
            const int64_t part = std::min(width, channels - c);
            view.prepare(view, buffers, 0, c, part, scratch.as<float>());
            for (int64_t p = 0; p < pixels; p += 9) {
                const Chunk chunk{.sample = 0,
                                  .first_pixel = p,
                                  .pixels = std::min<int64_t>(9, pixels - p),
                                  .first_channel = c,
                                  .channels = part,
                                  .core = core.values.data() + p * core_stride + c,
                                  .core_stride = core_stride,
                                  .sink = sink.values.data() + p * sink_stride + c,
                                  .sink_stride = sink_stride};
                view.run(view, buffers, chunk, scratch.as<float>(), slot.data());
            }
        }
        for (int64_t unit = 0; unit < compiled.finalize_units(); ++unit)
            compiled.finalize(unit, buffers, slot.data(), 1);
        bool equal = true;
        for (int64_t c = 0; c < channels; ++c) {
            double sum = 0, squares = 0;
            for (int64_t p = 0; p < pixels; ++p) {
                const auto at = [](int64_t i) { return static_cast<size_t>(i); };
                const float b = bias.values[at(c)], first = core.values[at(p * core_stride + c)] + b;
                const double last = double{first} * double{b} + double{other.values[at(p * channels + c)]};
                equal = equal && plain.values[at(p * channels + c)] == first &&
                        std::abs(double{sink.values[at(p * sink_stride + c)]} - last) <= 3e-7;  // an ulp of 4
                sum += last;
                squares += last * last;
            }
            const double m = sum / static_cast<double>(pixels), v = squares / static_cast<double>(pixels) - m * m;
            equal = equal && std::abs(double{mean.values[static_cast<size_t>(c)]} - m) <= 1e-6 &&
                    std::abs(double{variance.values[static_cast<size_t>(c)]} - v) <= 1e-5;
        }
        INFO(name_of(isa) << ", " << channels << " channels by " << width);
        CHECK(equal);
    }
}

TEST_CASE("Programs that do not fit their operands are refused with the shape") {
    const TestTensor x = random_tensor({2, 3, 4}, 1), wrong = random_tensor({2, 3, 5}, 1), bias = random_tensor({5}, 2);
    TestTensor y = empty_tensor({2, 3, 4});
    const auto reason = [&](const Program& program, const std::vector<const TestTensor*>& inputs) {
        const Choice choice = choose(problem_of(program, inputs, {&y}), Isa::baseline);
        CHECK(choice.chosen == nullptr);
        return choice.refused.empty() ? std::string() : choice.refused.front().second;
    };
    CHECK_THAT(reason(program_of(Opcode::relu), {&wrong}), Catch::Contains("2x3x5"));
    CHECK_THAT(reason(program_of(Opcode::add), {&x}), Catch::Contains("operand 1 of 1"));
    Program program = program_of(Opcode::add);
    program.inputs[1].access = Access::channel;
    CHECK_THAT(reason(program, {&x, &bias}), Catch::Contains("by channel") && Catch::Contains("4"));
    program = program_of(Opcode::relu);
    program.code[0].a = 5;
    CHECK_THAT(reason(program, {&x}), Catch::Contains("%5 before it is made"));
    program = program_of(Opcode::relu);
    program.code.push_back(program.code[0]);
    CHECK_THAT(reason(program, {&x}), Catch::Contains("second time"));
    program = program_of(Opcode::relu);
    program.inputs[0].operand = -1;
    CHECK_THAT(reason(program, {&x}), Catch::Contains("core"));
    program = program_of(Opcode::relu);
    program.code[0].op = static_cast<Opcode>(200);
    CHECK_THAT(reason(program, {&x}), Catch::Contains("unknown opcode"));
    CHECK_THAT(reason(program_of(Opcode::dropout), {&x, &x, &x}), Catch::Contains("i64"));
    program = program_of(Opcode::relu);
    program.reductions = {{.source = 1, .operand = 0}};
    CHECK_THAT(reason(program, {&x}), Catch::Contains("4 dense f32 values"));
}
