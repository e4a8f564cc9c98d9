#include "liven/ops/layer_norm.hpp"

#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"
#include "normalised.hpp"

namespace liven {

Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const LayerNormOptions& options) {
    return apply(ops::LayerNorm{.epsilon = options.epsilon}, {x, gamma, beta});
}

namespace ops {

void LayerNorm::infer(InputTypes in, OutputTypes& out) const {
    detail::infer_normalised("layer_norm", in, 1, epsilon);
    out.push_back(*in[0]);
}

TensorList LayerNorm::decompose(const TensorList& in) const {
    const auto [mean, variance] = moments(in[0], {-1});
    return {mad((in[0] - mean) * rsqrt(shift(variance, epsilon)), in[1], in[2])};
}

}  // namespace ops
}  // namespace liven
