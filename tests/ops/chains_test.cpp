#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/dropout.hpp"
#include "liven/ops/instance_norm.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/loss.hpp"
#include "liven/ops/norm.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/resize.hpp"

// Pieces of the networks: what the fuser merges, with every gradient.

using namespace liven;
using namespace liven::testing;

namespace {

const Conv2dOptions kSame{.padding = symmetric(1)};

Tensor conv(const Tensor& x, const Tensor& weights, const Tensor& bias) { return conv2d(x, weights, kSame) + bias; }

/// Smooth activations, so that finite differences meet no kink; the kinked ones are compared between executors.
OperationCase smooth(OperationCase test) {
    test.gradient_orders = 1;
    test.elements = 6;
    return test;
}

}  // namespace

TEST_CASE("Convolution, bias, activation, batch-norm, pool: LivenessNet's order") {
    const auto operands = []() -> TensorList {
        return {uniform({3, 8, 7, 3}, 1), uniform({3, 3, 3, 18}, 2), uniform({18}, 3), uniform({18}, 4, 0.5f, 1.5f),
                uniform({18}, 5),         uniform({3, 3, 18, 5}, 6), uniform({5}, 7)};
    };
    const auto block = [](const TensorList& in, const std::function<Tensor(const Tensor&)>& activation,
                          const std::function<Tensor(const Tensor&)>& pool) -> TensorList {
        const Tensor y = batch_norm(activation(conv(in[0], in[1], in[2])), in[3], in[4]).y;
        return {pool(activation(conv(y, in[5], in[6])))};
    };
    check(smooth({"tanh, average", operands, [&](const TensorList& in) {
                      return block(
                          in, [](const Tensor& x) { return tanh(x); }, [](const Tensor& x) { return avg_pool(x); });
                  }}));
    check_executors({"relu, maximum", operands, [&](const TensorList& in) {
                         return block(
                             in, [](const Tensor& x) { return relu(x); }, [](const Tensor& x) { return max_pool(x); });
                     }});
    check_executors(
        {"leaky_relu, overlapping maximum", operands, [&](const TensorList& in) {
             return block(
                 in, [](const Tensor& x) { return leaky_relu(x, 0.2f); },
                 [](const Tensor& x) { return max_pool(x, {.size = 3, .stride = 2, .padding = symmetric(1)}); });
         }});
}

TEST_CASE("Convolution, batch-norm, activation with a residual sum: ResNet's order") {
    const auto operands = []() -> TensorList {
        return {uniform({2, 7, 6, 5}, 1), uniform({3, 3, 5, 5}, 2), uniform({5}, 3, 0.5f, 1.5f),
                uniform({5}, 4),          uniform({3, 3, 5, 5}, 5), uniform({5}, 6, 0.5f, 1.5f),
                uniform({5}, 7)};
    };
    const auto block = [](const TensorList& in, const std::function<Tensor(const Tensor&)>& activation) -> TensorList {
        Tensor y = activation(batch_norm(conv2d(in[0], in[1], kSame), in[2], in[3]).y);
        y = batch_norm(conv2d(y, in[4], kSame), in[5], in[6]).y;
        return {activation(y + in[0])};
    };
    check(smooth(
        {"tanh", operands, [&](const TensorList& in) { return block(in, [](const Tensor& x) { return tanh(x); }); }}));
    check_executors(
        {"relu", operands, [&](const TensorList& in) { return block(in, [](const Tensor& x) { return relu(x); }); }});
}

TEST_CASE("AttackNet's phase: the shortcut leaves before the activation") {
    const auto operands = []() -> TensorList {
        return {uniform({2, 6, 8, 3}, 1), uniform({3, 3, 3, 16}, 2),  uniform({16}, 3),  uniform({16}, 4, 0.5f, 1.5f),
                uniform({16}, 5),         uniform({3, 3, 16, 16}, 6), uniform({16}, 7),  uniform({3, 3, 16, 16}, 8),
                uniform({16}, 9),         Tensor::counter(11),        Tensor::counter(2)};
    };
    const auto phase = [](const TensorList& in, const std::function<Tensor(const Tensor&)>& activation) -> TensorList {
        const Tensor y = conv(in[0], in[1], in[2]);
        Tensor z = batch_norm(activation(y), in[3], in[4]).y;
        z = activation(conv(z, in[5], in[6]));
        z = activation(conv(z, in[7], in[8]));
        const Tensor pooled = avg_pool(batch_norm(y + z, in[3], in[4]).y);
        return {dropout(pooled, 0.25f, {.seed = in[9], .forward = in[10], .layer = 5})};
    };
    check(smooth(
        {"tanh", operands, [&](const TensorList& in) { return phase(in, [](const Tensor& x) { return tanh(x); }); }}));
    check_executors({"leaky_relu", operands, [&](const TensorList& in) {
                         return phase(in, [](const Tensor& x) { return leaky_relu(x, 0.2f); });
                     }});
}

