// What each instruction computes.

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "liven/core/isa.hpp"
#include "src/reference/pointwise.hpp"
#include "tests/kernels/programs.hpp"
#include "tests/kernels/step_runner.hpp"

using namespace liven;
using namespace liven::kernels;
using liven::testing::empty_tensor;
using liven::testing::infinity;
using liven::testing::not_a_number;
using liven::testing::problem_of;
using liven::testing::program_of;
using liven::testing::TestTensor;

namespace {

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
          "%0 = core; %1 = in2.channel; %2 = add(%0, %1); %3 = leaky_relu(%2, 0.2); out0 "
          "= %3; "
          "out1, out2 = moments(%3 over pixels_and_samples)");
}

TEST_CASE("Elementary functions keep their stated error over all floats") {
    struct Bound {
        Opcode op;
        double ulps;
    };
    // The bounds kernels/pointwise/math.hpp states.
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
            // quick_gelu is defined with its product rounded: the exponential would turn
            // half an ulp of it into many.
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

TEST_CASE(
    "Exact operations are exact, with NaN and infinities where IEEE 754 and NumPy have "
    "them") {
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
