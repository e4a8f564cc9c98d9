#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "liven/core/environment.hpp"
#include "liven/core/log.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/optim/accumulator.hpp"
#include "liven/optim/optimizer.hpp"
#include "tests/graph/uniform.hpp"

// What is meant by lazy: evaluation is pure, and only a commit changes anything.

using namespace liven;
using liven::testing::uniform;

namespace {

using Parameters = std::span<const Parameter>;

/// While one lives, messages are collected instead of shown.
struct Messages {
    std::string text;
    int before = verbosity();
    explicit Messages(int level) {
        set_verbosity(level);
        set_log_sink([this](LogLevel, std::string_view message) { text.append(message).append("\n"); });
    }
    ~Messages() {
        set_log_sink({});
        set_verbosity(before);
    }
    bool contain(std::string_view what) const { return text.find(what) != std::string::npos; }
};

/// A dense layer so wide that its gradient is not worth storing, trained on a few rows.
struct Wide {
    explicit Wide(int64_t rows = 6) : x(uniform({rows, 1024}, 2)), target(uniform({rows, 96}, 3)) {}
    Parameter w{"wide", scaled(uniform({1024, 96}, 1))};
    Tensor x, target;
    static Tensor scaled(const Tensor& t) { return t * 0.05f; }
    Parameters parameters() const { return {&w, 1}; }
    Tensor loss(float decay) const {
        const Tensor error = mean(square(tanh(matmul(x, w)) - target));
        return decay > 0 ? error + sum(square(w.tensor())) * decay : error;
    }
};

struct Trained {
    std::vector<float> weights;
    float norm = 0;
};

Trained trained(int64_t rows, float decay, float clip_norm, ExecutorKind executor) {
    const ExecutorKind before = executor_kind();
    set_executor_kind(executor);
    Wide layer(rows);
    Adam adam(layer.parameters(), {.learning_rate = 1e-2f, .clip_norm = clip_norm});
    for (int i = 0; i < 3; ++i) adam.step(gradients(layer.loss(decay), layer.parameters()));
    set_executor_kind(before);
    return {layer.w.tensor().to_vector(), adam.gradient_norm()};
}

}  // namespace

TEST_CASE("A kept handle keeps its value through a step, and changes none") {
    Wide with, without;
    Sgd keeping(with.parameters(), {.learning_rate = 0.5f}), plain(without.parameters(), {.learning_rate = 0.5f});
    const Tensor kept = matmul(with.x, with.w);
    const std::vector<float> before = matmul(without.x, without.w).to_vector();
    keeping.step(gradients(mean(square(tanh(kept) - with.target)), with.parameters()));
    plain.step(gradients(without.loss(0), without.parameters()));
    CHECK(kept.to_vector() == before);
    CHECK(with.w.tensor().to_vector() == without.w.tensor().to_vector());
    CHECK(matmul(with.x, with.w).to_vector() != before);
}

TEST_CASE("LIVEN_VERBOSE=1 names what a kept handle costs, once a plan") {
    Wide layer;
    Sgd sgd(layer.parameters(), {.learning_rate = 0.5f});
    const Messages messages(1);
    const Tensor kept = matmul(layer.x, layer.w) * 3.0f;
    sgd.step(gradients(mean(square(kept)), layer.parameters()));
    CHECK(messages.contain("somebody holds mul"));
    CHECK(messages.contain("6x96"));
}

TEST_CASE("Assigning a parameter commits what was recorded with its old value") {
    State w("w", Tensor::from({1, 2}, {2}));
    const Tensor doubled = w.tensor() * 2.0f;
    w.assign(Tensor::from({10, 20}, {2}));
    CHECK(doubled.to_vector() == std::vector<float>{2, 4});
    CHECK((w.tensor() * 2.0f).to_vector() == std::vector<float>{20, 40});
}

TEST_CASE("Numbers once read stay as they are when their parameter moves on") {
    Wide layer;
    Sgd sgd(layer.parameters(), {.learning_rate = 0.5f});
    const Tensor copy = layer.w.tensor();
    const std::vector<float> before = copy.to_vector();
    sgd.step(gradients(layer.loss(0), layer.parameters()));
    CHECK(layer.w.tensor().to_vector() != before);
}

TEST_CASE("Under no_grad reading cuts the graph: what was read is not computed again") {
    const NoGrad no_grad;
    const Tensor x = uniform({4, 4}, 1), y = tanh(x);
    const std::vector<float> values = y.to_vector();
    const int64_t recomputed = Engine::current().statistics().recomputed;
    const Tensor z = y * 2.0f;
    CHECK(z.to_vector()[0] == 2.0f * values[0]);
    CHECK(y.node()->is_leaf());
    CHECK(Engine::current().statistics().recomputed == recomputed);
}

