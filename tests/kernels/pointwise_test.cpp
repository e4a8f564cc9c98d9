// Whole programs against the reference.

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
using liven::testing::Order;
using liven::testing::problem_of;
using liven::testing::random_tensor;
using liven::testing::TestTensor;

namespace {

/// A random program with every access, several outputs and every reduction.
struct RandomProgram {
    Program program;
    reference::ProgramWalk walk;
    std::vector<TestTensor> inputs, outputs;

    std::vector<const TestTensor*> in() const {
        std::vector<const TestTensor*> out;
        for (const TestTensor& tensor : inputs) out.push_back(&tensor);
        return out;
    }
    std::vector<TestTensor*> out() {
        std::vector<TestTensor*> all;
        for (TestTensor& tensor : outputs) all.push_back(&tensor);
        return all;
    }
};

constexpr std::array safe_opcodes{
    Opcode::add,   Opcode::sub,        Opcode::mul,         Opcode::mad,      Opcode::leaky_relu, Opcode::relu,
    Opcode::tanh,  Opcode::sigmoid,    Opcode::scale_const, Opcode::abs,      Opcode::maximum,    Opcode::minimum,
    Opcode::clamp, Opcode::leaky_step, Opcode::neg,         Opcode::softplus, Opcode::gelu,       Opcode::copy};

RandomProgram random_case(const Shape& shape, uint64_t seed, bool strided, bool reductions) {
    RandomProgram test;
    test.walk = {.samples = shape[0], .pixels = shape[1] * shape[2], .channels = shape[3]};
    Random random(seed);
    const auto below = [&](int64_t bound) { return static_cast<int64_t>(random.below(static_cast<uint64_t>(bound))); };
    const auto add_input = [&](const Shape& extents, Access access) {
        const int64_t stride = strided ? extents[-1] + below(3) * 5 : 0;
        test.program.inputs.push_back({.operand = static_cast<int>(test.inputs.size()), .access = access});
        test.inputs.push_back(random_tensor(extents, seed + test.inputs.size(), stride));
    };
    const int64_t n = shape[0], h = shape[1], w = shape[2], c = shape[3];
    add_input(shape, Access::full);
    add_input(shape, Access::full);
    add_input({c}, Access::channel);
    add_input({n, 1, 1, c}, Access::sample_channel);
    add_input({n, h, w, 1}, Access::pixel);
    add_input({1}, Access::scalar);
    auto next = static_cast<uint8_t>(test.inputs.size());
    for (const uint8_t end = static_cast<uint8_t>(next + 12); next < end; ++next) {
        const auto pick = [&] { return static_cast<uint8_t>(below(next)); };
        test.program.code.push_back({.op = safe_opcodes[static_cast<size_t>(below(safe_opcodes.size()))],
                                     .dst = next,
                                     .a = static_cast<uint8_t>(next > 7 ? next - 1 : pick()),
                                     .b = pick(),
                                     .c = pick(),
                                     .imm0 = random.uniform(0.1f, 0.5f),
                                     .imm1 = random.uniform(0.6f, 1.0f)});
    }
    test.program.registers = next;
    const auto add_output = [&](const Shape& extents, int64_t stride) {
        test.outputs.push_back(empty_tensor(extents, stride));
        return static_cast<int>(test.outputs.size()) - 1;
    };
    // The last register, one from the middle, and an input that is copied through.
    for (const int source : {next - 1, 8, 1})
        test.program.outputs.push_back(
            {.source = static_cast<uint8_t>(source), .operand = add_output(shape, strided ? c + below(2) * 3 : 0)});
    if (!reductions) return test;
    const auto add_reduction = [&](Reduction::Kind kind, Reduction::Over over, int source, const Shape& extents) {
        Reduction reduction{
            .kind = kind, .over = over, .source = static_cast<uint8_t>(source), .operand = add_output(extents, 0)};
        if (kind == Reduction::Kind::moments) reduction.operand2 = add_output(extents, 0);
        test.program.reductions.push_back(reduction);
    };
    for (const auto kind : {Reduction::Kind::sum, Reduction::Kind::moments}) {
        add_reduction(kind, Reduction::Over::pixels_and_samples, next - 1, {c});
        add_reduction(kind, Reduction::Over::pixels, 0, {n, 1, 1, c});
        add_reduction(kind, Reduction::Over::everything, 9, {1});
    }
    return test;
}

double error_to(const std::vector<float>& values, const std::vector<double>& exact) {
    double difference = 0, size = 0;
    for (size_t i = 0; i < values.size(); ++i) {
        difference += std::pow(double{values[i]} - exact[i], 2);
        size += exact[i] * exact[i];
    }
    return std::sqrt(difference) / std::max(std::sqrt(size), 1e-30);
}

void check_case(RandomProgram& test, Isa isa) {
    INFO(test.program.str());
    const auto in = test.in();
    const auto out = test.out();
    const auto step = testing::make_step(problem_of(test.program, in, out), isa);
    testing::run_step(*step, in, out);

    std::vector<std::vector<float>> values;
    for (const TestTensor& tensor : test.inputs) values.push_back(tensor.values);
    const auto registers = reference::run_program(test.program, values, {}, test.walk);
    for (size_t i = 0; i < test.program.outputs.size(); ++i) {
        INFO("output " << i);
        // A dozen single precision operations of values near 1, against double.
        CHECK(error_to(test.outputs[i].values, registers[test.program.outputs[i].source]) < 3e-6);
    }
    for (const Reduction& reduction : test.program.reductions) {
        INFO("reduction into " << reduction.operand);
        const auto exact = reference::reduce_register(reduction, registers[reduction.source], test.walk);
        const auto& first = test.outputs[static_cast<size_t>(reduction.operand)].values;
        // Sums of both signs cancel: measured against the size of what was added.
        double added = 0;
        for (const double value : registers[reduction.source]) added += std::abs(value);
        const double count = static_cast<double>(test.walk.count()) / static_cast<double>(first.size());
        const double scale =
            (reduction.kind == Reduction::Kind::sum ? count : 1.0) * added / static_cast<double>(test.walk.count());
        for (size_t i = 0; i < first.size(); ++i) CHECK(std::abs(double{first[i]} - exact.first[i]) <= 5e-6 * scale);
        if (reduction.operand2 < 0) continue;
        const auto& second = test.outputs[static_cast<size_t>(reduction.operand2)].values;
        for (size_t i = 0; i < second.size(); ++i)
            CHECK(double{second[i]} == Approx(exact.second[i]).epsilon(2e-5).margin(1e-9));
    }

    RandomProgram again = test;
    const auto again_out = again.out();
    testing::run_step(*step, in, again_out, Order::shuffled, 1);
    for (size_t i = 0; i < test.outputs.size(); ++i)
        CHECK(testing::same_bits(test.outputs[i].values, again.outputs[i].values));
}

}  // namespace

