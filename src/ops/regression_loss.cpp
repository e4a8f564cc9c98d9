#include "liven/ops/regression_loss.hpp"

#include <string>

#include "liven/core/error.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/reduce.hpp"

namespace liven {
namespace {

void require_equal(const char* where, const Tensor& prediction, const Tensor& target) {
    if (!(prediction.shape() == target.shape()))
        throw Error(where,
                    "expected prediction and target of one shape, got " + prediction.shape().str() + " and " +
                        target.shape().str(),
                    "broadcasting here is nearly always a mistake: reshape() one of them");
}

Tensor reduced(const char* where, const Tensor& losses, Reduction reduction, const Tensor& weights) {
    if (!weights.defined()) {
        if (reduction == Reduction::none) return losses;
        return reduction == Reduction::sum ? sum(losses) : mean(losses);
    }
    if (!(broadcast(where, losses.shape(), weights.shape()) == losses.shape()))
        throw Error(where, "weights of " + weights.shape().str() + " do not broadcast to " + losses.shape().str());
    Tensor weighted = losses * weights;
    if (reduction == Reduction::none) return weighted;
    if (reduction == Reduction::sum) return sum(weighted);
    // 0 when every weight is 0.
    return sum(weighted) / maximum(sum(broadcast_to(weights, losses.shape())), Tensor::full({}, 1e-12f));
}

}  // namespace

Tensor mse_loss(const Tensor& prediction, const Tensor& target, const RegressionOptions& options) {
    require_equal("mse_loss", prediction, target);
    return reduced("mse_loss", square(prediction - target), options.reduction, options.weights);
}

Tensor l1_loss(const Tensor& prediction, const Tensor& target, const RegressionOptions& options) {
    require_equal("l1_loss", prediction, target);
    return reduced("l1_loss", abs(prediction - target), options.reduction, options.weights);
}

Tensor huber_loss(const Tensor& prediction, const Tensor& target, const HuberOptions& options) {
    require_equal("huber_loss", prediction, target);
    if (!(options.delta > 0.0f))
        throw Error("huber_loss", "delta must be positive, got " + std::to_string(options.delta));
    // With c = min(|d|, delta) both branches are c * (|d| - c / 2), and so are their gradients.
    const Tensor distance = abs(prediction - target);
    const Tensor bounded = clamp(distance, 0.0f, options.delta);
    return reduced("huber_loss", bounded * (distance - scale(bounded, 0.5f)), options.reduction, options.weights);
}

Tensor binary_cross_entropy(const Tensor& logits, const Tensor& targets, const BinaryCrossEntropyOptions& options) {
    require_equal("binary_cross_entropy", logits, targets);
    const Tensor losses = apply(ops::BinaryCrossEntropy{}, {logits, targets});
    return reduced("binary_cross_entropy", losses, options.reduction, options.weights);
}

namespace ops {

void BinaryCrossEntropy::infer(InputTypes in, OutputTypes& out) const { out.push_back(*in[0]); }

TensorList BinaryCrossEntropy::decompose(const TensorList& in) const {
    return {liven::relu(in[0]) - in[0] * in[1] + liven::softplus(-liven::abs(in[0]))};
}

void BinaryCrossEntropy::vjp(Vjp& v) const {
    if (v.wants(0)) v.contribute(0, v.gradient() * (liven::sigmoid(v.input(0)) - v.input(1)));
    if (v.wants(1)) v.contribute(1, -(v.gradient() * v.input(0)));
}

}  // namespace ops
}  // namespace liven
