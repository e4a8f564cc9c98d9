#pragma once

#include <string>

#include "liven/models/options.hpp"
#include "liven/nn/layers.hpp"

/// The AttackNet family (Kuznetsov et al. 2026, figures 2 to 4, table 4): two residual phases of three convolutions and
/// a tanh bottleneck. Names and order are those of the published Keras code.
namespace liven {

/// What the three versions share and where they differ.
struct AttackNetOptions {
    float dropout = 0.05f;
    float slope = 0.2f;                     ///< of LeakyReLU
    std::string activation = "leaky_relu";  ///< in the convolutions; the paper's V1 has relu
    std::string dense_activation = "tanh";  ///< the paper's V1 has relu
    float phase_dropout = 0.5f;             ///< dropout after each phase, as a share of `dropout`
    float l2 = 0;                           ///< on the kernels of convolutions and output
    float dense_l2 = 0;                     ///< on the kernel of dense1
    float other_l2 = 0;                     ///< on all other trainable parameters: biases, gamma, beta
    float bn_momentum = 0.99f;              ///< of the running statistics; small data sets want less
    int64_t classes = 2;

    void visit(OptionVisitor& v) {
        v("dropout", dropout), v("slope", slope), v("activation", activation), v("dense_activation", dense_activation);
        v("phase_dropout", phase_dropout), v("l2", l2), v("dense_l2", dense_l2), v("other_l2", other_l2),
            v("bn_momentum", bn_momentum), v("classes", classes);
    }
};

/// One phase: the first convolution's result, before its activation, is the shortcut around the other two.
class AttackPhase : public Module {
public:
    enum class Join { concat, add };

    AttackPhase(Module& parent, const std::string& n, int64_t filters, Join join, const AttackNetOptions& options)
        : Module(parent, ""), join_(join), number_(n), filters_(filters), options_(options) {}

protected:
    Tensor forward(Tensor x) override {
        const Tensor y = conv1(x);
        const Tensor t = act2(conv2(bn1(act1(y))));
        const Tensor z = act3(conv3(t));
        return dropout(pool(bn_final(join_ == Join::concat ? concat({y, z}) : y + z)));
    }

private:
    Join join_;
    std::string number_;
    int64_t filters_;
    AttackNetOptions options_;
    Activation::Options activation_{.kind = activation_from(options_.activation), .slope = options_.slope};

    Conv2d conv1{*this, "conv" + number_ + "_1", {.filters = filters_, .l2 = options_.l2}};
    Activation act1{*this, options_.activation + number_ + "_1", activation_};
    BatchNorm bn1{*this, "bn" + number_ + "_1", {.momentum = options_.bn_momentum}};
    Conv2d conv2{*this, "conv" + number_ + "_2", {.filters = filters_, .l2 = options_.l2}};
    Activation act2{*this, options_.activation + number_ + "_2", activation_};
    Conv2d conv3{*this, "conv" + number_ + "_3", {.filters = filters_, .l2 = options_.l2}};
    Activation act3{*this, options_.activation + number_ + "_3", activation_};
    BatchNorm bn_final{*this, "bn" + number_ + "_final", {.momentum = options_.bn_momentum}};
    MaxPool2d pool{*this, "maxpool" + number_};
    Dropout dropout{*this, "dropout" + number_, options_.dropout* options_.phase_dropout};
};

/// AttackNet V1: the shortcut is concatenated. 33,588,738 parameters in total at 256 x 256 x 3.
class AttackNetV1 : public Module {
public:
    using Options = AttackNetOptions;
    /// The code's values: LeakyReLU, tanh, L2 on all kernels.
    static Options defaults() { return {.l2 = 1e-5f, .dense_l2 = 1e-5f}; }
    /// The paper's: ReLU in convolutions and dense layer, L2 on all trainable parameters.
    static Options paper() {
        return {.activation = "relu", .dense_activation = "relu", .l2 = 1e-5f, .dense_l2 = 1e-5f, .other_l2 = 1e-5f};
    }
    explicit AttackNetV1(const Options& chosen = defaults()) : options(chosen) { regularize(options.other_l2); }

