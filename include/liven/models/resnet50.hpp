#pragma once

#include <string>

#include "liven/models/resnet.hpp"

/// ResNet-50 in its two common forms: v1.5, whose 3x3 convolutions halve the image (torchvision), and v1, whose first
/// 1x1 convolutions do and whose convolutions have biases (He et al. 2016 in Caffe, Keras).
namespace liven {

/// A 1x1 convolution to fewer channels, a 3x3 convolution, a 1x1 convolution to four times the channels, and a shortcut
/// around them, projected where the shape changes.
class Bottleneck : public Module {
public:
    struct Options {
        int64_t filters = 64;  ///< of the 3x3 convolution; the block gives four times as many
        int64_t stride = 1;
        BatchNorm::Options norm = resnet_norm();
        bool stride_first = false;  ///< v1: the first 1x1 convolution has the stride, else the 3x3 one
        bool bias = false;          ///< of the convolutions
    };
    Bottleneck(Module& parent, std::string_view name, const Options& options)
        : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "Bottleneck"; }

protected:
    Tensor forward(Tensor x) override {
        const Tensor reduced = relu(bn1(conv1(x)));
        const Tensor y = bn3(conv3(relu(bn2(conv2(reduced)))));
        return relu(y + shortcut(x));
    }

private:
    Tensor shortcut(const Tensor& x) {
        const bool same_shape = options_.stride == 1 && x.shape()[3] == 4 * options_.filters;
        return same_shape ? x : bn_shortcut(conv_shortcut(x));
    }
    Conv2d::Options conv(int64_t filters, int64_t kernel, int64_t stride) const {
        return resnet_conv(filters, kernel, stride, options_.bias);
    }

    Options options_;
    int64_t early_ = options_.stride_first ? options_.stride : 1, late_ = options_.stride_first ? 1 : options_.stride;
    Conv2d conv1{*this, "conv1", conv(options_.filters, 1, early_)};
    BatchNorm bn1{*this, "bn1", options_.norm};
    Conv2d conv2{*this, "conv2", conv(options_.filters, 3, late_)};
    BatchNorm bn2{*this, "bn2", options_.norm};
    Conv2d conv3{*this, "conv3", conv(4 * options_.filters, 1, 1)};
    BatchNorm bn3{*this, "bn3", options_.norm};
    Conv2d conv_shortcut{*this, "downsample.0", conv(4 * options_.filters, 1, options_.stride)};
    BatchNorm bn_shortcut{*this, "downsample.1", options_.norm};
};

/// Which ResNet-50, and how much of it is trained.
struct ResNet50TrunkOptions {
    std::string variant = "v1.5";  ///< or "keras-v1"
    /// The part from which on it is trained: conv1 (all of it), layer1 ... layer4, or fc (nothing but what follows the
    /// trunk). What lies before keeps its weights and, in its batch-norms, its statistics.
    std::string train_from = "conv1";
    float bn_momentum = 0.9f;
    float bn_epsilon = 1e-5f;  ///< Keras has 1.001e-5, its older weights 1e-3

    /// The trunk's own options. Throws Error naming the choices.
    ResNetTrunk<Bottleneck>::Options trunk() const;
};

/// ResNet-50: trainable parameters with two classes 23,512,130 (v1.5) or 23,538,690 (keras-v1).
class ResNet50 : public Module {
public:
    struct Options : ResNet50TrunkOptions {
        float dropout = 0;
        int64_t classes = 2;

        void visit(OptionVisitor& v) {
            v("variant", variant), v("train_from", train_from), v("dropout", dropout), v("bn_momentum", bn_momentum);
            v("bn_epsilon", bn_epsilon), v("classes", classes);
        }
    };
    static Options defaults() { return {}; }
    explicit ResNet50(const Options& chosen) : options(chosen) {}
    ResNet50() : ResNet50(defaults()) {}

    std::string_view type() const override { return "ResNet50"; }
    const Options options;

protected:
    Tensor forward(Tensor x) override {  // N x 224 x 224 x 3
        x = trunk(x);                    // N x 7 x 7 x 2048
        x = avgpool(x);                  // N x 2048
        return fc(dropout(x));           // N x 2 logits
    }

private:
    ResNetTrunk<Bottleneck> trunk{*this, "", options.trunk()};
    GlobalAvgPool avgpool{*this, "avgpool"};
    Dropout dropout{*this, "dropout", options.dropout};
    Dense fc{*this, "fc", resnet_dense(options.classes)};
};

}  // namespace liven
