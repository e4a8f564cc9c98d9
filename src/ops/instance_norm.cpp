#include "liven/ops/instance_norm.hpp"

#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"
#include "normalised.hpp"

namespace liven {
namespace {

/// What x is normalised with, one value a sample and channel, and x without its mean.
struct InstanceStatistics {
    Tensor mean, inverse;  ///< inverse: 1 / sqrt(variance + epsilon)
    Tensor centred;

    InstanceStatistics(const Tensor& x, float epsilon) {
        ops::MomentsOp op;
        op.axes = ((1u << (x.rank() - 1)) - 1u) & ~1u;  // all but the first and the last
        const NodePtr node = record(op, {x});
        mean = result(node, 0);
        inverse = rsqrt(shift(result(node, 1), epsilon));
        centred = x - mean;
    }
};

}  // namespace

Tensor instance_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const InstanceNormOptions& options) {
    return apply(ops::InstanceNorm{.epsilon = options.epsilon}, {x, gamma, beta});
}

namespace ops {

void InstanceNorm::infer(InputTypes in, OutputTypes& out) const {
    detail::infer_normalised("instance_norm", in, 3, epsilon);
    out.push_back(*in[0]);
}

TensorList InstanceNorm::decompose(const TensorList& in) const {
    const InstanceStatistics s(in[0], epsilon);
    return {mad(s.centred, in[1] * s.inverse, in[2])};
}

void InstanceNorm::vjp(Vjp& v) const {
    const Tensor x = v.input(0), gamma = v.input(1), dy = v.gradient();
    // The same operations on the same operands as decompose() records: simplify shares them with the forward pass.
    const InstanceStatistics s(x, epsilon);
    const float n = static_cast<float>(x.shape().count()) / static_cast<float>(s.mean.shape().count());
    const Tensor sum_dy = sum_to(dy, s.mean.shape()), sum_dy_centred = sum_to(dy * s.centred, s.mean.shape());
    if (v.wants(1)) v.contribute(1, sum_to(sum_dy_centred * s.inverse, gamma.shape()));
    if (v.wants(2)) v.contribute(2, sum_to(sum_dy, gamma.shape()));
    if (!v.wants(0)) return;
    // dx = gamma/s * (dy - mean(dy) - (x - mean)/s^2 * mean(dy (x - mean)))
    const Tensor factor = gamma * s.inverse;
    const Tensor slope = -(factor * square(s.inverse) * scale(sum_dy_centred, 1.0f / n));
    const Tensor offset = -(factor * scale(sum_dy, 1.0f / n));
    v.contribute(0, mad(dy, factor, mad(s.centred, slope, offset)));
}

}  // namespace ops
}  // namespace liven
