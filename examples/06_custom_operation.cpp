// An operation of your own: what it computes, what its gradient is, and the proof that they belong together.
#include <liven/graph/custom_op.hpp>
#include <liven/graph/gradcheck.hpp>
#include <liven/graph/plan.hpp>
#include <liven/ops/activation.hpp>
#include <liven/ops/reduce.hpp>

#include "expect.hpp"

using namespace liven;

namespace {

// Mish (Misra 2019): y = x tanh(softplus(b x)). What it depends on besides its operands stands in a struct, and
// fields() names it: plans for different b are different plans.
struct Mish {
    float b = 1;
    static constexpr std::string_view name = "mish";
    void fields(FieldVisitor& visitor) const { visitor.field("b", static_cast<double>(b)); }
};

const auto mish = custom_operation<Mish>(
    // Forward: operations on tensors. They are fused like any others.
    [](const Mish& op, const TensorList& in) { return in[0] * tanh(softplus(scale(in[0], op.b))); },
    // Gradient: with t = tanh(softplus(b x)), dy/dx = t + x (1 - t^2) b sigmoid(b x). What arrives is multiplied by it.
    [](const Mish& op, Vjp& v) {
        const Tensor x = v.input(0), bx = scale(x, op.b), t = tanh(softplus(bx));
        v.contribute(0, v.gradient() * (t + x * shift(-square(t), 1) * scale(sigmoid(bx), op.b)));
    });

// The same with a mistake that is easily made: half of the product rule is missing.
struct Careless : Mish {
    static constexpr std::string_view name = "careless_mish";
};
const auto careless = custom_operation<Careless>(
    [](const Careless& op, const TensorList& in) { return in[0] * tanh(softplus(scale(in[0], op.b))); },
    [](const Careless& op, Vjp& v) { v.contribute(0, v.gradient() * tanh(softplus(scale(v.input(0), op.b)))); });

}  // namespace

int main() {
    const Tensor x = Tensor::from({-2, -0.5f, 0, 0.7f, 3}, {5});
    const float by_hand = 0.7f * std::tanh(std::log1p(std::exp(2 * 0.7f)));
    expect("mish(0.7) with b = 2", mish({.b = 2}, {x}).data()[3], by_hand);

    const auto right = gradcheck([](const TensorList& in) { return mish({.b = 2}, in); }, {x});
    std::printf("%s\n", right.text.c_str());
    expect("its gradient is right (1: yes)", right.ok ? 1.0f : 0.0f, 1);

    const auto wrong = gradcheck([](const TensorList& in) { return careless({}, in); }, {x});
    std::printf("%s\n", wrong.text.c_str());
    expect("the careless one's is right", wrong.ok ? 1.0f : 0.0f, 0);

    // In the trace it is one node. Before fusion it becomes the operations inside, and those become one kernel.
    const Value y = sum(mish({}, {x})).value();
    const Graph traced = Engine::current().graph_of({&y, 1});
    std::printf("\nexpected: a node named mish here\n%s", traced.str().c_str());
    std::printf("expected: one fused step here\n%s",
                explain(traced, Engine::current().options(), {.after = PlanStage::fuse}).c_str());
    return traced.str().find("mish") == std::string::npos;
}
