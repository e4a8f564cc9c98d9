#include "liven/ops/loss.hpp"

#include <string>

#include "liven/core/error.hpp"
#include "liven/ops/softmax.hpp"

namespace liven {

namespace {

void require_sane(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options) {
    if (logits.rank() != 2 || !(labels.shape() == Shape{logits.shape()[0]}))
        throw Error("cross_entropy", "expected logits N x classes and N labels, got " + logits.shape().str() + " and " +
                                         labels.shape().str());
    const float s = options.label_smoothing;
    if (!(s >= 0.0f && s < 1.0f))
        throw Error("cross_entropy", "label_smoothing must be at least 0 and below 1, got " + std::to_string(s));
    if (options.class_weights.defined() && !(options.class_weights.shape() == Shape{logits.shape()[1]}))
        throw Error("cross_entropy", "expected a class weight for each class of the logits " + logits.shape().str() +
                                         ", got " + options.class_weights.shape().str());
    if (options.mask.defined() && !(options.mask.shape() == labels.shape()))
        throw Error("cross_entropy", "expected a mask of " + labels.shape().str() + " for the logits " +
                                         logits.shape().str() + ", got " + options.mask.shape().str());
}

/// sum / count, and 0 when nothing counts.
Tensor mean_of(const Tensor& sum, const Tensor& count) { return sum / maximum(count, Tensor::full({}, 1e-12f)); }

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options) {
    require_sane(logits, labels, options);
    const int64_t samples = logits.shape()[0], classes = logits.shape()[1];
    const float s = options.label_smoothing;
    const bool weighted = options.class_weights.defined(), masked = options.mask.defined();
    const bool by_term = weighted && options.weighting == ClassWeighting::pytorch;
    const Tensor hot = one_hot(labels, classes);
    Tensor target = s > 0.0f ? shift(scale(hot, 1.0f - s), s / static_cast<float>(classes)) : hot;
    if (by_term) target = target * options.class_weights;
    Tensor losses = -sum(target * log_softmax(logits), {.axes = {1}});
    if (!weighted && !masked) return scale(sum(losses), 1.0f / static_cast<float>(samples));
    const Tensor own = weighted ? sum(hot * options.class_weights, {.axes = {1}}) : Tensor::ones({samples});
    if (weighted && !by_term) losses = losses * own;
    Tensor counts = by_term ? own : Tensor::ones({samples});
    if (masked) {
        losses = losses * options.mask;
        counts = counts * options.mask;
    }
    return mean_of(sum(losses), sum(counts));
}

namespace ops {

void OneHot::infer(InputTypes in, OutputTypes& out) const {
    if (in[0]->dtype != DType::i32 || in[0]->shape.rank() != 1)
        throw Error("one_hot", "expected N class indices of type i32, got " + in[0]->shape.str() + " " +
                                   std::string(name_of(in[0]->dtype)));
    out.push_back({.shape = {in[0]->shape[0], classes}});
}

}  // namespace ops
}  // namespace liven
