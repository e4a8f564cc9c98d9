#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "liven/core/environment.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/dropout.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/norm.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/shape.hpp"
#include "tests/graph/relative_distance.hpp"
#include "tests/graph/uniform.hpp"
#include "tests/occurrences.hpp"

// Plans that keep to a limit of their arena (src/plan/arena_limit.cpp, src/plan/rematerialize.cpp).

using namespace liven;
using liven::testing::relative_distance;
using liven::testing::uniform;

namespace {

/// Restores the engine's limit.
struct Limit {
    explicit Limit(int64_t bytes) { Engine::current().set_arena_limit(bytes); }
    ~Limit() { Engine::current().set_arena_limit(0); }
};

/// Residual blocks, a pool between, a wide skip at the end, dropout: what networks are made of.
struct Network {
    static constexpr int kBlocks = 6;
    Tensor x = uniform({8, 48, 40, 3}, 1);
    std::vector<State> states;

    Network() {
        add("stem", {3, 3, 3, 16});
        for (int i = 0; i < 2 * kBlocks; ++i) {
            add("conv", {3, 3, 16, 16});
            add("gamma", {16});
            add("beta", {16});
        }
        add("last", {3, 3, 32, 16});
        add("dense", {16, 2});
    }
    void add(const char* name, const Shape& shape) {
        states.emplace_back(name, uniform(shape, static_cast<int>(states.size()) + 2));
    }

    Tensor normalised(const Tensor& y, size_t i) const {
        return batch_norm(y, states[i + 1].tensor(), states[i + 2].tensor()).y;
    }
    Tensor block(const Tensor& y, size_t i) const {
        Tensor z = relu(normalised(conv2d(y, states[i].tensor(), {.padding = symmetric(1)}), i));
        z = normalised(conv2d(z, states[i + 3].tensor(), {.padding = symmetric(1)}), i + 3);
        return relu(z + y);
    }
    std::vector<Value> results() const {
        const Scope scope("net");
        const Tensor stem = leaky_relu(conv2d(x, states[0].tensor(), {.padding = symmetric(1)}), 0.2f);
        Tensor y = stem;
        for (int i = 0; i < kBlocks; ++i) {
            y = block(y, 1 + 6 * static_cast<size_t>(i));
            if (i == 2) y = dropout(y, 0.3f, {.seed = Tensor::counter(7), .forward = Tensor::counter(0), .layer = 3});
        }
        y = conv2d(concat({y, stem}), states[states.size() - 2].tensor(), {.padding = symmetric(1)});
        const Tensor loss =
            sum(square(matmul(mean(max_pool(tanh(y), {.size = 2}), {.axes = {1, 2}}), states.back().tensor())));
        const Gradients all = gradients(loss, states);
        std::vector<Value> values{loss.value()};
        for (size_t i = 0; i < all.size(); ++i) values.push_back(all.value(i));
        return values;
    }
    PlanMemory memory() const {
        const std::vector<Value> roots = results();
        return make_plan(Engine::current().graph_of(roots), Engine::current().options())->memory();
    }
    std::vector<std::vector<float>> numbers() const {
        const std::vector<Value> roots = results();
        Engine::current().evaluate(roots);
        std::vector<std::vector<float>> numbers;
        for (const Value& root : roots) numbers.push_back(Tensor(root).to_vector());
        return numbers;
    }
};

}  // namespace

TEST_CASE("A limited arena is kept to, and what it costs is told") {
    const Network net;
    const PlanMemory whole = net.memory();
    CHECK(whole.repeated == 0);
    double before = 0;
    for (const double share : {1.0, 0.9, 0.75, 0.6}) {
        const Limit limit(static_cast<int64_t>(share * static_cast<double>(whole.arena_bytes)));
        const PlanMemory memory = net.memory();
        INFO(share << ": " << memory.arena_bytes << " of " << whole.arena_bytes << ", repeated " << memory.repeated);
        CHECK(memory.arena_bytes <= Engine::current().options().arena_limit);
        CHECK((share == 1.0) == (memory.repeated == 0));
        CHECK(memory.repeated >= before);
        CHECK(memory.repeated < 0.34);  // at most the forward pass, a third of a step
        before = memory.repeated;
    }
}

TEST_CASE("Loss and gradients under a limit are those without, and have the same bits on one thread and two") {
    const Network net;
    const int threads = thread_count();
    const std::vector<std::vector<float>> whole = net.numbers();
    const int64_t arena = net.memory().arena_bytes;
    for (const double share : {0.9, 0.75, 0.6}) {
        const Limit limit(static_cast<int64_t>(share * static_cast<double>(arena)));
        set_thread_count(1);
        const std::vector<std::vector<float>> one = net.numbers();
        set_thread_count(2);
        const bool same_bits = net.numbers() == one;
        CHECK(same_bits);
        // Sums may ride in other steps and so be added in another order: a few units in the last place, which twelve
        // layers of batch-norm carry on.
        for (size_t i = 0; i < whole.size(); ++i) CHECK(relative_distance(one[i], whole[i]) < 1e-5);
    }
    set_thread_count(threads);
}

TEST_CASE("A limit that nothing keeps to is an error that names the least arena") {
    const Network net;
    const Limit limit(200'000);
    CHECK_THROWS_WITH(net.memory(), Catch::Contains("the plan needs an arena of at least") &&
                                        Catch::Contains("the limit leaves 0 MB") && Catch::Contains("--batch"));
}

TEST_CASE("The graph shows what is computed again, and that it waits for the gradient") {
    const Network net;
    const Limit limit(net.memory().arena_bytes * 7 / 10);
    const std::vector<Value> roots = net.results();
    const std::string text =
        explain(Engine::current().graph_of(roots), Engine::current().options(), {.after = PlanStage::rematerialize});
    CHECK(count(text, "= after(") > 0);
    CHECK(count(text, "= conv2d[") > 2 + 2 * Network::kBlocks);
    const std::string plan =
        explain(Engine::current().graph_of(roots), Engine::current().options(), {.after = PlanStage::schedule});
    CHECK(count(plan, "# again") > 0);
}

TEST_CASE("Where nothing is held for a backward pass there is nothing to repeat") {
    const Network net;
    const Tensor y = conv2d(net.x, net.states[0].tensor(), {.padding = symmetric(1)});
    const Tensor z = conv2d(y, net.states[1].tensor(), {.padding = symmetric(1)});
    const Limit limit(1000);
    const Value root = sum(z).value();
    CHECK_THROWS_WITH(make_plan(Engine::current().graph_of({&root, 1}), Engine::current().options()),
                      Catch::Contains("at least"));
}
