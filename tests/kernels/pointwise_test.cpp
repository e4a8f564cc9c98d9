#include "src/reference/pointwise.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/compiled_program.hpp"
#include "liven/core/error.hpp"
#include "liven/core/isa.hpp"
#include "src/reference/program.hpp"
#include "tests/kernels/step_runner.hpp"

using namespace liven;
using namespace liven::kernels;
using liven::testing::empty_tensor;
using liven::testing::Order;
using liven::testing::random_tensor;
using liven::testing::TestTensor;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// A program of one opcode over as many full inputs as it has operands.
Program program_of(Opcode op, float imm0 = 0, float imm1 = 0) {
    Program program;
    const int operands = operands_of(op);
    for (int i = 0; i < operands; ++i) program.inputs.push_back({.operand = i});
    const auto dst = static_cast<uint8_t>(operands);
    program.code = {{.op = op,
                     .dst = dst,
                     .a = 0,
                     .b = static_cast<uint8_t>(operands > 1 ? 1 : 0),
                     .c = static_cast<uint8_t>(operands > 2 ? 2 : 0),
                     .imm0 = imm0,
                     .imm1 = imm1}};
    program.outputs = {{.source = dst, .operand = 0}};
    program.registers = operands + 1;
    return program;
}

Problem problem_of(const Program& program, const std::vector<const TestTensor*>& inputs,
                   const std::vector<TestTensor*>& outputs) {
    Problem problem;
    problem.op = "pointwise";
    for (const TestTensor* tensor : inputs) problem.inputs.push_back(tensor->operand());
    for (const TestTensor* tensor : outputs) problem.outputs.push_back(tensor->operand());
    problem.epilogue = &program;
    return problem;
}

std::vector<float> run_opcode(Opcode op, Isa isa, const std::vector<std::vector<float>>& inputs, float imm0 = 0,
                              float imm1 = 0) {
    const Program program = program_of(op, imm0, imm1);
    const Shape shape{static_cast<int64_t>(inputs[0].size())};
    std::vector<TestTensor> tensors;
    for (const std::vector<float>& values : inputs) tensors.push_back({.shape = shape, .values = values});
    std::vector<const TestTensor*> in;
    for (const TestTensor& tensor : tensors) in.push_back(&tensor);
    TestTensor dst = empty_tensor(shape);
    testing::run_step(*testing::make_step(problem_of(program, in, {&dst}), isa), in, {&dst});
    return dst.values;
}

/// Distance in units in the last place of the exact value rounded to float.
double ulps(float value, double exact) {
    if (std::isnan(exact)) return std::isnan(value) ? 0 : 1e30;
    if (std::abs(exact) > double{std::numeric_limits<float>::max()} * (1 + 0x1p-25))
        return std::isinf(value) && (value > 0) == (exact > 0) ? 0 : 1e30;
    const int exponent = std::max(std::ilogb(exact), -126);
    return std::abs(double{value} - exact) / std::ldexp(1.0, (exact == 0 ? -126 : exponent) - 23);
}

/// Both signs of every size of float, and a finer grid where functions bend.
std::vector<float> sweep() {
    std::vector<float> values;
    for (uint32_t bits = 0; bits < 0x7f800000u; bits += 28657) {
        float value;
        std::memcpy(&value, &bits, sizeof value);
        values.push_back(value);
        values.push_back(-value);
    }
    for (int i = -100'000; i <= 100'000; ++i) values.push_back(static_cast<float>(i) * 1.1e-4f);
    for (int i = -20'000; i <= 20'000; ++i) values.push_back(static_cast<float>(i) * 5.3e-3f);
    for (const float value : {0.0f, -0.0f, infinity, -infinity, not_a_number}) values.push_back(value);
    return values;
}

}  // namespace

TEST_CASE("Opcodes have the names of the primitive operations") {
    for (int i = 0; i <= static_cast<int>(Opcode::dropout); ++i) {
        const auto op = static_cast<Opcode>(i);
        CHECK(opcode_from(name_of(op)) == op);
    }
    CHECK(name_of(Opcode::leaky_relu) == "leaky_relu");
    CHECK_FALSE(opcode_from("conv2d").has_value());
}

