#include "liven/nn/norm_layers.hpp"

#include "liven/core/error.hpp"

namespace liven {
namespace {

Shape channels_of(const Module& layer, const Tensor& x, int least_rank) {
    if (x.rank() < least_rank)
        throw Error(layer.path(), "expected rank " + std::to_string(least_rank) + " or more, got " + x.shape().str());
    return {x.shape()[-1]};
}

}  // namespace

Tensor LayerNorm::forward(Tensor x) {
    const Shape channels = channels_of(*this, x, 1);
    parameter(gamma_, "gamma", channels, {.initializer = Initializer::ones(), .l2 = options_.l2});
    parameter(beta_, "beta", channels, {.initializer = Initializer::zeros(), .l2 = options_.l2});
    return layer_norm(x, gamma_.tensor(), beta_.tensor(), {.epsilon = options_.epsilon});
}

Tensor InstanceNorm::forward(Tensor x) {
    const Shape channels = channels_of(*this, x, 3);
    parameter(gamma_, "gamma", channels, {.initializer = Initializer::constant(options_.gamma), .l2 = options_.l2});
    parameter(beta_, "beta", channels, {.initializer = Initializer::zeros(), .l2 = options_.l2});
    return instance_norm(x, gamma_.tensor(), beta_.tensor(), {.epsilon = options_.epsilon});
}

}  // namespace liven
