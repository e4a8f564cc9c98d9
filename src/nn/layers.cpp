#include "liven/nn/layers.hpp"

#include <array>
#include <string>

#include "liven/core/error.hpp"

namespace liven {
namespace {

constexpr std::array<std::string_view, 7> kActivations{"relu",     "leaky_relu", "tanh",  "sigmoid",
                                                       "softplus", "gelu",       "linear"};
constexpr std::array<std::string_view, 7> kKerasNames{"ReLU",     "LeakyReLU", "Tanh",  "Sigmoid",
                                                      "Softplus", "GELU",      "Linear"};

Padding2d margins(const ConvPadding& padding, const Shape& src, const Conv2d::Options& options) {
    switch (padding.mode) {
        case ConvPadding::Mode::same:
            return same({src[1], src[2]}, options.kernel, options.stride, options.dilation);
        case ConvPadding::Mode::given:
            return padding.margins;
        case ConvPadding::Mode::valid:
            break;
    }
    return {};
}

}  // namespace

Tensor Conv2d::forward(Tensor x) {
    if (x.rank() != 4) throw Error(path(), "expected N x H x W x C, got " + x.shape().str());
    const int64_t channels = x.shape()[3];
    if (channels % options_.groups != 0)
        throw Error(path(), std::to_string(channels) + " channels do not divide into " +
                                std::to_string(options_.groups) + " groups");
    parameter(kernel_, "kernel", {options_.kernel.h, options_.kernel.w, channels / options_.groups, options_.filters},
              {.initializer = options_.initializer, .l2 = options_.l2});
    Tensor y = conv2d(x, kernel_.tensor(),
                      {.stride = options_.stride,
                       .padding = margins(options_.padding, x.shape(), options_),
                       .dilation = options_.dilation,
                       .groups = options_.groups});
    if (!options_.bias) return y;
    return y + parameter(bias_, "bias", {options_.filters}, {.initializer = Initializer::zeros()}).tensor();
}

Tensor Dense::forward(Tensor x) {
    if (x.rank() != 2)
        throw Error(path(), "expected N x features, got " + x.shape().str(), "flatten() the input first");
    parameter(kernel_, "kernel", {x.shape()[1], options_.units},
              {.initializer = options_.initializer, .l2 = options_.l2});
    Tensor y = matmul(x, kernel_.tensor());
    if (options_.bias)
        y = y + parameter(bias_, "bias", {options_.units}, {.initializer = Initializer::zeros()}).tensor();
    return activate(y, options_.activation);
}

Tensor BatchNorm::forward(Tensor x) {
    const Shape channels{x.shape()[-1]};
    parameter(gamma_, "gamma", channels, {.initializer = Initializer::constant(options_.gamma)});
    parameter(beta_, "beta", channels, {.initializer = Initializer::zeros()});
    statistic(moving_mean_, "moving_mean", channels, 0.0f);
    statistic(moving_variance_, "moving_variance", channels, 1.0f);
    const BatchNormOptions options{.epsilon = options_.epsilon};
    if (!training())
        return batch_norm_inference(x, gamma_.tensor(), beta_.tensor(), moving_mean_.tensor(),
                                    moving_variance_.tensor(), options);
    const BatchNormResult result = batch_norm(x, gamma_.tensor(), beta_.tensor(), options);
    const auto count = static_cast<float>(x.shape().count()) / static_cast<float>(channels[0]);
    const float bessel = options_.unbiased_variance && count > 1 ? count / (count - 1) : 1.0f;
    update_on_commit(result.mean, moving_mean_, {.momentum = options_.momentum});
    update_on_commit(result.variance, moving_variance_, {.momentum = options_.momentum, .scale = bessel});
    return result.y;
}

std::string_view name_of(Activation::Kind kind) { return kActivations[static_cast<size_t>(kind)]; }

Activation::Kind activation_from(std::string_view name) {
    std::string choices;
    for (size_t i = 0; i < kActivations.size(); ++i) {
        if (kActivations[i] == name) return static_cast<Activation::Kind>(i);
        choices += (i ? ", " : "") + std::string(kActivations[i]);
    }
    throw Error("activation", "expected one of " + choices + ", got '" + std::string(name) + "'");
}

std::string_view Activation::type() const { return kKerasNames[static_cast<size_t>(options_.kind)]; }

Tensor Activation::forward(Tensor x) { return activate(x, options_.kind, options_.slope); }

Tensor activate(const Tensor& x, Activation::Kind kind, float slope) {
    using Kind = Activation::Kind;
    switch (kind) {
        case Kind::relu:
            return relu(x);
        case Kind::leaky_relu:
            return leaky_relu(x, slope);
        case Kind::tanh:
            return tanh(x);
        case Kind::sigmoid:
            return sigmoid(x);
        case Kind::softplus:
            return softplus(x);
        case Kind::gelu:
            return gelu(x);
        case Kind::linear:
            break;
    }
    return x;
}

}  // namespace liven