    std::string_view type() const override { return "AttackNetV1"; }
    const Options options;

protected:
    Tensor forward(Tensor x) override {    // N x 256 x 256 x 3
        x = phase1(x);                     // N x 128 x 128 x 32
        x = phase2(x);                     // N x 64 x 64 x 64
        x = bn_dense(dense1(flatten(x)));  // N x 128
        return output(dropout_dense(x));   // N x 2 logits
    }

private:
    AttackPhase phase1{*this, "1", 16, AttackPhase::Join::concat, options};
    AttackPhase phase2{*this, "2", 32, AttackPhase::Join::concat, options};
    Flatten flatten{*this, "flatten"};
    Dense dense1{*this,
                 "dense1",
                 {.units = 128, .activation = activation_from(options.dense_activation), .l2 = options.dense_l2}};
    BatchNorm bn_dense{*this, "bn_dense", {.momentum = options.bn_momentum}};
    Dropout dropout_dense{*this, "dropout_dense", options.dropout};
    Dense output{*this, "output", {.units = options.classes, .l2 = options.l2}};
};

/// AttackNet V2.1: V1's graph with the full dropout after each phase and a linear dense layer before its tanh.
/// 33,588,738 parameters in total at 256 x 256 x 3.
class AttackNetV21 : public Module {
public:
    using Options = AttackNetOptions;
    /// The code's values: L2 on convolutions and output, none on dense1_linear.
    static Options defaults() { return {.phase_dropout = 1.0f, .l2 = 1e-5f}; }
    /// The paper's: L2 on all trainable parameters.
    static Options paper() { return {.phase_dropout = 1.0f, .l2 = 1e-5f, .dense_l2 = 1e-5f, .other_l2 = 1e-5f}; }
    explicit AttackNetV21(const Options& chosen = defaults()) : options(chosen) { regularize(options.other_l2); }

    std::string_view type() const override { return "AttackNetV2.1"; }
    const Options options;

protected:
    Tensor forward(Tensor x) override {               // N x 256 x 256 x 3
        x = phase1(x);                                // N x 128 x 128 x 32
        x = phase2(x);                                // N x 64 x 64 x 64
        x = bn_dense(act_dense(dense1(flatten(x))));  // N x 128
        return output(dropout_dense(x));              // N x 2 logits
    }

private:
    AttackPhase phase1{*this, "1", 16, AttackPhase::Join::concat, options};
    AttackPhase phase2{*this, "2", 32, AttackPhase::Join::concat, options};
    Flatten flatten{*this, "flatten"};
    Dense dense1{*this, "dense1_linear", {.units = 128, .l2 = options.dense_l2}};
    Activation act_dense{
        *this, options.dense_activation + "_activation", {.kind = activation_from(options.dense_activation)}};
    BatchNorm bn_dense{*this, "bn_dense", {.momentum = options.bn_momentum}};
    Dropout dropout_dense{*this, "dropout_dense", options.dropout};
    Dense output{*this, "output", {.units = options.classes, .l2 = options.l2}};
};

/// AttackNet V2.2: the shortcut is added, which halves the dense layer. 16,806,722 parameters in total at 256 x 256
/// x 3.
class AttackNetV22 : public Module {
public:
    using Options = AttackNetOptions;
    /// The code's values: no L2.
    static Options defaults() { return {}; }
    /// The paper's: L2 on all trainable parameters.
    static Options paper() { return {.l2 = 1e-5f, .dense_l2 = 1e-5f, .other_l2 = 1e-5f}; }
    explicit AttackNetV22(const Options& chosen = defaults()) : options(chosen) { regularize(options.other_l2); }

    std::string_view type() const override { return "AttackNetV2.2"; }
    const Options options;

protected:
    Tensor forward(Tensor x) override {    // N x 256 x 256 x 3
        x = phase1(x);                     // N x 128 x 128 x 16
        x = phase2(x);                     // N x 64 x 64 x 32
        x = bn_dense(dense1(flatten(x)));  // N x 128
        return output(dropout_dense(x));   // N x 2 logits
    }

private:
    AttackPhase phase1{*this, "1", 16, AttackPhase::Join::add, options};
    AttackPhase phase2{*this, "2", 32, AttackPhase::Join::add, options};
    Flatten flatten{*this, "flatten"};
    Dense dense1{*this,
                 "dense1",
                 {.units = 128, .activation = activation_from(options.dense_activation), .l2 = options.dense_l2}};
    BatchNorm bn_dense{*this, "bn_dense", {.momentum = options.bn_momentum}};
    Dropout dropout_dense{*this, "dropout_dense", options.dropout};
    Dense output{*this, "output", {.units = options.classes, .l2 = options.l2}};
};

}  // namespace liven
