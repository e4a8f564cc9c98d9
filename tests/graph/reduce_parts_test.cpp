#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "liven/core/environment.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/norm.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/shape.hpp"
#include "tests/graph/relative_distance.hpp"
#include "tests/graph/uniform.hpp"
#include "tests/occurrences.hpp"

// Sums and moments by channel of a concatenation are those of its parts (src/plan/reduce_parts.cpp); sums behind a
// slice of its gradient are taken before the slice (src/plan/sum_before_slices.cpp).

using namespace liven;
using liven::testing::relative_distance;
using liven::testing::uniform;

namespace {

std::string plan_after(const std::vector<Value>& roots, PlanStage stage) {
    return explain(Engine::current().graph_of(roots), Engine::current().options(), {.after = stage});
}

std::vector<float> values_of(const std::vector<Value>& roots) {
    std::vector<float> all;
    Engine::current().evaluate(roots);
    for (const Value& root : roots) {
        const std::vector<float> each = Tensor(root).to_vector();
        all.insert(all.end(), each.begin(), each.end());
    }
    return all;
}

/// The values of both executors agree, those of the planned one are the same bits on one thread and on two.
void check_values(const std::function<std::vector<Value>()>& roots) {
    const int threads = thread_count();
    set_thread_count(1);
    const std::vector<float> one = values_of(roots());
    set_thread_count(2);
    const std::vector<float> two = values_of(roots());
    set_thread_count(threads);
    CHECK(one == two);
    set_executor_kind(ExecutorKind::reference);
    const std::vector<float> expected = values_of(roots());
    set_executor_kind(ExecutorKind::planned);
    CHECK(relative_distance(one, expected) <= 1e-5);  // a few convolutions in single precision
}

Tensor leaky(const Tensor& y) { return leaky_relu(y, 0.2f); }

/// A phase of AttackNet V1: a convolution's result beside what two more make of it, and a batch-norm behind.
struct Phase {
    Tensor x;
    std::function<Tensor(const Tensor&)> activation;
    std::vector<State> states;

    Phase(const Shape& shape, int64_t left, int64_t right, std::function<Tensor(const Tensor&)> act = leaky)
        : x(uniform(shape, 1)), activation(std::move(act)) {
        const int64_t channels[] = {shape[-1], left, right};
        for (int i = 0; i < 2; ++i) {
            states.emplace_back("weights", uniform({3, 3, channels[i], channels[i + 1]}, 2));
            states.emplace_back("bias", uniform({channels[i + 1]}, 3));
        }
        states.emplace_back("gamma", uniform({left + right}, 4));
        states.emplace_back("beta", uniform({left + right}, 5));
    }

    /// Loss, statistics and all gradients; without a norm behind the concatenation the loss alone and its gradients.
    std::vector<Value> roots(bool normed = true) const {
        const auto convolved = [&](const Tensor& in, size_t i) {
            return conv2d(in, states[i].tensor(), {.padding = symmetric(1)}) + states[i + 1].tensor();
        };
        const Tensor y = convolved(x, 0), z = activation(convolved(leaky(y), 2)), joined = concat({y, z});
        const BatchNormResult norm = batch_norm(joined, states[4].tensor(), states[5].tensor());
        const Tensor behind = normed ? norm.y : joined * states[4].tensor() + states[5].tensor();
        const Tensor loss = mean(square(max_pool(behind, {.size = 2})));
        const Gradients all = gradients(loss, states);
        std::vector<Value> roots{loss.value()};
        if (normed) roots.insert(roots.end(), {norm.mean.value(), norm.variance.value()});
        for (size_t i = 0; i < states.size(); ++i) roots.push_back(all.value(i));
        return roots;
    }
};

}  // namespace

TEST_CASE("Statistics behind a concatenation ride in the steps that write its parts") {
    const Phase phase({2, 8, 10, 3}, 16, 16);
    const std::string simple = plan_after(phase.roots(), PlanStage::simplify);
    CHECK(count(simple, "= moments[axes=7]") == 2);
    const std::string plan = plan_after(phase.roots(), PlanStage::fuse);
    CHECK(count(plan, "= moments(") == 2);
    CHECK(count(plan, "= pointwise -> {%0 = in0.full; out0, out1 = moments(") == 0);  // none in a step of its own
    // The joined statistics need no step either.
    CHECK(count(plan, "concat[axis=3] in place") == 3);
}

TEST_CASE("Losses, statistics and gradients behind a concatenation are those of the reference") {
    for (const auto& [left, right] : {std::pair<int64_t, int64_t>{16, 16}, {5, 3}, {1, 33}, {32, 16}}) {
        INFO(left << " and " << right << " channels");
        const Phase phase({2, 9, 7, 3}, left, right);
        check_values([&] { return phase.roots(); });
    }
}

TEST_CASE("A bias gradient behind a concatenation's gradient rides in the step that makes the whole of it") {
    for (const auto& activation :
         {std::function<Tensor(const Tensor&)>(leaky), {[](const Tensor& y) { return tanh(y); }}}) {
        const Phase phase({2, 8, 10, 3}, 16, 32, activation);
        const std::string simple = plan_after(phase.roots(), PlanStage::simplify);
        CHECK(count(simple, "slice[begin=0x0x0x16x0x0 count=1x1x1x32x0x0]") == 1);
        check_values([&] { return phase.roots(); });
    }
}

TEST_CASE("A slice's sum stays where the whole gradient is made without the concatenation, or has poles elsewhere") {
    const Phase plain({2, 8, 10, 3}, 16, 16);
    CHECK(count(plan_after(plain.roots(false), PlanStage::simplify), "count=1x1x1x16") == 0);
    check_values([&] { return plain.roots(false); });
    // The gradient of a square root divides by the part: over the other part that would be no number.
    const Phase poles({2, 8, 10, 3}, 16, 16, [](const Tensor& y) { return sqrt(square(y) + 1.0f); });
    CHECK(count(plan_after(poles.roots(), PlanStage::simplify), "count=1x1x1x16") == 0);
    check_values([&] { return poles.roots(); });
}

TEST_CASE("Sums by sample, of three parts, one of them given, are those of the reference") {
    const Tensor x = uniform({3, 6, 5, 4}, 1), weights = uniform({3, 3, 4, 7}, 2);
    const auto roots = [&] {
        const Tensor made = conv2d(x, weights, {.padding = symmetric(1)});
        const Tensor joined = concat({x, made, relu(made)});
        return std::vector<Value>{sum(joined, {.axes = {1, 2}}).value(), moments(joined, {1, 2}).variance.value(),
                                  mean(joined, {.axes = {0, 1, 2}}).value()};
    };
    // Nothing joins the maps. Sums by sample lie side by side where they are made: they are copied.
    CHECK(count(plan_after(roots(), PlanStage::simplify), "concat[axis=3]") == 3);
    CHECK(count(plan_after(roots(), PlanStage::fuse), "sums by sample are written side by side") > 0);
    check_values(roots);
}

TEST_CASE("Concatenations along an axis that is reduced, and of what is given, are reduced as they are") {
    const Tensor x = uniform({2, 4, 4, 6}, 1), y = uniform({2, 4, 4, 6}, 2);
    for (const bool given : {false, true}) {
        const auto roots = [&] {
            const Tensor joined = given ? concat({x, y}) : concat({exp(x), exp(y)}, {.axis = 0});
            return std::vector<Value>{moments(joined, {0, 1, 2}).variance.value()};
        };
        CHECK(count(plan_after(roots(), PlanStage::simplify), "= moments[") == 1);
        check_values(roots);
    }
}
