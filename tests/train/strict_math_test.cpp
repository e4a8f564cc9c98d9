#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "liven/graph/engine.hpp"
#include "liven/models/attacknet.hpp"
#include "liven/ops/loss.hpp"
#include "liven/optim/optimizer.hpp"

using namespace liven;

namespace {

constexpr int64_t kSize = 64, kBatch = 16, kBatches = 4, kSteps = 30;
const Shape kPictures{kBatch, kSize, kSize, 3};

/// Waves, whose length tells the class, under noise; four batches of them, over and over.
Tensor pictures(int64_t step) {
    std::vector<float> pixels;
    pixels.reserve(static_cast<size_t>(kPictures.count()));
    uint32_t noise = 12345 + static_cast<uint32_t>(step % kBatches) * 7919;
    for (int64_t n = 0; n < kBatch; ++n) {
        const int64_t picture = step % kBatches * kBatch + n;
        const float length = 0.02f + 0.01f * static_cast<float>(n % 2) + 0.002f * static_cast<float>(picture);
        for (int64_t i = 0; i < kSize * kSize * 3; ++i) {
            noise = noise * 1664525u + 1013904223u;
            const int64_t row = i / 3 / kSize, column = i / 3 % kSize;
            const float way = static_cast<float>(column) + 0.7f * static_cast<float>(row);
            pixels.push_back(0.5f + 0.3f * std::sin(length * way + static_cast<float>(i % 3)) +
                             0.2f * (static_cast<float>(noise >> 8) / 16777216.0f - 0.5f));
        }
    }
    return Tensor::from(std::span<const float>(pixels), kPictures);
}

Tensor classes() {
    std::vector<int32_t> labels;
    for (int32_t n = 0; n < kBatch; ++n) labels.push_back(n % 2);
    return Tensor::from(std::span<const int32_t>(labels), {kBatch});
}

std::vector<float> losses(bool strict) {
    Engine::current().set_strict_math(strict);
    AttackNetV22 model(AttackNetV22::defaults());
    model.seed(3);
    model.build(kPictures);
    Adam adam(model.parameters(), {.learning_rate = 3e-5f});
    std::vector<float> curve;
    for (int64_t step = 0; step < kSteps; ++step) {
        const Tensor loss = cross_entropy(model(pictures(step)), classes(), {.label_smoothing = 0.1f});
        adam.step(gradients(loss, model.parameters()));
        curve.push_back(loss.item());
    }
    Engine::current().set_strict_math(false);
    return curve;
}

}  // namespace

// The rate is a tenth of the recipe's. Adam divides by the root of squares: where a gradient is nothing but rounding,
// as those of biases before a batch-norm, it walks by the full rate all the same. At 1e-3 curves part by 0.01 within
// five steps, those of Winograd and direct convolution as well as those of pictures that differ in their last bit.
TEST_CASE("AttackNet V2.2 trained with Winograd and with strict math has the same loss curve", "[slow]") {
    const std::vector<float> fast = losses(false), strict = losses(true);
    CHECK(fast != strict);  // other kernels did run
    CHECK(fast.back() < fast.front() - 0.1f);
    double apart = 0;
    for (size_t step = 0; step < fast.size(); ++step)
        apart = std::max(apart, std::abs(double{fast[step]} - double{strict[step]}));
    CHECK(apart <= 1e-3);  // the bound that is asked for; measured 1e-4
}