TEST_CASE("Branches side by side, joined and split again") {
    check(smooth({"inception",
                  []() -> TensorList {
                      return {uniform({2, 5, 6, 4}, 1), uniform({1, 1, 4, 7}, 2), uniform({3, 3, 4, 3}, 3),
                              uniform({1, 1, 14, 5}, 4)};
                  },
                  [](const TensorList& in) -> TensorList {
                      const Tensor a = tanh(conv2d(in[0], in[1])), b = sigmoid(conv2d(in[0], in[2], kSame));
                      const Tensor c = avg_pool(in[0], {.size = 3, .stride = 1, .padding = symmetric(1)});
                      const Tensor joined = concat({a, b, c});
                      return {conv2d(joined, in[3]), slice(joined, {.begin = 5, .count = 4}) * 3.0f};
                  }}));
}

TEST_CASE("LGSC's decoder step: upsample, pad, 2x2 convolution, instance-norm, concat") {
    check(smooth({"decoder",
                  []() -> TensorList {
                      return {uniform({2, 3, 4, 6}, 1), uniform({2, 6, 8, 3}, 2), uniform({2, 2, 6, 5}, 3),
                              uniform({5}, 4, 0.5f, 1.5f), uniform({5}, 5)};
                  },
                  [](const TensorList& in) -> TensorList {
                      const Tensor up = pad(upsample(in[0]), {.low = {0, 0, 0, 0}, .high = {0, 1, 1, 0}});
                      return {concat({tanh(instance_norm(conv2d(up, in[2]), in[3], in[4])), in[1]})};
                  }}));
}

TEST_CASE("Head: flatten, dense, tanh, batch-norm, dropout, dense, cross entropy") {
    check(smooth({"head",
                  []() -> TensorList {
                      return {uniform({5, 3, 2, 4}, 1), uniform({24, 19}, 2),
                              uniform({19}, 3),         uniform({19}, 4, 0.5f, 1.5f),
                              uniform({19}, 5),         uniform({19, 2}, 6),
                              uniform({2}, 7),          labels({0, 1, 1, 0, 1}),
                              Tensor::counter(3),       Tensor::counter(4)};
                  },
                  [](const TensorList& in) -> TensorList {
                      const Tensor y = batch_norm(tanh(dense(flatten(in[0]), in[1], in[2])), in[3], in[4]).y;
                      const Tensor kept = dropout(y, 0.5f, {.seed = in[8], .forward = in[9], .layer = 1});
                      const Tensor logits = dense(kept, in[5], in[6]);
                      return {logits, cross_entropy(logits, in[7], {.label_smoothing = 0.1f})};
                  }}));
}

TEST_CASE("Squeeze and excite: channels weighted by what their means say") {
    check(smooth({"squeeze and excite",
                  []() -> TensorList {
                      return {uniform({3, 5, 4, 18}, 1), uniform({18, 3}, 2), uniform({3, 18}, 3)};
                  },
                  [](const TensorList& in) -> TensorList {
                      const Tensor s = sigmoid(matmul(tanh(matmul(global_avg_pool(in[0]), in[1])), in[2]));
                      return {in[0] * reshape(s, {3, 1, 1, 18})};
                  }}));
}

TEST_CASE("Channel statistics as a map: mean and maximum over channels") {
    check(smooth({"spatial attention",
                  []() -> TensorList {
                      return {distinct({2, 5, 4, 7}, 1), uniform({3, 3, 2, 1}, 2)};
                  },
                  [](const TensorList& in) -> TensorList {
                      const ReduceOptions channels{.axes = {-1}, .keep_axes = true};
                      const Tensor map = concat({mean(in[0], channels), max(in[0], channels)});
                      return {in[0] * sigmoid(conv2d(map, in[1], kSame))};
                  }}));
}

TEST_CASE("A gradient penalty: the gradient's norm in the loss") {
    check(smooth({"gradient penalty",
                  []() -> TensorList {
                      return {uniform({2, 5, 4, 3}, 1), uniform({3, 3, 3, 5}, 2), uniform({5}, 3)};
                  },
                  [](const TensorList& in) -> TensorList {
                      const Tensor score = sum(square(tanh(conv(in[0], in[1], in[2]))));
                      return {score + sum(square(gradients(score, {in[0]})[0]))};
                  }}));
}