TEST_CASE("Float operands are inputs of a plan; options and kept handles are its structure") {
    const Tensor x = uniform({8}, 1);
    const auto plans = [] { return Engine::current().statistics().plans_made; };
    (x * 0.25f).to_vector();
    const int64_t made = plans();
    for (float factor : {0.5f, 0.75f, 3.0f}) CHECK((x * factor).to_vector()[0] == x.to_vector()[0] * factor);
    CHECK(plans() == made);
    leaky_relu(x, 0.1f).to_vector();
    leaky_relu(x, 0.3f).to_vector();
    CHECK(plans() == made + 2);
}

TEST_CASE("Plans that differ in one attribute again and again are warned of, by its name") {
    const Tensor x = uniform({8}, 1);
    const Messages messages(0);
    for (int i = 1; i <= 5; ++i) leaky_relu(x, 0.01f * static_cast<float>(i)).to_vector();
    CHECK(messages.contain("made again and again"));
    CHECK(messages.contain("leaky_relu"));
}

TEST_CASE("The gradient of a wide dense layer is never stored") {
    // Its norm comes from two matrices or, beyond 64 rows, from the product turned round, which writes one number.
    const int64_t rows = GENERATE(6, 64, 65, 100);
    Wide layer(rows);
    Engine::current().set_profiling(true);
    Adam adam(layer.parameters());
    adam.step(gradients(layer.loss(0), layer.parameters()));
    const std::vector<ProfileEntry> steps = Engine::current().profile();
    Engine::current().set_profiling(false);
    // The product that makes it ends in the update: weights and two moments are all it writes.
    int products = 0, norms = 0;
    for (const ProfileEntry& step : steps) {
        if (step.name.find("matmul[transpose_a=1") != 0) continue;
        if (rows > 64 && step.name.find("out0 = sum") != std::string::npos) {
            CHECK(step.name.find("out1") == std::string::npos);
            ++norms;
            continue;
        }
        ++products;
        CHECK(step.name.find("sqrt") != std::string::npos);
        CHECK(step.name.find("out2") != std::string::npos);
        CHECK(step.name.find("out3") == std::string::npos);
    }
    CHECK(products == 1);
    CHECK(norms == (rows > 64 ? 1 : 0));
}

TEST_CASE("Norm and update without the gradient are those with it") {
    const int64_t rows = GENERATE(6, 70);
    for (const float decay : {0.0f, 0.01f})
        for (const float clip : {0.0f, 1e-3f}) {
            INFO(rows << " rows, decay " << decay << ", clip " << clip);
            const Trained planned = trained(rows, decay, clip, ExecutorKind::planned),
                          reference = trained(rows, decay, clip, ExecutorKind::reference);
            CHECK(planned.norm == Approx(reference.norm).epsilon(1e-5));
            double difference = 0, moved = 0;
            const std::vector<float> start = Wide().w.tensor().to_vector();
            for (size_t i = 0; i < start.size(); ++i) {
                difference += std::pow(double{planned.weights[i]} - double{reference.weights[i]}, 2);
                moved += std::pow(double{reference.weights[i]} - double{start[i]}, 2);
            }
            // Adam divides by the gradient's size: where that is all but zero, rounding decides the direction.
            CHECK(std::sqrt(difference / moved) < 1e-3);
        }
}

TEST_CASE("Accumulation stores the wide gradient, and the plan says so") {
    Wide layer(GENERATE(6, 70));
    GradientAccumulator accumulator(layer.parameters());
    const Messages messages(1);
    accumulator.add(gradients(layer.loss(0), layer.parameters()));
    CHECK(messages.contain("the gradient of this layer is stored"));
}

TEST_CASE("A skipped step is counted by the engine") {
    Wide layer;
    Sgd sgd(layer.parameters());
    const int64_t skipped = Engine::current().statistics().steps_skipped;
    sgd.step(gradients(layer.loss(0) * std::numeric_limits<float>::infinity(), layer.parameters()));
    CHECK(Engine::current().statistics().steps_skipped == skipped + 1);
    sgd.step(gradients(layer.loss(0), layer.parameters()));
    CHECK(Engine::current().statistics().steps_skipped == skipped + 1);
}

TEST_CASE("The graph of a commit assigns moving averages too, and tracing it changes nothing") {
    const State running("running", uniform({3}, 5)), weights("weights", uniform({4, 3}, 6));
    const std::vector<float> before = running.tensor().to_vector();
    const Tensor y = mean(weights.tensor() * 2.0f, {.axes = {0}});
    update_on_commit(y, running, {.momentum = 0.5f});
    const Assignment assignments[] = {{weights, (weights.tensor() - y).value()}};
    const Graph graph = trace_commit(assignments, {}, {});
    CHECK(std::count_if(graph.roots.begin(), graph.roots.end(), [](const auto& root) { return root.assigns >= 0; }) ==
          2);
    CHECK(running.tensor().to_vector() == before);
}
