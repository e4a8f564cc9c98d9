#include "liven/ops/instance_norm.hpp"

#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"
#include "normalised.hpp"

namespace liven {

Tensor instance_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const InstanceNormOptions& options) {
    return apply(ops::InstanceNorm{.epsilon = options.epsilon}, {x, gamma, beta});
}

namespace ops {

void InstanceNorm::infer(InputTypes in, OutputTypes& out) const {
    detail::infer_normalised("instance_norm", in, 3, epsilon);
    out.push_back(*in[0]);
}

TensorList InstanceNorm::decompose(const TensorList& in) const {
    MomentsOp op;
    op.axes = ((1u << (in[0].rank() - 1)) - 1u) & ~1u;  // all but the first and the last
    const NodePtr node = record(op, {in[0]});
    const Tensor mean = result(node, 0), variance = result(node, 1);
    return {mad(in[0] - mean, in[1] * rsqrt(shift(variance, epsilon)), in[2])};
}

}  // namespace ops
}  // namespace liven