TEST_CASE("A program prints its inputs, instructions, outputs and reductions") {
    Program program;
    program.inputs = {{.operand = -1}, {.operand = 2, .access = Access::channel}};
    program.code = {{.op = Opcode::add, .dst = 2, .a = 0, .b = 1},
                    {.op = Opcode::leaky_relu, .dst = 3, .a = 2, .imm0 = 0.2f}};
    program.outputs = {{.source = 3, .operand = 0}};
    program.reductions = {{.kind = Reduction::Kind::moments, .source = 3, .operand = 1, .operand2 = 2}};
    CHECK(program.str() ==
          "%0 = core; %1 = in2.channel; %2 = add(%0, %1); %3 = leaky_relu(%2, 0.2); out0 = %3; "
          "out1, out2 = moments(%3 over pixels_and_samples)");
}

TEST_CASE("Elementary functions keep their stated error over all floats") {
    struct Bound {
        Opcode op;
        double ulps;
    };
    // The bounds kernels/pointwise_math.hpp states.
    const Bound bound = GENERATE(Bound{Opcode::exp, 1}, Bound{Opcode::log, 1}, Bound{Opcode::tanh, 1.5},
                                 Bound{Opcode::sigmoid, 2.5}, Bound{Opcode::softplus, 2}, Bound{Opcode::erf, 2.5},
                                 Bound{Opcode::gelu, 6.5}, Bound{Opcode::quick_gelu, 3.5}, Bound{Opcode::sqrt, 0.5},
                                 Bound{Opcode::rsqrt, 1.5}, Bound{Opcode::reciprocal, 0.5});
    const std::vector<float> x = sweep();
    for (const Isa isa : available_isas()) {
        const std::vector<float> y = run_opcode(bound.op, isa, {x});
        double worst = 0;
        size_t at = 0;
        for (size_t i = 0; i < x.size(); ++i) {
            double exact = reference::apply(bound.op, double{x[i]}, 0, 0, 0, 0);
            // quick_gelu is defined with its product rounded: the exponential would turn half an ulp of it into many.
            if (bound.op == Opcode::quick_gelu)
                exact = reference::damped(double{x[i]}, reference::sigmoid(double{1.702f * x[i]}));
            // x times a denormal: half the smallest denormal times at most 90.
            if (std::abs(double{y[i]} - exact) <= 90 * 0x1p-150) continue;
            const double error = ulps(y[i], exact);
            if (error > worst) worst = error, at = i;
        }
        INFO(name_of(bound.op) << " on " << name_of(isa) << ": " << worst << " ulp at " << x[at] << " = " << y[at]);
        CHECK(worst <= bound.ulps);
    }
}

TEST_CASE("The derivative of gelu is exact to three ten-millionths") {
    const std::vector<float> x = sweep();
    for (const Isa isa : available_isas()) {
        const std::vector<float> y = run_opcode(Opcode::gelu_grad, isa, {x});
        double worst = 0;
        for (size_t i = 0; i < x.size(); ++i) {
            const double exact = reference::apply(Opcode::gelu_grad, double{x[i]}, 0, 0, 0, 0);
            if (std::isnan(exact))
                CHECK(std::isnan(y[i]));
            else
                worst = std::max(worst, std::abs(double{y[i]} - exact));
        }
        INFO(name_of(isa));
        // Near its zero at -0.75 the two terms cancel: the bound is absolute.
        CHECK(worst <= 3e-7);
    }
}

TEST_CASE("Powers are the C library's, special cases included") {
    std::vector<float> specials{0.0f,      -0.0f, 1.0f,         -1.0f,       2.0f,        -2.0f,  0.5f,
                                -0.5f,     3.0f,  -3.0f,        1e-30f,      1e30f,       1e-40f, infinity,
                                -infinity, 0.1f,  not_a_number, 16777215.0f, 16777216.0f, -7.5f};
    std::vector<float> a, b;
    for (const float x : specials)
        for (const float y : specials) a.push_back(x), b.push_back(y);
    Random random(3);
    for (int i = 0; i < 100'000; ++i) {
        a.push_back(std::exp(random.uniform(-40.0f, 40.0f)));
        b.push_back(random.uniform(-8.0f, 8.0f));
    }
    for (const Isa isa : available_isas()) {
        const std::vector<float> y = run_opcode(Opcode::pow, isa, {a, b});
        double worst = 0;
        bool signs = true;
        for (size_t i = 0; i < a.size(); ++i) {
            const double exact = std::pow(double{a[i]}, double{b[i]});
            INFO(name_of(isa) << ": " << a[i] << "^" << b[i] << " = " << y[i]);
            // Computed in double and rounded once.
            if (ulps(y[i], exact) > 0.51) CHECK(ulps(y[i], exact) <= 0.51);
            const bool special = exact == 0 || std::isinf(exact);
            if (special) signs = signs && std::signbit(y[i]) == std::signbit(exact);
            worst = std::max(worst, ulps(y[i], exact));
        }
        CHECK(worst <= 0.51);
        CHECK(signs);
        for (const float exponent : {2.0f, -1.0f, 0.5f, 0.0f, 2.4f}) {
            const std::vector<float> z = run_opcode(Opcode::pow_const, isa, {a}, exponent);
            double error = 0;
            for (size_t i = 0; i < a.size(); ++i)
                error = std::max(error, ulps(z[i], std::pow(double{a[i]}, double{exponent})));
            CHECK(error <= 0.51);
        }
    }
}

