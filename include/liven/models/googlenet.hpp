#pragma once

#include <memory>
#include <string>

#include "liven/models/options.hpp"
#include "liven/nn/layers.hpp"
#include "liven/nn/objective.hpp"
#include "liven/nn/pool_layers.hpp"
#include "liven/ops/shape.hpp"

/// GoogLeNet (Szegedy et al. 2015, table 1) as torchvision has it: batch-norm behind every convolution, and 3x3 kernels
/// in the branch that the paper calls 5x5.
namespace liven {

/// Convolution, batch-norm (epsilon 1e-3), ReLU.
class BasicConv : public Module {
public:
    struct Options {
        int64_t filters = 64, kernel = 1, stride = 1;
        float bn_momentum = 0.9f;
    };
    BasicConv(Module& parent, std::string_view name, const Options& options)
        : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "BasicConv2d"; }

protected:
    Tensor forward(Tensor x) override { return relu(bn(conv(x))); }

private:
    Options options_;
    Conv2d conv{*this,
                "conv",
                {.filters = options_.filters,
                 .kernel = options_.kernel,
                 .stride = options_.stride,
                 .padding = ConvPadding::given(symmetric(options_.kernel / 2)),
                 .bias = false,
                 .initializer = Initializer::truncated_normal(0.01f)}};
    BatchNorm bn{*this, "bn", {.epsilon = 1e-3f, .momentum = options_.bn_momentum, .unbiased_variance = true}};
};

/// Four branches side by side: 1x1; 1x1 and 3x3; 1x1 and "5x5"; pool and 1x1.
class Inception : public Module {
public:
    struct Options {
        int64_t one, three_reduced, three, five_reduced, five, pooled;  ///< channels
        float bn_momentum = 0.9f;
    };
    Inception(Module& parent, std::string_view name, const Options& options)
        : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "Inception"; }

protected:
    Tensor forward(Tensor x) override {
        return concat({branch1(x), branch2_1(branch2_0(x)), branch3_1(branch3_0(x)), branch4_1(branch4_0(x))});
    }

private:
    BasicConv::Options conv(int64_t filters, int64_t kernel) const {
        return {.filters = filters, .kernel = kernel, .bn_momentum = options_.bn_momentum};
    }

    Options options_;
    BasicConv branch1{*this, "branch1", conv(options_.one, 1)};
    BasicConv branch2_0{*this, "branch2.0", conv(options_.three_reduced, 1)};
    BasicConv branch2_1{*this, "branch2.1", conv(options_.three, 3)};
    BasicConv branch3_0{*this, "branch3.0", conv(options_.five_reduced, 1)};
    BasicConv branch3_1{*this, "branch3.1", conv(options_.five, 3)};
    MaxPool2d branch4_0{*this, "branch4.0", {.size = 3, .stride = 1, .padding = symmetric(1), .ceil_mode = true}};
    BasicConv branch4_1{*this, "branch4.1", conv(options_.pooled, 1)};
};

/// A dense layer as torchvision begins it here.
inline Dense::Options googlenet_dense(int64_t units, Activation::Kind activation = Activation::Kind::linear) {
    return {.units = units, .activation = activation, .initializer = Initializer::truncated_normal(0.01f)};
}

/// A classifier on a map in the middle of the network, so that its gradient has a short way.
class InceptionAuxiliary : public Module {
public:
    struct Options {
        int64_t classes = 2;
        float dropout = 0.7f, bn_momentum = 0.9f;
    };
    InceptionAuxiliary(Module& parent, std::string_view name, const Options& options)
        : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "InceptionAux"; }

protected:
    Tensor forward(Tensor x) override {     // N x 14 x 14 x 512 or 528
        x = conv(adaptive_avg_pool(x, 4));  // N x 4 x 4 x 128
        // Flattened by channels first, as the published weights are.
        x = flatten(permute(x, {0, 3, 1, 2}));  // N x 2048
        return fc2(dropout(fc1(x)));            // N x 2 logits
    }

private:
    Options options_;
    BasicConv conv{*this, "conv", {.filters = 128, .bn_momentum = options_.bn_momentum}};
    Dense fc1{*this, "fc1", googlenet_dense(1024, Activation::Kind::relu)};
    Dropout dropout{*this, "dropout", options_.dropout};
    Dense fc2{*this, "fc2", googlenet_dense(options_.classes)};
};

/// GoogLeNet. Trainable parameters with two classes: 9,936,038 with both auxiliary classifiers, 5,601,954 without; they
/// are dropped at inference.
class GoogLeNet : public Module {
public:
    struct Options {
        bool auxiliary = true;
        float auxiliary_weight = 0.3f;   ///< of each auxiliary classifier's cross entropy
        float dropout = 0.2f;            ///< before the last layer
        float auxiliary_dropout = 0.7f;  ///< before those of the auxiliary classifiers
        float bn_momentum = 0.9f;
        int64_t classes = 2;

