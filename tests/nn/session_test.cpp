#include "liven/nn/session.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <memory>
#include <vector>

#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"
#include "liven/nn/layers.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/shape.hpp"

using namespace liven;

namespace {

/// Everything that a session prepares: a batch-norm to fold, weights to pack and to transform, a product.
class Network : public Module {
public:
    Conv2d first{*this, "first", {.filters = 16}};
    BatchNorm norm{*this, "norm"};
    Conv2d second{*this, "second", {.filters = 16}};
    Dense dense{*this, "dense", {.units = 3}};

protected:
    Tensor forward(Tensor x) override {
        x = leaky_relu(norm(first(x)), 0.2f);
        return dense(flatten(max_pool(second(x) + x, {.size = 2})));
    }
};

/// 65,536 x 16 weights: more than a cache keeps.
class Wide : public Module {
public:
    Dense dense{*this, "dense", {.units = 16}};

protected:
    Tensor forward(Tensor x) override { return dense(flatten(x)); }
};

/// Half of a concatenation depends on weights alone: a learnt picture, convolved.
class Joined : public Module {
public:
    Conv2d first{*this, "first", {.filters = 16}};
    Conv2d second{*this, "second", {.filters = 16}};
    Conv2d third{*this, "third", {.filters = 64}};
    Conv2d fourth{*this, "fourth", {.filters = 64}};
    Parameter picture;

protected:
    Tensor forward(Tensor x) override {
        parameter(picture, "picture", {1, 32, 32, 16}, {});
        return fourth(third(concat({relu(first(x)), relu(second(picture.tensor()))})));
    }
};

const Shape kSample{12, 10, 3};

std::vector<float> pixels(int64_t batch, uint64_t seed) {
    std::vector<float> values(static_cast<size_t>(batch * kSample.count()));
    Random random(seed);
    for (float& value : values) value = random.uniform(-1.0f, 1.0f);
    return values;
}

void prepare(Network& network) {
    network.seed(3);
    network.build(batched(1, kSample));
    network.eval();
}

std::vector<float> traced(Network& network, const std::vector<float>& values, int64_t batch) {
    const NoGrad no_grad;
    return network(Tensor::from(values, batched(batch, kSample))).to_vector();
}

std::vector<float> copied(std::span<const float> values) { return {values.begin(), values.end()}; }

}  // namespace

TEST_CASE("A session gives the bits of the traced network, in the first run and in later ones") {
    Network network;
    prepare(network);
    for (const int64_t batch : {1, 3})
        for (const Isa isa : available_isas()) {
            const Isa before = active_isa();
            set_active_isa(isa);
            INFO("batch " << batch << " on " << name_of(isa));
            InferenceSession session(network, kSample, {.batch = batch});
            CHECK(session.output_shape() == Shape{batch, 3});
            for (uint64_t seed = 1; seed <= 3; ++seed) {
                const std::vector<float> values = pixels(batch, seed);
                CHECK(copied(session.run(values)) == traced(network, values, batch));
            }
            set_active_isa(before);
        }
}

TEST_CASE("What a session keeps survives other plans and poisoned memory") {
    Network network;
    prepare(network);
    const std::vector<float> values = pixels(2, 5);
    const std::vector<float> expected = traced(network, values, 2);
    set_poison(true);
    InferenceSession one(network, kSample, {.batch = 2}), other(network, kSample, {.batch = 2});
    for (int round = 0; round < 3; ++round) {
        CHECK(copied(one.run(values)) == expected);
        other.run(pixels(2, 6));
        traced(network, pixels(2, 7), 2);
    }
    set_poison(false);
}

