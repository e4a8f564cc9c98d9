#include "liven/ops/dropout.hpp"

#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/reduce.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

DropoutKey key(int64_t seed, int64_t forward, uint32_t layer) {
    return {.seed = Tensor::counter(seed), .forward = Tensor::counter(forward), .layer = layer};
}

/// Which elements of a tensor of that shape are kept, scaled by 2.
std::vector<float> mask(const Shape& shape, const DropoutKey& where) {
    return dropout(Tensor::ones(shape), 0.5f, where).to_vector();
}

}  // namespace

TEST_CASE("Dropout on every executor keeps the same elements, and its gradient passes where they were kept") {
    for (const Shape& shape : {Shape{1}, Shape{67}, Shape{2, 3, 5, 7}, Shape{3, 5, 4, 33}})
        check({.name = "dropout of " + shape.str(),
               .operands = [&]() -> TensorList {
                   return {uniform(shape, 1), Tensor::counter(42), Tensor::counter(3)};
               },
               .function = [](const TensorList& in) -> TensorList {
                   return {square(dropout(in[0], 0.25f, {.seed = in[1], .forward = in[2], .layer = 7}))};
               }});
}

TEST_CASE("Dropout inside a chain drops what it drops by itself, however samples are walked") {
    check({{.name = "conv, dropout, conv",
            .operands = []() -> TensorList {
                return {uniform({3, 7, 5, 4}, 1), uniform({3, 3, 4, 18}, 2), uniform({3, 3, 18, 3}, 3),
                        Tensor::counter(1), Tensor::counter(9)};
            },
            .function = [](const TensorList& in) -> TensorList {
                const Conv2dOptions options{.padding = symmetric(1)};
                const Tensor hidden = tanh(conv2d(in[0], in[1], options));
                const Tensor kept = dropout(hidden, 0.3f, {.seed = in[3], .forward = in[4], .layer = 1});
                return {conv2d(kept, in[2], options)};
            },
            .gradient_orders = 1}});
}

TEST_CASE("The share of kept elements is 1 - rate and the expectation stays") {
    const auto values = dropout(Tensor::ones({100000}), 0.2f, key(5, 0, 0)).to_vector();
    double sum = 0;
    for (float value : values) sum += static_cast<double>(value);
    // The mean of 100,000 draws of variance 0.25 deviates by 0.0016; five times that.
    CHECK(std::abs(sum / 1e5 - 1.0) < 0.008);
}

TEST_CASE("A mask depends on seed, forward, layer and index, on nothing else") {
    const Shape shape{2, 3, 4, 5};
    const auto first = mask(shape, key(1, 0, 0));
    CHECK(mask(shape, key(1, 0, 0)) == first);
    CHECK(mask(shape, key(2, 0, 0)) != first);
    CHECK(mask(shape, key(1, 1, 0)) != first);
    CHECK(mask(shape, key(1, 0, 1)) != first);
    for (int threads : {1, 2}) {
        set_thread_count(threads);
        CHECK(mask(shape, key(1, 0, 0)) == first);
    }
}

TEST_CASE("An added debug operation shifts no mask") {
    const Tensor x = uniform({2, 5, 3, 7}, 1), w = uniform({3, 3, 7, 7}, 2);
    const auto network = [&](bool debug) {
        const Conv2dOptions options{.padding = symmetric(1)};
        Tensor y = dropout(relu(conv2d(x, w, options)), 0.5f, key(3, 8, 1));
        Tensor looked_at;
        if (debug) looked_at = max(abs(y));
        y = dropout(conv2d(y, w, options), 0.5f, key(3, 8, 2));
        if (debug) CHECK(looked_at.item() > 0);
        return y.to_vector();
    };
    CHECK(network(false) == network(true));
}

TEST_CASE("Micro-batches repeat no mask, and a batch cut short keeps its own") {
    const Shape whole{4, 3, 3, 5}, half{2, 3, 3, 5};
    // Each micro-batch is a forward of its own.
    CHECK(mask(half, key(1, 0, 0)) != mask(half, key(1, 1, 0)));
    // A smaller last batch sees the beginning of the same mask.
    auto beginning = mask(whole, key(1, 0, 0));
    beginning.resize(static_cast<size_t>(half.count()));
    CHECK(mask(half, key(1, 0, 0)) == beginning);
}

TEST_CASE("A dropout rate lies in [0, 1), and 0 drops nothing") {
    const Tensor x = uniform({3}, 1);
    CHECK(dropout(x, 0.0f, key(1, 1, 1)).node() == x.node());
    for (float rate : {-0.1f, 1.0f, NAN}) CHECK_THROWS_AS(dropout(x, rate, key(1, 1, 1)), Error);
}