TEST_CASE(
    "Fused programs agree with the reference over odd shapes, every access and reduction, in any order of units") {
    const auto shape =
        GENERATE(Shape{1, 1, 1, 1}, Shape{2, 3, 5, 1}, Shape{3, 7, 11, 3}, Shape{2, 17, 9, 16}, Shape{2, 5, 7, 17},
                 Shape{1, 3, 3, 512}, Shape{2, 1, 3, 2000}, Shape{1, 67, 59, 24}, Shape{2, 1, 1, 40});
    const bool strided = GENERATE(false, true), reductions = GENERATE(false, true);
    for (const Isa isa : available_isas())
        for (uint64_t seed = 1; seed <= 3; ++seed) {
            INFO(shape << " on " << name_of(isa) << ", seed " << seed << (strided ? ", strided" : ""));
            RandomProgram test = random_case(shape, seed * 100, strided, reductions);
            check_case(test, isa);
        }
}

TEST_CASE("Programs over vectors, matrices and images walk flat when nothing depends on the channel") {
    const Shape shape = GENERATE(Shape{}, Shape{1}, Shape{97}, Shape{33, 5}, Shape{3, 9, 7}, Shape{3, 40, 40, 33});
    for (const Isa isa : available_isas()) {
        Program program;
        program.inputs = {{.operand = 0}, {.operand = 1, .access = Access::scalar}};
        program.code = {{.op = Opcode::mul, .dst = 2, .a = 0, .b = 1}};
        program.outputs = {{.source = 2, .operand = 0}};
        program.reductions = {{.over = Reduction::Over::everything, .source = 2, .operand = 1}};
        const TestTensor x = random_tensor(shape, 1), scale = random_tensor({1}, 2);
        TestTensor y = empty_tensor(shape), sum = empty_tensor({1});
        const auto step = testing::make_step(problem_of(program, {&x, &scale}, {&y, &sum}), isa);
        CHECK(step->stages[0].samples == (shape.rank() >= 3 ? shape[0] : 1));
        testing::run_step(*step, {&x, &scale}, {&y, &sum});
        double exact = 0;
        for (size_t i = 0; i < x.values.size(); ++i) {
            CHECK(y.values[i] == x.values[i] * scale.values[0]);
            exact += double{y.values[i]};
        }
        // Single precision within 1,024 values of size below 1, double beyond.
        CHECK(double{sum.values[0]} == Approx(exact).margin(1e-6 * static_cast<double>(x.values.size())));
    }
}