TEST_CASE("A part of a concatenation that follows from weights alone is kept where another step made room for it") {
    const Shape sample{32, 32, 3};
    Joined network;
    network.seed(5);
    network.build(batched(1, sample));
    network.eval();
    const std::vector<float> values(static_cast<size_t>(sample.count()), 0.5f);
    const std::vector<float> expected = [&] {
        const NoGrad no_grad;
        return network(Tensor::from(values, batched(1, sample))).to_vector();
    }();
    for (const bool poisoned : {false, true}) {
        set_poison(poisoned);
        InferenceSession session(network, sample);
        for (int round = 0; round < 3; ++round) CHECK(copied(session.run(values)) == expected);
    }
    set_poison(false);
}

TEST_CASE("A session keeps the weights it was made with, and outlives its model") {
    auto network = std::make_unique<Network>();
    prepare(*network);
    const std::vector<float> values = pixels(1, 8);
    const std::vector<float> expected = traced(*network, values, 1);
    InferenceSession session(*network, kSample);
    for (const State& state : network->states()) {
        std::vector<float> changed = state.tensor().to_vector();
        for (float& value : changed) value += 1.0f;
        State(state).assign(std::span<const float>(changed));
    }
    CHECK(traced(*network, values, 1) != expected);
    CHECK(copied(session.run(values)) == expected);
    network.reset();
    CHECK(copied(session.run(values)) == expected);
}

TEST_CASE("Weights of a wide dense layer in bf16 move the result by their rounding, other weights not at all") {
    const Shape sample{64, 64, 16};
    Wide network;
    network.seed(4);
    network.build(batched(2, sample));
    network.eval();
    std::vector<float> values(static_cast<size_t>(2 * sample.count()));
    Random random(9);
    for (float& value : values) value = random.uniform(-1.0f, 1.0f);
    InferenceSession exact(network, sample, {.batch = 2});
    InferenceSession narrow(network, sample, {.batch = 2, .dense_weights = DType::bf16});
    const std::vector<float> a = copied(exact.run(values)), b = copied(narrow.run(values));
    CHECK(a != b);
    double error = 0, size = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        error += std::pow(double{a[i]} - double{b[i]}, 2);
        size += std::pow(double{a[i]}, 2);
    }
    // Each weight is off by at most 2^-9 of itself, in either direction.
    CHECK(std::sqrt(error / size) < 1.0 / 512);
    CHECK(copied(narrow.run(values)) == b);
    CHECK_THROWS_AS(InferenceSession(network, sample, {.dense_weights = DType::i32}), Error);
}

TEST_CASE("A session of pixels gives the bits of one that is given the scaled picture, and takes nothing else") {
    const Shape& sample = kSample;
    Network network;
    prepare(network);
    const PixelScale scaling{.mean = {0.1f, 0.2f, 0.3f}, .std = {0.5f, 0.25f, 2.0f}};
    std::vector<uint8_t> bytes(static_cast<size_t>(2 * sample.count()));
    std::vector<float> values;
    for (size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<uint8_t>(i * 71);
        values.push_back((static_cast<float>(bytes[i]) * scaling.scale - scaling.mean[i % 3]) / scaling.std[i % 3]);
    }
    InferenceSession pixels(network, sample, {.batch = 2, .pixels = scaling}), floats(network, sample, {.batch = 2});
    for (int round = 0; round < 2; ++round) CHECK(copied(pixels.run(bytes)) == copied(floats.run(values)));
    CHECK_THROWS_AS(pixels.run(values), Error);
    CHECK_THROWS_AS(floats.run(bytes), Error);
    bytes.pop_back();
    CHECK_THROWS_AS(pixels.run(bytes), Error);
}

TEST_CASE("A session leaves the model in the mode it was in") {
    Network network;
    prepare(network);
    network.train();
    const InferenceSession session(network, kSample);
    CHECK(network.training());
}

TEST_CASE("Values of another count are an error, and so is a shape the model does not take") {
    Network network;
    prepare(network);
    InferenceSession session(network, kSample);
    CHECK_THROWS_AS(session.run(pixels(2, 1)), Error);
    CHECK_THROWS_AS(InferenceSession(network, {12, 10, 4}), Error);
    CHECK_THROWS_AS(InferenceSession(network, kSample, {.batch = 0}), Error);
}
