#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "liven/core/error.hpp"
#include "liven/graph/engine.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/optim/accumulator.hpp"
#include "liven/optim/optimizer.hpp"

using namespace liven;

namespace {

using Parameters = std::span<const Parameter>;

Parameter two_numbers() { return Parameter("w", Tensor::from({1, -2}, {2})); }

Sgd::Options plain(float rate) {
    Sgd::Options options;
    options.learning_rate = rate;
    return options;
}

}  // namespace

TEST_CASE("A step with a loss or gradient that is not finite changes nothing, is counted, and training goes on") {
    Parameter w = two_numbers();
    Adam adam(Parameters(&w, 1));
    const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    for (const float bad : {nan, infinity, -infinity}) {
        adam.step(gradients(sum(w.tensor() * bad), Parameters(&w, 1)));
        CHECK_FALSE(adam.last_step_applied());
    }
    CHECK(w.tensor().to_vector() == std::vector<float>{1, -2});
    for (const State& state : adam.states()) CHECK(state.tensor().to_vector() == std::vector<float>{0, 0});
    CHECK(adam.skipped() == 3);
    CHECK(adam.steps() == 0);
    adam.step(gradients(sum(w.tensor() * 3.0f), Parameters(&w, 1)));
    CHECK(adam.last_step_applied());
    CHECK(adam.steps() == 1);
    // Adam's first step moves each weight by the rate: the bias correction did not count the skipped steps.
    CHECK(w.tensor().to_vector()[0] == Approx(1 - 1e-3).epsilon(1e-6));
}

TEST_CASE("Clipping by value bounds each element") {
    Parameter w("w", Tensor::zeros({3}));
    Sgd::Options options = plain(1);
    options.clip_value = 0.5f;
    Sgd sgd(Parameters(&w, 1), options);
    sgd.step(gradients(sum(w.tensor() * Tensor::from({0.25f, 2, -7}, {3})), Parameters(&w, 1)));
    CHECK(w.tensor().to_vector() == std::vector<float>{-0.25f, -0.5f, 0.5f});
}

TEST_CASE("Another learning rate and step number run the same plan") {
    Parameter w = two_numbers();
    Adam adam(Parameters(&w, 1));
    const auto step = [&] { adam.step(gradients(sum(square(w.tensor())), Parameters(&w, 1))); };
    step();
    const int64_t made = Engine::current().statistics().plans_made;
    for (int i = 0; i < 4; ++i) {
        adam.set_learning_rate(adam.learning_rate() * 0.5f);
        step();
    }
    CHECK(Engine::current().statistics().plans_made == made);
}

TEST_CASE("Accumulated micro-batches make the step of the whole batch") {
    const Tensor x = Tensor::from({1, 2, -1, 0.5f, 3, -2, 0.25f, 1}, {4, 2}), y = Tensor::from({1, 0, 2, -1}, {4, 1});
    const auto loss_of = [](const Parameter& w, const Tensor& rows, const Tensor& targets) {
        return mean(square(matmul(rows, w.tensor()) - targets));
    };
    Parameter whole("w", Tensor::from({0.5f, -0.5f}, {2, 1})), parts("w", Tensor::from({0.5f, -0.5f}, {2, 1}));
    Sgd whole_sgd(Parameters(&whole, 1), plain(0.1f)), parts_sgd(Parameters(&parts, 1), plain(0.1f));
    GradientAccumulator accumulator(Parameters(&parts, 1));
    for (int step = 0; step < 3; ++step) {
        whole_sgd.step(gradients(loss_of(whole, x, y), Parameters(&whole, 1)));
        for (int64_t half = 0; half < 2; ++half) {
            const Tensor rows = slice(x, {.axis = 0, .begin = 2 * half, .count = 2});
            const Tensor targets = slice(y, {.axis = 0, .begin = 2 * half, .count = 2});
            accumulator.add(gradients(loss_of(parts, rows, targets), Parameters(&parts, 1)));
        }
        CHECK(accumulator.count() == 2);
        parts_sgd.step(accumulator);
        CHECK(accumulator.count() == 0);
        for (size_t i = 0; i < 2; ++i)
            // The same sums in another order.
            CHECK(parts.tensor().to_vector()[i] == Approx(whole.tensor().to_vector()[i]).epsilon(1e-6));
    }
    CHECK_THROWS_AS(parts_sgd.step(accumulator), Error);
}

TEST_CASE("A spoilt micro-batch skips the step, and the next starts afresh") {
    Parameter w = two_numbers();
    Sgd sgd(Parameters(&w, 1), plain(1));
    GradientAccumulator accumulator(Parameters(&w, 1));
    for (const float factor : {1.0f, std::numeric_limits<float>::quiet_NaN(), 1.0f})
        accumulator.add(gradients(sum(w.tensor() * factor), Parameters(&w, 1)));
    sgd.step(accumulator);
    CHECK(sgd.skipped() == 1);
    CHECK(w.tensor().to_vector() == std::vector<float>{1, -2});
    accumulator.add(gradients(sum(w.tensor() * 2.0f), Parameters(&w, 1)));
    sgd.step(accumulator);
    CHECK(w.tensor().to_vector() == std::vector<float>{-1, -4});
}

TEST_CASE("The states of an optimiser carry the names of their parameters") {
    const Parameter w = two_numbers();
    const Adam adam(Parameters(&w, 1));
    REQUIRE(adam.states().size() == 2);
    CHECK(adam.states()[0].name() == "w/m");
    CHECK(adam.states()[1].name() == "w/v");
}

TEST_CASE("Gradients of other parameters are refused by number, and so is an optimiser of nothing") {
    Parameter a = two_numbers();
    Sgd sgd(Parameters(&a, 1));
    const Tensor loss = sum(a.tensor());
    CHECK_THROWS_AS(sgd.step(gradients(loss, {a.tensor(), a.tensor()})), Error);
    CHECK_THROWS_AS(Sgd(Parameters()), Error);
    CHECK_THROWS_AS(GradientAccumulator(Parameters()), Error);
}

TEST_CASE("The graph of a step can be had without making the step") {
    Parameter w = two_numbers();
    Adam adam(Parameters(&w, 1), {.clip_norm = 1});
    const Graph graph = adam.trace_step(gradients(sum(square(w.tensor())), Parameters(&w, 1)));
    int64_t assigned = 0;
    for (const Graph::Root& root : graph.roots) assigned += root.assigns >= 0 ? 1 : 0;
    CHECK(assigned == 3);  // the parameter and Adam's two moments
    CHECK(graph.str().find("adam_update") != std::string::npos);
    CHECK(graph.str().find("gradient_guard") != std::string::npos);
    CHECK(w.tensor().to_vector() == std::vector<float>{1, -2});
    for (const State& state : adam.states()) CHECK(state.tensor().to_vector() == std::vector<float>{0, 0});
    CHECK(adam.steps() == 0);
    CHECK(adam.skipped() == 0);
    // The step itself is the one it would have been.
    Parameter v = two_numbers();
    Adam other(Parameters(&v, 1), {.clip_norm = 1});
    adam.step(gradients(sum(square(w.tensor())), Parameters(&w, 1)));
    other.step(gradients(sum(square(v.tensor())), Parameters(&v, 1)));
    CHECK(w.tensor().to_vector() == v.tensor().to_vector());
}
