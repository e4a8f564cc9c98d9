#pragma once

#include "liven/models/resnet.hpp"
#include "liven/ops/shape.hpp"

namespace liven {

/// Squeeze and excitation (Hu, Shen, Sun 2018): what a channel has on average over the image decides, beside the other
/// channels', by how much the channel is scaled.
class SqueezeExcitation : public Module {
public:
    SqueezeExcitation(Module& parent, std::string_view name, int64_t channels, int64_t reduction)
        : Module(parent, name), channels_(channels), reduction_(reduction) {}
    std::string_view type() const override { return "SqueezeExcitation"; }

protected:
    Tensor forward(Tensor x) override {            // N x H x W x C
        const Tensor squeezed = squeeze(x);        // N x C
        const Tensor scales = up(down(squeezed));  // N x C/16 in between
        return x * reshape(scales, {x.shape()[0], 1, 1, channels_});
    }

private:
    Dense::Options dense(int64_t units, Activation::Kind activation) const {
        Dense::Options options = resnet_dense(units);
        options.activation = activation;
        options.bias = false;
        return options;
    }

    int64_t channels_, reduction_;
    GlobalAvgPool squeeze{*this, "avg_pool"};
    Dense down{*this, "fc.0", dense(channels_ / reduction_, Activation::Kind::relu)};
    Dense up{*this, "fc.2", dense(channels_, Activation::Kind::sigmoid)};
};

/// BasicBlock whose result is squeezed and excited before the shortcut is added; the shortcut is not.
class SeBasicBlock : public Module {
public:
    struct Options {
        int64_t filters = 64;
        int64_t stride = 1;
        BatchNorm::Options norm = resnet_norm();
        int64_t reduction = 16;
    };
    SeBasicBlock(Module& parent, std::string_view name, const Options& options)
        : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "SeBasicBlock"; }

protected:
    Tensor forward(Tensor x) override {
        const Tensor y = se(bn2(conv2(relu(bn1(conv1(x))))));
        const bool same_shape = options_.stride == 1 && x.shape()[3] == options_.filters;
        return relu(y + (same_shape ? x : bn_shortcut(conv_shortcut(x))));
    }

private:
    Options options_;
    Conv2d conv1{*this, "conv1", resnet_conv(options_.filters, 3, options_.stride)};
    BatchNorm bn1{*this, "bn1", options_.norm};
    Conv2d conv2{*this, "conv2", resnet_conv(options_.filters, 3)};
    BatchNorm bn2{*this, "bn2", options_.norm};
    SqueezeExcitation se{*this, "se", options_.filters, options_.reduction};
    Conv2d conv_shortcut{*this, "downsample.0", resnet_conv(options_.filters, 1, options_.stride)};
    BatchNorm bn_shortcut{*this, "downsample.1", options_.norm};
};

/// SE-ResNet-18, reduction 16, no biases in the excitation: 11,264,578 trainable parameters with two classes.
class SeResNet18 : public Module {
public:
    using Options = ResNetOptions;
    static Options defaults() { return {}; }
    explicit SeResNet18(const Options& chosen) : options(chosen) {}
    SeResNet18() : SeResNet18(defaults()) {}

    std::string_view type() const override { return "SeResNet18"; }
    const Options options;

protected:
    Tensor forward(Tensor x) override {  // N x 224 x 224 x 3
        x = trunk(x);                    // N x 7 x 7 x 512
        x = avgpool(x);                  // N x 512
        return fc(dropout(x));           // N x 2 logits
    }

private:
    ResNetTrunk<SeBasicBlock> trunk{*this, "", {.norm = options.norm()}};
    GlobalAvgPool avgpool{*this, "avgpool"};
    Dropout dropout{*this, "dropout", options.dropout};
    Dense fc{*this, "fc", resnet_dense(options.classes)};
};

}  // namespace liven