TEST_CASE("Exact operations are exact, with NaN and infinities where IEEE 754 and NumPy have them") {
    const std::vector<float> values{0.0f,    -0.0f, 1.0f,   -1.0f,    2.5f,      -2.5f,       1e-40f,
                                    -1e-40f, 3e38f, -3e38f, infinity, -infinity, not_a_number};
    std::vector<float> a, b, c;
    for (const float x : values)
        for (const float y : values)
            for (const float z : values) a.push_back(x), b.push_back(y), c.push_back(z);
    const auto op =
        GENERATE(Opcode::copy, Opcode::neg, Opcode::abs, Opcode::square, Opcode::sign, Opcode::relu, Opcode::leaky_relu,
                 Opcode::clamp, Opcode::scale_const, Opcode::add_const, Opcode::positive, Opcode::is_finite,
                 Opcode::add, Opcode::sub, Opcode::mul, Opcode::div, Opcode::maximum, Opcode::minimum, Opcode::greater,
                 Opcode::equal, Opcode::leaky_step, Opcode::mad, Opcode::select);
    const float imm0 = op == Opcode::clamp ? -1.5f : 0.2f, imm1 = 2.0f;
    for (const Isa isa : available_isas()) {
        std::vector<std::vector<float>> inputs{a, b, c};
        inputs.resize(static_cast<size_t>(operands_of(op)));
        const std::vector<float> y = run_opcode(op, isa, inputs, imm0, imm1);
        for (size_t i = 0; i < a.size(); ++i) {
            const auto exact =
                reference::apply(op, double{a[i]}, double{b[i]}, double{c[i]}, double{imm0}, double{imm1});
            auto expected = static_cast<float>(exact);
            // Without FMA the product is rounded, and may overflow, before the sum.
            if (op == Opcode::mad && isa == Isa::baseline) expected = a[i] * b[i] + c[i];
            const bool same = std::isnan(expected) ? std::isnan(y[i]) : y[i] == expected;
            if (!same) {
                INFO(name_of(op) << " on " << name_of(isa) << ": " << a[i] << ", " << b[i] << ", " << c[i]);
                CHECK(y[i] == expected);
            }
        }
    }
}

namespace {

/// A random program with every access, several outputs and every reduction.
struct Case {
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

Case random_case(const Shape& shape, uint64_t seed, bool strided, bool reductions) {
    Case test;
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

void check_case(Case& test, Isa isa) {
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

    Case again = test;
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
            Case test = random_case(shape, seed * 100, strided, reductions);
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
    x.values[7] = not_a_number;  // pixel 1, channel 2
    for (const Isa isa : available_isas()) {
        TestTensor m = empty_tensor({5}), v = empty_tensor({5});
        testing::run_step(*testing::make_step(problem_of(program, {&x}, {&m, &v}), isa), {&x}, {&m, &v});
        for (size_t c = 0; c < 5; ++c) {
            CHECK(std::isnan(m.values[c]) == (c == 2));
            CHECK(std::isnan(v.values[c]) == (c == 2));
        }
    }
}

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
    const int64_t pixels = 23, channels = GENERATE(3, 16, 40, 2000), split = GENERATE(0, 1, 2);
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

TEST_CASE("The reference broadcasts as NumPy does") {
    std::vector<float> a{1, 2, 3}, b{10, 20}, y(6);
    const std::array<reference::Array<float>, 2> in{reference::Array<float>{{1, 3}, a.data()},
                                                    reference::Array<float>{{2, 1}, b.data()}};
    const std::array<reference::Array<float>, 1> out{reference::Array<float>{{2, 3}, y.data()}};
    const auto add = reference::pointwise_function<float>("add");
    REQUIRE(add);
    add(nullptr, in, out);
    CHECK(y == std::vector<float>{11, 12, 13, 21, 22, 23});
    CHECK(reference::pointwise_function<double>("conv2d") == nullptr);
}
