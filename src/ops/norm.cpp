#include "liven/ops/norm.hpp"

#include <string>

#include "liven/core/error.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"

namespace liven {
namespace {

void require_channels(const char* where, InputTypes in) {
    const Shape& x = in[0]->shape;
    if (x.rank() < 2) throw Error(where, "expected N x ... x C, got " + x.str());
    for (size_t i = 1; i < in.size(); ++i)
        if (!(in[i]->shape == Shape{x[-1]}))
            throw Error(where, "expected gamma, beta and statistics of shape " + std::to_string(x[-1]) +
                                   " for the input " + x.str() + ", got " + in[i]->shape.str());
}

/// Sum over all axes but the last: C.
Tensor channel_sum(const Tensor& x) { return sum_to(x, Shape{x.shape()[-1]}); }

uint32_t all_but_last(const Shape& shape) { return (1u << (shape.rank() - 1)) - 1u; }

}  // namespace

BatchNormResult batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const BatchNormOptions& options) {
    const NodePtr node = record(ops::BatchNorm{.epsilon = options.epsilon}, {x, gamma, beta});
    return {.y = result(node, 0), .mean = result(node, 1), .variance = result(node, 2)};
}

Tensor batch_norm_inference(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                            const Tensor& variance, const BatchNormOptions& options) {
    return apply(ops::BatchNormInference{.epsilon = options.epsilon}, {x, gamma, beta, mean, variance});
}

namespace ops {

void BatchNorm::infer(InputTypes in, OutputTypes& out) const {
    require_channels("batch_norm", in);
    out.push_back({.shape = in[0]->shape});
    out.push_back({.shape = Shape{in[0]->shape[-1]}});
    out.push_back({.shape = Shape{in[0]->shape[-1]}});
}

TensorList BatchNorm::decompose(const TensorList& in) const {
    const Tensor &x = in[0], &gamma = in[1], &beta = in[2];
    MomentsOp op;
    op.axes = all_but_last(x.shape());
    const NodePtr node = record(op, {x});
    const Shape channels{x.shape()[-1]};
    const Tensor mean = reshape(result(node, 0), channels), variance = reshape(result(node, 1), channels);
    // Subtracting the mean first keeps the digits that x * scale - mean * scale would lose when |mean| is much larger
    // than the deviation.
    const Tensor factor = gamma * rsqrt(shift(variance, epsilon));
    return {mad(x - mean, factor, beta), mean, variance};
}

void BatchNorm::vjp(Vjp& v) const {
    const Tensor x = v.input(0), gamma = v.input(1), mean = v.output(1), dy = v.gradient(0);
    const float n = static_cast<float>(x.shape().count()) / static_cast<float>(x.shape()[-1]);
    const Tensor inverse = rsqrt(shift(v.output(2), epsilon));
    const Tensor centred = x - mean;
    const Tensor sum_dy = channel_sum(dy), sum_dy_centred = channel_sum(dy * centred);
    if (v.wants(1)) v.contribute(1, sum_dy_centred * inverse);
    if (v.wants(2)) v.contribute(2, sum_dy);
    if (!v.wants(0)) return;
    // dx = gamma/s * (dy - mean(dy) - (x - mean)/s^2 * mean(dy (x - mean)))
    const Tensor factor = gamma * inverse;
    Tensor slope = -(factor * square(inverse) * scale(sum_dy_centred, 1.0f / n));
    Tensor offset = -(factor * scale(sum_dy, 1.0f / n));
    if (v.has_gradient(1)) offset = offset + scale(v.gradient(1), 1.0f / n);
    if (v.has_gradient(2)) slope = slope + scale(v.gradient(2), 2.0f / n);
    v.contribute(0, mad(dy, factor, mad(centred, slope, offset)));
}

void BatchNormInference::infer(InputTypes in, OutputTypes& out) const {
    require_channels("batch_norm", in);
    out.push_back({.shape = in[0]->shape});
}

TensorList BatchNormInference::decompose(const TensorList& in) const {
    const Tensor factor = in[1] * rsqrt(shift(in[4], epsilon));
    return {mad(in[0] - in[3], factor, in[2])};
}

}  // namespace ops
}  // namespace liven