        void visit(OptionVisitor& v) {
            v("auxiliary", auxiliary), v("auxiliary_weight", auxiliary_weight), v("dropout", dropout);
            v("auxiliary_dropout", auxiliary_dropout), v("bn_momentum", bn_momentum), v("classes", classes);
        }
    };
    static Options defaults() { return {}; }
    /// What is left at inference.
    static Options deployed(Options options) {
        options.auxiliary = false;
        return options;
    }
    explicit GoogLeNet(const Options& chosen) : options(chosen) {}
    GoogLeNet() : GoogLeNet(defaults()) {}

    std::string_view type() const override { return "GoogLeNet"; }
    std::unique_ptr<Objective> objective() override;
    const Options options;

    struct Outputs {
        Tensor logits, auxiliary1, auxiliary2;  ///< N x classes; the last two undefined without auxiliary classifiers
    };
    Outputs outputs(Tensor x) {  // N x 224 x 224 x 3
        const Pass pass(*this);
        Outputs out;
        x = maxpool1(conv1(x));                           // N x 56 x 56 x 64
        x = maxpool2(conv3(conv2(x)));                    // N x 28 x 28 x 192
        x = maxpool3(inception3b(inception3a(x)));        // N x 14 x 14 x 480
        x = inception4a(x);                               // N x 14 x 14 x 512
        if (options.auxiliary) out.auxiliary1 = aux1(x);  // N x 2
        x = inception4d(inception4c(inception4b(x)));     // N x 14 x 14 x 528
        if (options.auxiliary) out.auxiliary2 = aux2(x);  // N x 2
        x = maxpool4(inception4e(x));                     // N x 7 x 7 x 832
        x = inception5b(inception5a(x));                  // N x 7 x 7 x 1024
        out.logits = fc(dropout(avgpool(x)));             // N x 2
        return out;
    }

protected:
    Tensor forward(Tensor x) override { return outputs(x).logits; }

private:
    using Channels = Inception::Options;
    Channels inception(Channels channels) const {
        channels.bn_momentum = options.bn_momentum;
        return channels;
    }
    BasicConv::Options conv(int64_t filters, int64_t kernel, int64_t stride = 1) const {
        return {.filters = filters, .kernel = kernel, .stride = stride, .bn_momentum = options.bn_momentum};
    }
    InceptionAuxiliary::Options auxiliary() const {
        return {.classes = options.classes, .dropout = options.auxiliary_dropout, .bn_momentum = options.bn_momentum};
    }
    static constexpr PoolOptions kHalf{.size = 3, .stride = 2, .ceil_mode = true};

    BasicConv conv1{*this, "conv1", conv(64, 7, 2)};
    MaxPool2d maxpool1{*this, "maxpool1", kHalf};
    BasicConv conv2{*this, "conv2", conv(64, 1)};
    BasicConv conv3{*this, "conv3", conv(192, 3)};
    MaxPool2d maxpool2{*this, "maxpool2", kHalf};
    Inception inception3a{*this, "inception3a", inception({64, 96, 128, 16, 32, 32})};
    Inception inception3b{*this, "inception3b", inception({128, 128, 192, 32, 96, 64})};
    MaxPool2d maxpool3{*this, "maxpool3", kHalf};
    Inception inception4a{*this, "inception4a", inception({192, 96, 208, 16, 48, 64})};
    Inception inception4b{*this, "inception4b", inception({160, 112, 224, 24, 64, 64})};
    Inception inception4c{*this, "inception4c", inception({128, 128, 256, 24, 64, 64})};
    Inception inception4d{*this, "inception4d", inception({112, 144, 288, 32, 64, 64})};
    Inception inception4e{*this, "inception4e", inception({256, 160, 320, 32, 128, 128})};
    MaxPool2d maxpool4{*this, "maxpool4", {.size = 2, .stride = 2, .ceil_mode = true}};
    Inception inception5a{*this, "inception5a", inception({256, 160, 320, 32, 128, 128})};
    Inception inception5b{*this, "inception5b", inception({384, 192, 384, 48, 128, 128})};
    InceptionAuxiliary aux1{*this, "aux1", auxiliary()};
    InceptionAuxiliary aux2{*this, "aux2", auxiliary()};
    GlobalAvgPool avgpool{*this, "avgpool"};
    Dropout dropout{*this, "dropout", options.dropout};
    Dense fc{*this, "fc", googlenet_dense(options.classes)};
};

/// Cross entropy of the logits and, in training, of both auxiliary classifiers' logits, each times its weight.
class GoogLeNetObjective final : public Classification {
public:
    /// The network must outlive the objective.
    explicit GoogLeNetObjective(GoogLeNet& network) : Classification(network), network_(network) {}
    using Objective::pass;

    ObjectivePass pass(const Tensor& images, const Tensor& labels, const ClassifierLoss& loss) override;

private:
    GoogLeNet& network_;
};

}  // namespace liven
