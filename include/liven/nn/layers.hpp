#pragma once

#include "liven/nn/module.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/norm.hpp"
#include "liven/ops/pool.hpp"

/// Layers, named as in Keras; their parameters carry Keras' variable names.
namespace liven {

/// How a convolution pads: same() of Keras, nothing, or given margins.
struct ConvPadding {
    enum class Mode { same, valid, given } mode = Mode::same;
    Padding2d margins{};

    static ConvPadding same() { return {}; }
    static ConvPadding valid() { return {.mode = Mode::valid}; }
    static ConvPadding given(const Padding2d& margins) { return {.mode = Mode::given, .margins = margins}; }
};

/// N x H x W x C -> N x H' x W' x filters. Parameters kernel (HWIO) and bias.
class Conv2d : public Module {
public:
    struct Options {
        int64_t filters = 1;
        Extent2d kernel = 3;
        Extent2d stride = 1;
        ConvPadding padding = ConvPadding::same();
        Extent2d dilation = 1;
        int64_t groups = 1;
        bool bias = true;
        float l2 = 0;
        Initializer initializer = Initializer::glorot_uniform();
    };
    Conv2d(Module& parent, std::string_view name, const Options& options) : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "Conv2D"; }

protected:
    Tensor forward(Tensor x) override;

private:
    Options options_;
    Parameter kernel_, bias_;
};

/// An activation function as a layer.
class Activation : public Module {
public:
    enum class Kind { relu, leaky_relu, tanh, sigmoid, softplus, gelu, linear };
    struct Options {
        Kind kind = Kind::relu;
        float slope = 0.2f;  ///< leaky_relu
    };
    Activation(Module& parent, std::string_view name, const Options& options)
        : Module(parent, name), options_(options) {}
    std::string_view type() const override;

protected:
    Tensor forward(Tensor x) override;

private:
    Options options_;
};
std::string_view name_of(Activation::Kind kind);
/// The function itself; `slope` is leaky_relu's.
Tensor activate(const Tensor& x, Activation::Kind kind, float slope = 0.2f);
/// Throws Error naming the choices.
Activation::Kind activation_from(std::string_view name);

/// N x I -> N x units, and an activation. Parameters kernel (I x units) and bias.
class Dense : public Module {
public:
    struct Options {
        int64_t units = 1;
        Activation::Kind activation = Activation::Kind::linear;
        bool bias = true;
        float l2 = 0;
        Initializer initializer = Initializer::glorot_uniform();
    };
    Dense(Module& parent, std::string_view name, const Options& options) : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "Dense"; }

protected:
    Tensor forward(Tensor x) override;

private:
    Options options_;
    Parameter kernel_, bias_;
};

/// Batch normalisation over all axes but the last. Parameters gamma and beta, statistics moving_mean and
/// moving_variance.
class BatchNorm : public Module {
public:
    struct Options {
        float epsilon = 1e-3f;           ///< Keras' default; PyTorch's is 1e-5
        float momentum = 0.99f;          ///< of the old statistics; PyTorch's 0.1 is 0.9 here
        bool unbiased_variance = false;  ///< moving_variance from the unbiased estimate, as PyTorch keeps it
        float gamma = 1;                 ///< at the start
    };
    BatchNorm(Module& parent, std::string_view name, const Options& options)
        : Module(parent, name), options_(options) {}
    BatchNorm(Module& parent, std::string_view name) : BatchNorm(parent, name, Options()) {}
    std::string_view type() const override { return "BatchNormalization"; }

protected:
    Tensor forward(Tensor x) override;

private:
    Options options_;
    Parameter gamma_, beta_;
    State moving_mean_, moving_variance_;
};

/// Drops elements in training, passes them on in inference.
class Dropout : public Module {
public:
    Dropout(Module& parent, std::string_view name, float rate) : Module(parent, name), rate_(rate) {}
    std::string_view type() const override { return "Dropout"; }

protected:
    Tensor forward(Tensor x) override { return training() && rate_ > 0 ? dropout(x, rate_, dropout_key()) : x; }

private:
    float rate_;
};

class MaxPool2d : public Module {
public:
    MaxPool2d(Module& parent, std::string_view name, const PoolOptions& options = {})
        : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "MaxPooling2D"; }

protected:
    Tensor forward(Tensor x) override { return max_pool(x, options_); }

private:
    PoolOptions options_;
};

class Flatten : public Module {
public:
    Flatten(Module& parent, std::string_view name) : Module(parent, name) {}
    std::string_view type() const override { return "Flatten"; }

protected:
    Tensor forward(Tensor x) override { return flatten(x); }
};

}  // namespace liven
