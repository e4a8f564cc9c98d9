#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <string>

#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/gru.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/shape.hpp"
#include "tests/graph/uniform.hpp"
#include "tests/occurrences.hpp"

// Channels live where they are needed: see src/plan/homes.hpp.

using namespace liven;
using liven::testing::uniform;

namespace {

Tensor convolved(const Tensor& x, int64_t channels, uint64_t seed) {
    return conv2d(x, uniform({3, 3, x.shape()[-1], channels}, seed), {.padding = symmetric(1)});
}

std::string fused(const Tensor& y) {
    const Value& root = y.value();
    return explain(Engine::current().graph_of({&root, 1}), Engine::current().options(), {.after = PlanStage::fuse});
}

/// The values under both executors; the planned ones are compared with the reference's.
void check_values(const std::function<Tensor()>& make) {
    const std::vector<float> planned = make().to_vector();
    set_executor_kind(ExecutorKind::reference);
    const std::vector<float> expected = make().to_vector();
    set_executor_kind(ExecutorKind::planned);
    double difference = 0, size = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
        difference += std::pow(double{planned[i]} - double{expected[i]}, 2);
        size += std::pow(double{expected[i]}, 2);
    }
    CHECK(std::sqrt(difference) <= 1e-5 * std::sqrt(size));  // a few convolutions in single precision
}

}  // namespace

TEST_CASE("The parts of a concatenation are written where they belong") {
    for (const auto& [a, b] : {std::pair<int64_t, int64_t>{16, 16}, {5, 3}, {1, 33}, {32, 64}}) {
        INFO(a << " and " << b << " channels");
        const auto make = [a = a, b = b] {
            const Tensor x = uniform({2, 9, 7, 4}, 1);
            const Tensor left = relu(convolved(x, a, 2)), right = convolved(left, b, 3);
            return max_pool(concat({left, right}), {.size = 2});
        };
        const std::string plan = fused(make());
        CHECK(count(plan, "concat[axis=3] in place") == 1);
        CHECK(count(plan, "out0 = copy") == 0);
        check_values(make);
    }
}

TEST_CASE("A part that a handle keeps, or that no step makes, is copied to its place") {
    const Tensor x = uniform({2, 5, 5, 6}, 1);
    const Tensor kept = convolved(x, 4, 2), made = convolved(kept, 3, 3);
    const Tensor joined = concat({x, kept, made});
    const Value roots[] = {kept.value(), joined.value()};
    const std::string plan =
        explain(Engine::current().graph_of(roots), Engine::current().options(), {.after = PlanStage::fuse});
    CHECK(count(plan, "concat[axis=3] in place") == 1);
    CHECK(count(plan, "[0:6 of 13] = pointwise") == 1);
    CHECK(count(plan, "[6:10 of 13] = pointwise") == 1);
    CHECK(count(plan, "a handle or a state keeps it") == 1);
    CHECK(count(plan, "no step makes it") == 1);
    const std::vector<float> values = joined.to_vector(), first = x.to_vector(), second = kept.to_vector();
    for (size_t pixel = 0; pixel < 50; ++pixel) {
        for (size_t c = 0; c < 6; ++c) REQUIRE(values[pixel * 13 + c] == first[pixel * 6 + c]);
        for (size_t c = 0; c < 4; ++c) REQUIRE(values[pixel * 13 + 6 + c] == second[pixel * 4 + c]);
    }
}

TEST_CASE("A value has one home: in a second concatenation, or twice in one, it is copied") {
    const auto twice = [] {
        const Tensor y = convolved(uniform({2, 5, 5, 6}, 1), 4, 2);
        return convolved(concat({y, y}), 3, 3);
    };
    CHECK(count(fused(twice()), "it is joined twice") == 2);
    check_values(twice);
    const auto second = [] {
        const Tensor y = convolved(uniform({2, 5, 5, 6}, 1), 4, 2), z = convolved(y, 2, 3);
        return convolved(concat({y, z}), 3, 4) + convolved(concat({relu(z), y}), 3, 5);
    };
    CHECK(count(fused(second()), "it lives elsewhere") >= 1);
    check_values(second);
}

TEST_CASE("A slice of channels is read where it lies, also in the gradient of a concatenation") {
    const auto make = [] {
        const Tensor y = convolved(uniform({2, 5, 7, 3}, 1), 12, 2);
        return convolved(slice(y, {.axis = -1, .begin = 4, .count = 5}), 4, 3);
    };
    const std::string plan = fused(make());
    CHECK(count(plan, "slice[") == 0);
    CHECK(count(plan, "[4:9 of 12]") == 1);
    check_values(make);

    const auto gradient = [] {
        const Tensor x = uniform({2, 6, 6, 4}, 1), w = uniform({3, 3, 4, 16}, 2), v = uniform({3, 3, 16, 16}, 3);
        const Conv2dOptions same{.padding = symmetric(1)};
        const Tensor left = conv2d(x, w, same), right = leaky_relu(conv2d(left, v, same));
        const Gradients g = gradients(sum(square(convolved(concat({left, right}), 8, 4))), {w, v});
        return concat({reshape(g[0], {4 * 9 * 16}), reshape(g[1], {16 * 9 * 16})}, {.axis = 0});
    };
    CHECK(count(fused(gradient()), " = slice[") == 0);
    check_values(gradient);
}

TEST_CASE("The gates of a recurrent unit are read where the product of all steps put them") {
    const GruWeights weights{.kernel = uniform({6, 12}, 1),
                             .recurrent_kernel = uniform({4, 12}, 2),
                             .bias = uniform({12}, 3),
                             .recurrent_bias = uniform({12}, 4)};
    const auto last = [&] { return gru(uniform({2, 5, 6}, 5), uniform({2, 4}, 6), weights).last; };
    CHECK(fused(last()).find("= slice[") == std::string::npos);
    check_values(last);
}
