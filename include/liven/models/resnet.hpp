#pragma once

#include <array>
#include <string>
#include <vector>

#include "liven/models/options.hpp"
#include "liven/nn/layers.hpp"
#include "liven/nn/pool_layers.hpp"
#include "liven/nn/sequential.hpp"

/// Residual networks (He, Zhang, Ren, Sun 2016, table 1) with the layer names, paddings and initial values of
/// torchvision, so that published weights fit by name.
namespace liven {

/// torchvision's batch-norm: epsilon 1e-5, a tenth of every batch's statistics, the unbiased variance kept.
inline BatchNorm::Options resnet_norm() { return {.epsilon = 1e-5f, .momentum = 0.9f, .unbiased_variance = true}; }

/// A convolution as residual networks have it: no bias unless asked for (a norm follows), margins of half the kernel on
/// every side, variance kept for the gradient.
inline Conv2d::Options resnet_conv(int64_t filters, int64_t kernel, int64_t stride = 1, bool bias = false) {
    return {.filters = filters,
            .kernel = kernel,
            .stride = stride,
            .padding = ConvPadding::given(symmetric(kernel / 2)),
            .bias = bias,
            .initializer = Initializer::he_normal(0, Initializer::Fan::out)};
}

/// Two 3x3 convolutions and a shortcut around them, projected by a 1x1 convolution where the shape changes.
class BasicBlock : public Module {
public:
    struct Options {
        int64_t filters = 64;
        int64_t stride = 1;  ///< of the first convolution
        BatchNorm::Options norm = resnet_norm();
    };
    BasicBlock(Module& parent, std::string_view name, const Options& options)
        : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "BasicBlock"; }

protected:
    Tensor forward(Tensor x) override {
        const Tensor y = bn2(conv2(relu(bn1(conv1(x)))));
        return relu(y + shortcut(x));
    }

private:
    Tensor shortcut(const Tensor& x) {
        const bool same_shape = options_.stride == 1 && x.shape()[3] == options_.filters;
        return same_shape ? x : bn_shortcut(conv_shortcut(x));
    }

    Options options_;
    Conv2d conv1{*this, "conv1", resnet_conv(options_.filters, 3, options_.stride)};
    BatchNorm bn1{*this, "bn1", options_.norm};
    Conv2d conv2{*this, "conv2", resnet_conv(options_.filters, 3)};
    BatchNorm bn2{*this, "bn2", options_.norm};
    Conv2d conv_shortcut{*this, "downsample.0", resnet_conv(options_.filters, 1, options_.stride)};
    BatchNorm bn_shortcut{*this, "downsample.1", options_.norm};
};

/// Blocks of one width, "layer1.0", "layer1.1", ...; the first one may halve the image.
template <class Block>
class ResNetStage : public Sequential {
public:
    ResNetStage(Module& parent, const std::string& name, int64_t depth, typename Block::Options options)
        : Sequential(parent, "") {
        for (int64_t i = 0; i < depth; ++i) {
            add<Block>(name + "." + std::to_string(i), options);
            options.stride = 1;
        }
    }
};

/// A residual network up to its last block, without pooling and classifier. Block is BasicBlock or one with the same
/// Options and a constructor like its.
template <class Block>
class ResNetTrunk : public Module {
public:
    struct Options {
        std::array<int64_t, 4> depths{2, 2, 2, 2};
        int64_t scales = 5;  ///< the stem and this many stages less one; the rest does not exist
        int64_t frozen = 0;  ///< how many of them, from the stem on, are not trained and keep their statistics
        bool bias = false;   ///< of the stem's convolution
        BatchNorm::Options norm = resnet_norm();
        typename Block::Options block{};  ///< what blocks have beside filters, stride and norm
    };
    ResNetTrunk(Module& parent, std::string_view name, const Options& options)
        : Module(parent, name), options_(options) {
        for (Module* part : {static_cast<Module*>(&conv1), static_cast<Module*>(&bn1)})
            part->freeze(options.frozen > 0);
        int64_t scale = 1;
        for (ResNetStage<Block>* stage : {&layer1, &layer2, &layer3, &layer4}) stage->freeze(options.frozen > scale++);
    }
    std::string_view type() const override { return "ResNetTrunk"; }

