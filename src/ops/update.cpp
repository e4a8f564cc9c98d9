#include "liven/ops/update.hpp"

namespace liven::ops {
namespace {

/// Clipped by norm, then by value, with coupled weight decay.
Tensor effective_gradient(const Tensor& g, const Tensor& w, const Tensor& factor, float clip_value,
                          float weight_decay) {
    Tensor effective = g * factor;
    if (clip_value > 0) effective = clamp(effective, -clip_value, clip_value);
    if (weight_decay > 0) effective = effective + scale(w, weight_decay);
    return effective;
}

}  // namespace

TensorList GradientGuard::decompose(const TensorList& in) const {
    Tensor total;
    for (size_t i = 1; i < in.size(); ++i) {
        const Tensor part = sum(square(in[i]));
        total = total.defined() ? total + part : part;
    }
    if (!total.defined()) total = Tensor::zeros({});
    const Tensor loss = reshape(in[0], Shape{});
    const Tensor norm = sqrt(total);
    const Tensor finite = is_finite(loss) * is_finite(total);
    const Tensor factor =
        clip_norm > 0 ? minimum(Tensor::ones({}), Tensor::full({}, clip_norm) / shift(norm, 1e-6f)) : Tensor::ones({});
    return {finite, factor, norm};
}

void SgdUpdate::fields(FieldVisitor& visitor) const {
    visitor.field("momentum", static_cast<double>(momentum));
    visitor.field("weight_decay", static_cast<double>(weight_decay));
    visitor.field("clip_value", static_cast<double>(clip_value));
    visitor.field("nesterov", static_cast<int64_t>(nesterov));
}

TensorList SgdUpdate::decompose(const TensorList& in) const {
    const Tensor &w = in[0], &v = in[1], &rate = in[3], &guard = in[4], &factor = in[5];
    const Tensor g = effective_gradient(in[2], w, factor, clip_value, weight_decay);
    const Tensor velocity = scale(v, momentum) + g;
    const Tensor direction = nesterov ? g + scale(velocity, momentum) : velocity;
    return {select(guard, w - direction * rate, w), select(guard, velocity, v)};
}

void AdamUpdate::fields(FieldVisitor& visitor) const {
    visitor.field("beta1", static_cast<double>(beta1));
    visitor.field("beta2", static_cast<double>(beta2));
    visitor.field("epsilon", static_cast<double>(epsilon));
    visitor.field("weight_decay", static_cast<double>(weight_decay));
    visitor.field("clip_value", static_cast<double>(clip_value));
    visitor.field("decoupled", static_cast<int64_t>(decoupled));
}

TensorList AdamUpdate::decompose(const TensorList& in) const {
    const Tensor &w = in[0], &m = in[1], &v = in[2], &step = in[4], &denominator = in[5], &kept = in[6], &guard = in[7],
                 &factor = in[8];
    const Tensor g = effective_gradient(in[3], w, factor, clip_value, decoupled ? 0.0f : weight_decay);
    const Tensor first = scale(m, beta1) + scale(g, 1.0f - beta1);
    const Tensor second = scale(v, beta2) + scale(square(g), 1.0f - beta2);
    const Tensor shrunk = decoupled && weight_decay > 0 ? w * kept : w;
    const Tensor moved = shrunk - first * step / shift(sqrt(second) * denominator, epsilon);
    return {select(guard, moved, w), select(guard, first, m), select(guard, second, v)};
}

}  // namespace liven::ops
