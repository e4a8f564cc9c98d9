#include <catch2/catch.hpp>

#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/loss.hpp"
#include "liven/ops/reduce.hpp"

using namespace liven;

TEST_CASE("Operations record, and numbers come when they are asked for") {
    const int64_t runs = Engine::current().statistics().runs;
    const Tensor a = Tensor::from({1, 2, 3, 4}, {2, 2}), b = Tensor::from({10, 20}, {2});
    const Tensor c = relu(a * 2.0f - b) + b;
    CHECK(Engine::current().statistics().runs == runs);
    CHECK(c.to_vector() == std::vector<float>{10, 20, 10, 20});
    CHECK(Engine::current().statistics().runs == runs + 1);
}

TEST_CASE("A gradient is recorded as one request and expanded when a plan is made") {
    const Tensor x = Tensor::from({1, -2, 3}, {3});
    const Tensor loss = sum(square(x) * 0.5f);
    const Gradients g = gradients(loss, {x});
    CHECK(g[0].to_vector() == std::vector<float>{1, -2, 3});
    CHECK(loss.item() == 7.0f);
}

TEST_CASE("Gradients of gradients") {
    const Tensor x = Tensor::from({2, 3}, {2});
    const Gradients first = gradients(sum(x * x * x), {x});
    const Gradients second = gradients(sum(first[0]), {x});
    CHECK(second[0].to_vector() == std::vector<float>{12, 18});
}

TEST_CASE("The second step runs the plan of the first") {
    State w("w", Tensor::from({0.5f, -0.25f}, {2, 1}));
    const int64_t made = Engine::current().statistics().plans_made;
    for (int step = 0; step < 3; ++step) {
        const Tensor x = Tensor::from({1, 2, 3, 4}, {2, 2});
        const Tensor loss = mean(square(matmul(x, w) - Tensor::from({1, 2}, {2, 1})));
        const Assignment update{w, (w.tensor() - gradients(loss, {w.tensor()})[0] * 0.01f).value()};
        commit({&update, 1});
    }
    CHECK(Engine::current().statistics().plans_made == made + 1);
}

TEST_CASE("A number that is not finite is named on two threads as on one") {
    Engine::current().set_detect_anomaly(true);
    for (int threads : {1, 2}) {
        set_thread_count(threads);
        // Large enough that both threads take part; everything behind the fault is not finite either.
        const Tensor x = Tensor::full({512, 1024}, -1.0f) * Tensor(1.0f);
        std::string message;
        try {
            sum(relu(log(x) + 1.0f) * 2.0f).item();
        } catch (const Error& error) {
            message = error.what();
        }
        CHECK(message.find("log") != std::string::npos);
    }
    set_thread_count(2);
    Engine::current().set_detect_anomaly(false);
}
