#include "liven/ops/loss.hpp"

#include <string>

#include "liven/core/error.hpp"
#include "liven/ops/softmax.hpp"

namespace liven {

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options) {
    if (logits.rank() != 2 || !(labels.shape() == Shape{logits.shape()[0]}))
        throw Error("cross_entropy", "expected logits N x classes and N labels, got " + logits.shape().str() + " and " +
                                         labels.shape().str());
    const int64_t samples = logits.shape()[0], classes = logits.shape()[1];
    const Tensor hot = one_hot(labels, classes);
    const float s = options.label_smoothing;
    if (!(s >= 0.0f && s < 1.0f))
        throw Error("cross_entropy", "label_smoothing must be at least 0 and below 1, got " + std::to_string(s));
    Tensor target = s > 0.0f ? shift(scale(hot, 1.0f - s), s / static_cast<float>(classes)) : hot;
    if (options.class_weights.defined()) target = target * options.class_weights;
    const Tensor losses = -sum(target * log_softmax(logits), {.axes = {1}});
    if (!options.class_weights.defined() && !options.mask.defined())
        return scale(sum(losses), 1.0f / static_cast<float>(samples));
    Tensor weights =
        options.class_weights.defined() ? sum(hot * options.class_weights, {.axes = {1}}) : Tensor::ones({samples});
    if (options.mask.defined()) weights = weights * options.mask;
    const Tensor counted = options.mask.defined() ? losses * options.mask : losses;
    return sum(counted) / sum(weights);
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
