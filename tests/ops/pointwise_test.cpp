#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/ops/activation.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

/// One element, a prime number of them, and maps whose channels fill no vector of any ISA.
const std::vector<Shape> shapes{{1}, {31}, {2, 3, 5, 7}, {1, 4, 3, 17}};

using Unary = std::function<Tensor(const Tensor&)>;
using Binary = std::function<Tensor(const Tensor&, const Tensor&)>;

struct UnaryCase {
    std::string name;
    Unary function;
    float low, high;            ///< the operand's range
    bool kink_at_zero = false;  ///< then |operand| lies in [low, high)
    int gradient_orders = 2;
};

void check_unary(const UnaryCase& test) {
    for (const Shape& shape : shapes)
        check({.name = test.name + " of " + shape.str(),
               .operands = [&]() -> TensorList {
                   return {test.kink_at_zero ? away_from_zero(shape, 1, test.low, test.high)
                                             : uniform(shape, 1, test.low, test.high)};
               },
               .function = [&](const TensorList& in) -> TensorList { return {test.function(in[0])}; },
               .gradient_orders = test.gradient_orders});
}

/// Operand shapes that broadcast: equal, a scalar, one value a channel, a sample's channels, a pixel, a middle axis,
/// both sides stretched.
const std::vector<std::pair<Shape, Shape>> kPairs{{{2, 3, 5, 7}, {2, 3, 5, 7}},
                                                  {{2, 3, 5, 7}, {}},
                                                  {{7}, {2, 3, 5, 7}},
                                                  {{2, 3, 5, 7}, {2, 1, 1, 7}},
                                                  {{2, 3, 5, 1}, {2, 3, 5, 7}},
                                                  {{2, 3, 5, 7}, {3, 1, 1}},
                                                  {{2, 1, 5}, {3, 1}},
                                                  {{1}, {1}},
                                                  {{13, 17}, {17}},
                                                  {{1, 1, 1, 19}, {2, 2, 1, 1}}};

void check_binary(const std::string& name, const Binary& function,
                  const std::function<Tensor(Shape, uint64_t)>& numbers, int gradient_orders = 2) {
    for (const auto& pair : kPairs) {
        const Shape &a = pair.first, &b = pair.second;
        check({.name = name + " of " + a.str() + " and " + b.str(),
               .operands = [&]() -> TensorList {
                   return {numbers(a, 1), numbers(b, 2)};
               },
               .function = [&](const TensorList& in) -> TensorList { return {function(in[0], in[1])}; },
               .gradient_orders = gradient_orders});
    }
}

Tensor any(const Shape& shape, uint64_t seed) { return away_from_zero(shape, seed, 0.3f, 1.5f); }
Tensor above_zero(const Shape& shape, uint64_t seed) { return uniform(shape, seed, 0.4f, 1.8f); }

}  // namespace

TEST_CASE("Functions of one operand agree with their references, and their gradients with finite differences") {
    for (const UnaryCase& test : {
             UnaryCase{"neg", [](const Tensor& a) { return -a; }, -2, 2},
             UnaryCase{"exp", [](const Tensor& a) { return exp(a); }, -3, 3},
             UnaryCase{"log", [](const Tensor& a) { return log(a); }, 0.3f, 3},
             UnaryCase{"sqrt", [](const Tensor& a) { return sqrt(a); }, 0.3f, 3},
             UnaryCase{"rsqrt", [](const Tensor& a) { return rsqrt(a); }, 0.3f, 3},
             UnaryCase{"reciprocal", [](const Tensor& a) { return reciprocal(a); }, 0.3f, 3, true},
             UnaryCase{"square", [](const Tensor& a) { return square(a); }, -2, 2},
             UnaryCase{"abs", [](const Tensor& a) { return abs(a); }, 0.2f, 2, true},
             UnaryCase{"erf", [](const Tensor& a) { return erf(a); }, -2, 2},
             UnaryCase{"pow 2.5", [](const Tensor& a) { return pow(a, 2.5f); }, 0.3f, 2},
             UnaryCase{"pow -1", [](const Tensor& a) { return pow(a, -1.0f); }, 0.5f, 2},
             UnaryCase{"scale", [](const Tensor& a) { return scale(a, -1.75f); }, -2, 2},
             UnaryCase{"shift", [](const Tensor& a) { return shift(a, 0.75f); }, 1, 2},
             UnaryCase{"clamp", [](const Tensor& a) { return clamp(a, -1.0f, 1.0f); }, 0.2f, 0.95f, true},
             UnaryCase{"clamp outside", [](const Tensor& a) { return clamp(a, -0.1f, 0.1f); }, 0.2f, 2, true},
             UnaryCase{"relu", [](const Tensor& a) { return relu(a); }, 0.1f, 2, true},
             UnaryCase{"leaky_relu", [](const Tensor& a) { return leaky_relu(a, 0.2f); }, 0.1f, 2, true},
             UnaryCase{"leaky_relu with a falling slope", [](const Tensor& a) { return leaky_relu(a, -0.5f); }, 0.1f, 2,
                       true},
             UnaryCase{"leaky_relu with slope 0", [](const Tensor& a) { return leaky_relu(a, 0.0f); }, 0.1f, 2, true},
             UnaryCase{"tanh", [](const Tensor& a) { return tanh(a); }, -2, 2},
             UnaryCase{"sigmoid", [](const Tensor& a) { return sigmoid(a); }, -4, 4},
             UnaryCase{"softplus", [](const Tensor& a) { return softplus(a); }, -4, 4},
             UnaryCase{"gelu", [](const Tensor& a) { return gelu(a); }, -2, 2},
         })
        check_unary(test);
}

