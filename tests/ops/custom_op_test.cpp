#include "liven/graph/custom_op.hpp"

#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/gradcheck.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/reduce.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

struct Swish {
    float beta = 1;
    static constexpr std::string_view name = "swish";
    void fields(FieldVisitor& visitor) const { visitor.field("beta", static_cast<double>(beta)); }
};
const auto swish = custom_operation<Swish>(
    [](const Swish& op, const TensorList& in) { return in[0] * sigmoid(scale(in[0], op.beta)); },
    [](const Swish& op, Vjp& v) {
        const Tensor x = v.input(0), s = sigmoid(scale(x, op.beta));
        v.contribute(0, v.gradient() * (s + scale(v.output(), op.beta) * shift(-s, 1.0f)));
    });

/// Passes values on and turns their gradients around (Ganin and Lempitsky 2015): no chain rule gives that.
struct GradientReversal {
    static constexpr std::string_view name = "gradient_reversal";
};
const auto gradient_reversal = custom_operation<GradientReversal>(
    [](const GradientReversal&, const TensorList& in) { return in[0]; },
    [](const GradientReversal&, Vjp& v) { v.contribute(0, -(v.gradient() * v.input(1))); });

/// Two results and no gradient of its own.
struct Polar {
    static constexpr std::string_view name = "polar";
};
const auto polar = custom_operation<Polar>([](const Polar&, const TensorList& in) -> TensorList {
    return {sqrt(square(in[0]) + square(in[1])), in[0] / in[1]};
});

struct Reading {
    static constexpr std::string_view name = "reading";
};
const auto reading = custom_operation<Reading>(
    [](const Reading&, const TensorList& in) { return in[0] * static_cast<float>(in[0].to_vector().size()); });
const auto reading_in_gradient =
    custom_operation<Reading>([](const Reading&, const TensorList& in) { return in[0] + in[0]; },
                              [](const Reading&, Vjp& v) { v.contribute(0, v.gradient() * sum(v.input(0)).item()); });
const auto wrong_gradient =
    custom_operation<Reading>([](const Reading&, const TensorList& in) { return square(in[0]); },
                              [](const Reading&, Vjp& v) { v.contribute(0, v.gradient() * v.input(0)); });
const auto misshapen_gradient =
    custom_operation<Reading>([](const Reading&, const TensorList& in) { return square(in[0]); },
                              [](const Reading&, Vjp& v) { v.contribute(0, sum(v.gradient())); });

}  // namespace

TEST_CASE("A user's operation runs like one of the library's, with the user's gradient or its parts'") {
    for (float beta : {1.0f, 1.5f})
        check({.name = "swish",
               .operands = []() -> TensorList {
                   return {uniform({2, 3, 5, 7}, 1)};
               },
               .function = [=](const TensorList& in) -> TensorList { return {swish({.beta = beta}, in)}; }});
    check({{.name = "polar",
            .operands = []() -> TensorList {
                return {uniform({5, 7}, 1, 0.5f, 1.5f), uniform({7}, 2, 0.5f, 1.5f)};
            },
            .function = [](const TensorList& in) -> TensorList { return polar.results({}, in); }}});
}

TEST_CASE("A user's operation is one node until the plan is made") {
    const Tensor y = swish({}, {uniform({3}, 1)});
    const Value& value = y.value();
    CHECK(Engine::current().graph_of({&value, 1}).order().size() == 2);
    CHECK(describe(*y.node()) == "swish[beta=1]");
}

TEST_CASE("The user's gradient is the one that counts") {
    const Tensor x = uniform({4}, 1);
    const Tensor y = gradient_reversal({}, {x, 0.5f});
    CHECK(y.to_vector() == x.to_vector());
    CHECK(gradients(sum(y), {x})[0].to_vector() == std::vector<float>(4, -0.5f));
}

TEST_CASE("Type and attributes of a user's operation are part of the plan, float operands are not") {
    const auto made = [](const Tensor& y) {
        const int64_t before = Engine::current().statistics().plans_made;
        y.to_vector();
        return Engine::current().statistics().plans_made - before;
    };
    Engine::current().clear_plans();
    const Tensor x = uniform({3}, 1);
    CHECK(made(swish({.beta = 2}, {x})) == 1);
    CHECK(made(swish({.beta = 2}, {x})) == 0);
    CHECK(made(swish({.beta = 3}, {x})) == 1);
    CHECK(made(wrong_gradient({}, {x})) == 1);
    CHECK(made(misshapen_gradient({}, {x})) == 1);
    CHECK(made(gradient_reversal({}, {x, 1.0f})) == 1);
    CHECK(made(gradient_reversal({}, {x, 2.0f})) == 0);
}

TEST_CASE("Lambdas of a user's operation cannot read numbers") {
    const Tensor x = uniform({3}, 1);
    CHECK_THAT(message_of([&] { reading({}, {x}); }), Catch::Contains("cannot read"));
    const Tensor y = sum(reading_in_gradient({}, {x}));
    CHECK_THAT(message_of([&] { gradients(y, {x})[0].to_vector(); }), Catch::Contains("cannot read"));
    CHECK(y.item() == Approx(2 * sum(x).item()));  // the engine goes on working
}

TEST_CASE("The gradient checker finds a user's mistake, and says where") {
    const GradcheckReport report =
        gradcheck([](const TensorList& in) { return wrong_gradient({}, in); }, {uniform({2, 3}, 1, 0.5f, 1)});
    CHECK_FALSE(report);
    CHECK(report.error == Approx(1.0).epsilon(0.5));
    CHECK_THAT(report.text, Catch::Contains("wrong gradient: input 0 (2x3)"));
    CHECK_THAT(message_of([] {
                   const Tensor x = uniform({3}, 1);
                   gradients(sum(misshapen_gradient({}, {x})), {x})[0].to_vector();
               }),
               Catch::Contains("reading") && Catch::Contains("scalar") && Catch::Contains("3"));
}