    /// What the trunk sees at each scale, for an image of 224 x 224 and BasicBlocks (Bottlenecks have four times the
    /// channels from the second on):
    ///     0  stem, before the pool   N x 112 x 112 x 64
    ///     1  layer1                  N x 56 x 56 x 64
    ///     2  layer2                  N x 28 x 28 x 128
    ///     3  layer3                  N x 14 x 14 x 256
    ///     4  layer4                  N x 7 x 7 x 512
    std::vector<Tensor> features(const Tensor& x) {
        const Pass pass(*this);
        return compute(x);
    }

protected:
    Tensor forward(Tensor x) override { return compute(x).back(); }

private:
    std::vector<Tensor> compute(const Tensor& x) {
        std::vector<Tensor> at{relu(bn1(conv1(x)))};
        if (options_.scales > 1) at.push_back(layer1(maxpool(at[0])));
        if (options_.scales > 2) at.push_back(layer2(at[1]));
        if (options_.scales > 3) at.push_back(layer3(at[2]));
        if (options_.scales > 4) at.push_back(layer4(at[3]));
        return at;
    }
    typename Block::Options block(int64_t filters, int64_t stride) const {
        typename Block::Options of_block = options_.block;
        of_block.filters = filters;
        of_block.stride = stride;
        of_block.norm = options_.norm;
        return of_block;
    }

    Options options_;
    Conv2d conv1{*this, "conv1", resnet_conv(64, 7, 2, options_.bias)};
    BatchNorm bn1{*this, "bn1", options_.norm};
    MaxPool2d maxpool{*this, "maxpool", {.size = 3, .stride = 2, .padding = symmetric(1)}};
    ResNetStage<Block> layer1{*this, "layer1", options_.depths[0], block(64, 1)};
    ResNetStage<Block> layer2{*this, "layer2", options_.depths[1], block(128, 2)};
    ResNetStage<Block> layer3{*this, "layer3", options_.depths[2], block(256, 2)};
    ResNetStage<Block> layer4{*this, "layer4", options_.depths[3], block(512, 2)};
};

/// What the classifiers on a residual trunk share.
struct ResNetOptions {
    float dropout = 0;         ///< before the last layer
    float bn_momentum = 0.9f;  ///< of the running statistics
    float bn_epsilon = 1e-5f;
    int64_t classes = 2;

    void visit(OptionVisitor& v) {
        v("dropout", dropout), v("bn_momentum", bn_momentum), v("bn_epsilon", bn_epsilon), v("classes", classes);
    }
    BatchNorm::Options norm() const {
        BatchNorm::Options options = resnet_norm();
        options.epsilon = bn_epsilon, options.momentum = bn_momentum;
        return options;
    }
};

/// torchvision's start of a fully-connected layer: uniform in +-1/sqrt(fan in).
inline Dense::Options resnet_dense(int64_t units) {
    return {.units = units, .initializer = Initializer::he_uniform(2.2360680f)};  // slope sqrt(5)
}

/// ResNet-18: 11,177,538 trainable parameters with two classes.
class ResNet18 : public Module {
public:
    using Options = ResNetOptions;
    static Options defaults() { return {}; }
    explicit ResNet18(const Options& chosen) : options(chosen) {}
    ResNet18() : ResNet18(defaults()) {}
    /// As a part of another network.
    ResNet18(Module& parent, std::string_view name, const Options& chosen) : Module(parent, name), options(chosen) {}

    std::string_view type() const override { return "ResNet18"; }
    const Options options;

protected:
    Tensor forward(Tensor x) override {  // N x 224 x 224 x 3
        x = trunk(x);                    // N x 7 x 7 x 512
        x = avgpool(x);                  // N x 512
        return fc(dropout(x));           // N x 2 logits
    }

private:
    ResNetTrunk<BasicBlock> trunk{*this, "", {.norm = options.norm()}};
    GlobalAvgPool avgpool{*this, "avgpool"};
    Dropout dropout{*this, "dropout", options.dropout};
    Dense fc{*this, "fc", resnet_dense(options.classes)};
};

}  // namespace liven
