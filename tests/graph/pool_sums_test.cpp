#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/dropout.hpp"
#include "liven/ops/norm.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/shape.hpp"
#include "tests/graph/uniform.hpp"

// Sums over the gradient of a max pool are taken over the pooled map (src/plan/sum_behind_pools.cpp); cheap steps are
// computed again in their readers (src/plan/recompute.cpp).

using namespace liven;
using liven::testing::uniform;

namespace {

struct Case {
    Tensor x;
    State input, gamma, beta;

    explicit Case(const Shape& shape)
        : x(uniform(shape, 1)),
          input("input", uniform(shape, 2)),
          gamma("gamma", uniform({shape[-1]}, 3)),
          beta("beta", uniform({shape[-1]}, 4)) {}

    std::vector<Value> results(const PoolOptions& pool, bool varied) const {
        Tensor y = batch_norm(x * input.tensor(), gamma.tensor(), beta.tensor()).y;
        if (varied) y = y + x;
        const Tensor loss = sum(square(max_pool(y, pool)));
        const std::vector<State> states{input, gamma, beta};
        const Gradients all = gradients(loss, states);
        return {loss.value(), all.value(0), all.value(1), all.value(2)};
    }
};

std::string plan_of(const std::vector<Value>& roots, PlanStage stage) {
    return explain(Engine::current().graph_of(roots), Engine::current().options(), {.after = stage});
}

std::vector<float> all_values(const std::vector<Value>& roots) {
    std::vector<float> values;
    for (const Value& root : roots) {
        const std::vector<float> each = Tensor(root).to_vector();
        values.insert(values.end(), each.begin(), each.end());
    }
    return values;
}

void check_against_reference(const Case& c, const PoolOptions& pool, bool varied) {
    const std::vector<float> planned = all_values(c.results(pool, varied));
    set_executor_kind(ExecutorKind::reference);
    const std::vector<float> expected = all_values(c.results(pool, varied));
    set_executor_kind(ExecutorKind::planned);
    REQUIRE(planned.size() == expected.size());
    double difference = 0, size = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
        difference += std::pow(double{planned[i]} - double{expected[i]}, 2);
        size += std::pow(double{expected[i]}, 2);
    }
    CHECK(std::sqrt(difference) <= 1e-5 * std::sqrt(size));  // sums of a few hundred values in single precision
}

}  // namespace

TEST_CASE("Behind a batch-norm the sums over a pool's gradient are taken over the pooled map") {
    const Case c({2, 10, 8, 5});
    const std::string plan = plan_of(c.results({.size = 2}, false), PlanStage::simplify);
    CHECK(plan.find("max_pool_pick") != std::string::npos);
    CHECK(plan.find("max_pool[") == std::string::npos);
    // Whatever is still summed over pixels is pooled, but for the moments themselves.
    for (size_t at = plan.find("reduce_sum[axes=7]"); at != std::string::npos;
         at = plan.find("reduce_sum[axes=7]", at + 1)) {
        const size_t operand = plan.find('%', at), end = plan.find(')', operand);
        const std::string made = plan.substr(operand, end - operand) + " = ";
        const size_t line = plan.find(made);
        REQUIRE(line != std::string::npos);
        CHECK(plan.substr(line, plan.find('\n', line) - line).find("2x5x4x5") != std::string::npos);
    }
}

TEST_CASE("Its results are those of the reference, for windows of every kind and factors of every sign") {
    // Overlapping windows, padding, and a last row and column in no window.
    for (const PoolOptions& pool :
         {PoolOptions{.size = 2}, PoolOptions{.size = 3, .stride = 2, .padding = symmetric(1)},
          PoolOptions{.size = 3, .stride = 1}, PoolOptions{.size = 2, .stride = 3}})
        for (const Shape& shape : {Shape{2, 9, 7, 3}, Shape{1, 8, 8, 16}, Shape{3, 6, 10, 20}}) {
            INFO("window " << pool.size.h << " stride " << pool.stride.h << " over " << shape);
            check_against_reference(Case(shape), pool, false);
        }
}

