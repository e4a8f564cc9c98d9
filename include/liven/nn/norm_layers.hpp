#pragma once

#include "liven/nn/module.hpp"
#include "liven/ops/instance_norm.hpp"
#include "liven/ops/layer_norm.hpp"

namespace liven {

/// Normalises each position over its channels. Parameters gamma and beta.
class LayerNorm : public Module {
public:
    struct Options {
        float epsilon = 1e-5f;  ///< PyTorch's default; Keras' is 1e-3, vision transformers have 1e-6
        float l2 = 0;
    };
    LayerNorm(Module& parent, std::string_view name, const Options& options)
        : Module(parent, name), options_(options) {}
    LayerNorm(Module& parent, std::string_view name) : LayerNorm(parent, name, Options()) {}
    std::string_view type() const override { return "LayerNormalization"; }

protected:
    Tensor forward(Tensor x) override;

private:
    Options options_;
    Parameter gamma_, beta_;
};

/// Normalises each channel of each image over its pixels, in training and inference alike. Parameters gamma and beta
/// (PyTorch's default leaves them out; LGSC needs them).
class InstanceNorm : public Module {
public:
    struct Options {
        float epsilon = 1e-5f;
        float gamma = 1;  ///< at the start
        float l2 = 0;
    };
    InstanceNorm(Module& parent, std::string_view name, const Options& options)
        : Module(parent, name), options_(options) {}
    InstanceNorm(Module& parent, std::string_view name) : InstanceNorm(parent, name, Options()) {}
    std::string_view type() const override { return "InstanceNormalization"; }

protected:
    Tensor forward(Tensor x) override;

private:
    Options options_;
    Parameter gamma_, beta_;
};

}  // namespace liven
