#include "liven/nn/gru_layer.hpp"

#include "liven/core/error.hpp"

namespace liven {

Tensor Gru::forward(Tensor x) {
    if (x.rank() != 3) throw Error(path(), "expected N x steps x features, got " + x.shape().str());
    const int64_t units = options_.units;
    parameter(kernel_, "kernel", {x.shape()[2], 3 * units}, {.initializer = options_.initializer, .l2 = options_.l2});
    parameter(recurrent_kernel_, "recurrent_kernel", {units, 3 * units},
              {.initializer = options_.recurrent_initializer, .l2 = options_.l2});
    parameter(bias_, "bias", {3 * units}, {.initializer = Initializer::zeros()});
    if (options_.reset_after)
        parameter(recurrent_bias_, "recurrent_bias", {3 * units}, {.initializer = Initializer::zeros()});
    const GruWeights weights{.kernel = kernel_.tensor(),
                             .recurrent_kernel = recurrent_kernel_.tensor(),
                             .bias = bias_.tensor(),
                             .recurrent_bias = recurrent_bias_.tensor()};
    const GruResult result =
        gru(x, Tensor::zeros({x.shape()[0], units}), weights, {.reset_after = options_.reset_after});
    return options_.all_steps ? result.states : result.last;
}

void Gru::assign(const GruWeights& weights) {
    if (!kernel_.defined()) throw Error(path(), "the layer has no weights yet", "call build() on the model first");
    if (weights.recurrent_bias.defined() != options_.reset_after)
        throw Error(path(), options_.reset_after ? "reset_after needs a recurrent_bias"
                                                 : "without reset_after there is no recurrent_bias");
    kernel_.assign(weights.kernel);
    recurrent_kernel_.assign(weights.recurrent_kernel);
    bias_.assign(weights.bias);
    if (options_.reset_after) recurrent_bias_.assign(weights.recurrent_bias);
}

}  // namespace liven