TEST_CASE("Matrices take channel vectors and sum over their rows") {
    for (const Isa isa : available_isas()) {
        Program program;
        program.inputs = {{.operand = 0}, {.operand = 1, .access = Access::channel}};
        program.code = {{.op = Opcode::add, .dst = 2, .a = 0, .b = 1}};
        program.outputs = {{.source = 2, .operand = 0}};
        program.reductions = {{.source = 2, .operand = 1}};
        const TestTensor x = random_tensor({37, 10}, 1), bias = random_tensor({10}, 2);
        TestTensor y = empty_tensor({37, 10}), sum = empty_tensor({10});
        testing::run_step(*testing::make_step(problem_of(program, {&x, &bias}, {&y, &sum}), isa), {&x, &bias},
                          {&y, &sum});
        for (size_t c = 0; c < 10; ++c) {
            double exact = 0;
            for (size_t n = 0; n < 37; ++n) {
                CHECK(y.values[n * 10 + c] == x.values[n * 10 + c] + bias.values[c]);
                exact += double{y.values[n * 10 + c]};
            }
            CHECK(double{sum.values[c]} == Approx(exact).margin(1e-5));  // 37 values below 2
        }
    }
}

TEST_CASE("Moments keep their digits when the mean is a hundred or ten thousand deviations away") {
    const float mean = GENERATE(100.0f, 10'000.0f);
    const int64_t channels = GENERATE(1, 3, 16, 19);
    const Shape shape{2, 64, 48, channels};
    TestTensor x = empty_tensor(shape);
    Random random(11);
    for (float& value : x.values) value = mean + random.normal();
    const reference::ProgramWalk walk{.samples = 2, .pixels = 64 * 48, .channels = channels};
    Program program;
    program.inputs = {{.operand = 0}};
    program.reductions = {{.kind = Reduction::Kind::moments, .source = 0, .operand = 0, .operand2 = 1}};
    const reference::Register values(x.values.begin(), x.values.end());
    const reference::Reduced exact = reference::reduce_register(program.reductions[0], values, walk);

    // What a plain single precision sum of squares makes of it: the claim is that the test can tell.
    float sum = 0, squares = 0;
    for (size_t i = 0; i < x.values.size(); i += static_cast<size_t>(channels))
        sum += x.values[i], squares += x.values[i] * x.values[i];
    const float count = static_cast<float>(walk.samples * walk.pixels);
    const double naive = double{squares / count - (sum / count) * (sum / count)};
    CHECK(std::abs(naive / exact.second[0] - 1) > 1e-3);

    for (const Isa isa : available_isas()) {
        INFO(name_of(isa) << ", " << channels << " channels");
        TestTensor m = empty_tensor({channels}), v = empty_tensor({channels});
        testing::run_step(*testing::make_step(problem_of(program, {&x}, {&m, &v}), isa), {&x}, {&m, &v});
        for (size_t c = 0; c < m.values.size(); ++c) {
            CHECK(double{m.values[c]} == Approx(exact.first[c]).epsilon(1e-6));
            CHECK(double{v.values[c]} == Approx(exact.second[c]).epsilon(1e-5));
        }
    }
}

TEST_CASE("A moment of a NaN is NaN and does not leak into other channels") {
    Program program;
    program.inputs = {{.operand = 0}};
    program.reductions = {{.kind = Reduction::Kind::moments, .source = 0, .operand = 0, .operand2 = 1}};
    TestTensor x = random_tensor({1, 50, 60, 5}, 1);
    x.values[7] = testing::not_a_number;  // pixel 1, channel 2
    for (const Isa isa : available_isas()) {
        TestTensor m = empty_tensor({5}), v = empty_tensor({5});
        testing::run_step(*testing::make_step(problem_of(program, {&x}, {&m, &v}), isa), {&x}, {&m, &v});
        for (size_t c = 0; c < 5; ++c) {
            CHECK(std::isnan(m.values[c]) == (c == 2));
            CHECK(std::isnan(v.values[c]) == (c == 2));
        }
    }
}