TEST_CASE("An operand that varies over pixels keeps the pool as it is") {
    const Case c({2, 8, 8, 4});
    CHECK(plan_of(c.results({.size = 2}, true), PlanStage::simplify).find("max_pool_pick") == std::string::npos);
    check_against_reference(c, {.size = 2}, true);
}

TEST_CASE("A gradient multiplied by the pool's own operand, or asked for before the loss, is left right") {
    const State weights("weights", uniform({3, 3, 3, 4}, 1)), bias("bias", uniform({4}, 2));
    const Tensor x = uniform({2, 8, 8, 3}, 3), factor = uniform({2, 4, 4, 4}, 4);
    const auto values = [&](int form) {
        const Tensor made = conv2d(x, weights.tensor(), {.padding = symmetric(1)});
        if (form == 0) {  // the gradient of exp multiplies by what is pooled
            const Tensor y = max_pool(exp(made + bias.tensor()), {.size = 2});
            const std::vector<State> states{bias};
            return gradients(sum(y * y), states)[0].to_vector();
        }
        const Tensor y = max_pool(made * bias.tensor(), {.size = 2});
        const std::vector<State> states{bias};
        const Tensor loss = sum(y * factor);
        const Gradients all = gradients(loss, states);
        const Value roots[] = {all.value(0), loss.value()};  // the pool comes after the sum over its gradient
        Engine::current().evaluate(roots);
        return Tensor(all.value(0)).to_vector();
    };
    for (const int form : {0, 1}) {
        INFO("form " << form);
        const std::vector<float> planned = values(form);
        set_executor_kind(ExecutorKind::reference);
        const std::vector<float> expected = values(form);
        set_executor_kind(ExecutorKind::planned);
        for (size_t i = 0; i < expected.size(); ++i) CHECK(planned[i] == Approx(expected[i]).epsilon(1e-4));
    }
}

TEST_CASE("A mask of dropout between a factor and the pool keeps the pool as it is") {
    const Tensor x = uniform({2, 8, 8, 4}, 1);
    const auto values = [&] {
        const Tensor dropped =
            dropout(x, 0.5f, {.seed = Tensor::counter(3), .forward = Tensor::counter(1), .layer = 7});
        const Tensor y = max_pool(dropped, {.size = 2}), loss = sum(y * y);
        const Tensor gradient = gradients(loss, {dropped})[0];
        return (loss + sum(sum(gradient * x, {.axes = {0, 1, 2}}))).item();
    };
    const float planned = values();
    set_executor_kind(ExecutorKind::reference);
    const float expected = values();
    set_executor_kind(ExecutorKind::planned);
    CHECK(planned == Approx(expected).epsilon(1e-5));
}

TEST_CASE("The gradient of a pool is made again where it is read when that moves fewer bytes") {
    // The mean must be known before it is taken off, so the gradient is read a second time. Its operands are one map
    // and a quarter: less than writing one and reading one.
    const State input("input", uniform({4, 128, 128, 16}, 1));
    const std::vector<State> states{input};
    const auto centred = [&] {
        const Tensor loss = sum(square(max_pool(input.tensor(), {.size = 2})));
        const Tensor gradient(gradients(loss, states).value(0));
        return gradient - mean(gradient, {.axes = {0, 1, 2}});
    };
    const Tensor made = centred();
    const std::string plan = plan_of({made.value()}, PlanStage::fuse);
    CHECK(plan.find("max_pool_grad is computed again here rather than read") != std::string::npos);
    CHECK(plan.find("computed again rather than stored: 4.00 MiB of maps, 3.00 MiB less to read and write") !=
          std::string::npos);
    const std::vector<float> planned = made.to_vector();
    set_executor_kind(ExecutorKind::reference);
    const std::vector<float> expected = centred().to_vector();
    set_executor_kind(ExecutorKind::planned);
    double worst = 0;
    for (size_t i = 0; i < expected.size(); ++i)
        worst = std::max(worst, std::abs(double{planned[i]} - double{expected[i]}));
    CHECK(worst < 1e-6);  // one rounding of a mean
}