TEST_CASE("Functions without a gradient still agree with their references") {
    for (const UnaryCase& test : {
             UnaryCase{"sign", [](const Tensor& a) { return sign(a); }, 0.1f, 2, true, 0},
             UnaryCase{"positive", [](const Tensor& a) { return positive(a); }, 0.1f, 2, true, 0},
             UnaryCase{"is_finite", [](const Tensor& a) { return is_finite(a); }, -2, 2, false, 0},
         })
        check_unary(test);
    check_binary(
        "greater", [](const Tensor& a, const Tensor& b) { return greater(a, b); }, any, 0);
    check_binary(
        "equal", [](const Tensor& a, const Tensor& b) { return equal(a, b); }, any, 0);
}

TEST_CASE("Functions of two operands broadcast, and their gradients are summed back") {
    check_binary(
        "add", [](const Tensor& a, const Tensor& b) { return a + b; }, any);
    check_binary(
        "sub", [](const Tensor& a, const Tensor& b) { return a - b; }, any);
    check_binary(
        "mul", [](const Tensor& a, const Tensor& b) { return a * b; }, any);
    check_binary(
        "div", [](const Tensor& a, const Tensor& b) { return a / b; }, any);
    check_binary(
        "pow", [](const Tensor& a, const Tensor& b) { return pow(a, b); }, above_zero);
    // Operands shifted apart by seed: nowhere nearer than 0.1.
    const auto apart = [](const Shape& shape, uint64_t seed) {
        return seed == 1 ? distinct(shape, 1, 0.02f) : shift(scale(distinct(shape, 2, 0.02f), 3.0f), 0.0037f);
    };
    check_binary(
        "maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); }, apart);
    check_binary(
        "minimum", [](const Tensor& a, const Tensor& b) { return minimum(a, b); }, apart);
}

TEST_CASE("Functions of three operands") {
    const Shape full{2, 3, 5, 7}, channel{7}, pixel{2, 3, 5, 1};
    check({{.name = "mad",
            .operands = [&]() -> TensorList {
                return {any(full, 1), any(channel, 2), any(pixel, 3)};
            },
            .function = [](const TensorList& in) -> TensorList { return {mad(in[0], in[1], in[2])}; }},
           {.name = "select",
            .operands = [&]() -> TensorList {
                return {any(full, 1), any(channel, 2), any(pixel, 3)};
            },
            .function = [](const TensorList& in) -> TensorList { return {select(positive(in[0]), in[1], in[2])}; }},
           {.name = "prelu, a slope a channel",
            .operands = [&]() -> TensorList {
                return {any(full, 1), any(channel, 2)};
            },
            .function = [](const TensorList& in) -> TensorList { return {prelu(in[0], in[1])}; }},
           {.name = "prelu, one slope",
            .operands = [&]() -> TensorList {
                return {any(full, 1), any({1}, 2)};
            },
            .function = [](const TensorList& in) -> TensorList { return {prelu(in[0], in[1])}; }}});
}

TEST_CASE("A scalar operand is an input of the plan, not part of it") {
    const Tensor x = uniform({5}, 1);
    const Tensor y = x * 2.0f;
    CHECK(computed({y.value()})[0].size() == 5);
    check({{.name = "float operands",
            .operands = []() -> TensorList {
                return {uniform({2, 3, 4, 5}, 1)};
            },
            .function = [](const TensorList& in) -> TensorList { return {(in[0] * 2.5f - 1.0f) / 3.0f}; }}});
}

TEST_CASE("Shapes that do not broadcast are named") {
    const std::string message = message_of([] { uniform({2, 3}, 1) + uniform({4, 3}, 2); });
    CHECK_THAT(message, Catch::Contains("2x3") && Catch::Contains("4x3"));
    CHECK_THAT(message_of([] { Tensor() + uniform({3}, 1); }), Catch::Contains("no tensor"));
}
