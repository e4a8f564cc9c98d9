#pragma once

#include "liven/models/options.hpp"
#include "liven/nn/layers.hpp"

namespace liven {

/// LivenessNet (Rosebrock 2019; Kuznetsov et al. 2026): two blocks of two convolutions, activation before
/// normalisation. 8,406,098 parameters in total at 256 x 256 x 3.
class LivenessNet : public Module {
public:
    struct Options {
        float dropout = 0.05f;      ///< after the dense layer; half of it after each pool
        float l2 = 0;               ///< on every kernel; the published code has none, the paper 1e-5
        float other_l2 = 0;         ///< on all other trainable parameters: biases, gamma, beta
        float bn_momentum = 0.99f;  ///< of the running statistics; small data sets want less
        int64_t classes = 2;

        void visit(OptionVisitor& v) {
            v("dropout", dropout), v("l2", l2), v("other_l2", other_l2), v("bn_momentum", bn_momentum),
                v("classes", classes);
        }
    };
    /// The code's values: no L2.
    static Options defaults() { return {}; }
    /// The paper's: L2 on all trainable parameters.
    static Options paper() { return {.l2 = 1e-5f, .other_l2 = 1e-5f}; }
    explicit LivenessNet(const Options& chosen) : options(chosen) { regularize(options.other_l2); }
    LivenessNet() : LivenessNet(defaults()) {}

    std::string_view type() const override { return "LivenessNet"; }
    const Options options;

protected:
    Tensor forward(Tensor x) override {    // N x 256 x 256 x 3
        x = bn1_1(relu1_1(conv1_1(x)));    // N x 256 x 256 x 16
        x = bn1_2(relu1_2(conv1_2(x)));    // N x 256 x 256 x 16
        x = dropout1(pool1(x));            // N x 128 x 128 x 16
        x = bn2_1(relu2_1(conv2_1(x)));    // N x 128 x 128 x 32
        x = bn2_2(relu2_2(conv2_2(x)));    // N x 128 x 128 x 32
        x = dropout2(pool2(x));            // N x 64 x 64 x 32
        x = bn_dense(dense1(flatten(x)));  // N x 64
        return output(dropout_dense(x));   // N x 2 logits
    }

private:
    Conv2d conv1_1{*this, "conv1_1", {.filters = 16, .l2 = options.l2}};
    Activation relu1_1{*this, "relu1_1", {}};
    BatchNorm bn1_1{*this, "bn1_1", {.momentum = options.bn_momentum}};
    Conv2d conv1_2{*this, "conv1_2", {.filters = 16, .l2 = options.l2}};
    Activation relu1_2{*this, "relu1_2", {}};
    BatchNorm bn1_2{*this, "bn1_2", {.momentum = options.bn_momentum}};
    MaxPool2d pool1{*this, "maxpool1"};
    Dropout dropout1{*this, "dropout1", options.dropout / 2};
    Conv2d conv2_1{*this, "conv2_1", {.filters = 32, .l2 = options.l2}};
    Activation relu2_1{*this, "relu2_1", {}};
    BatchNorm bn2_1{*this, "bn2_1", {.momentum = options.bn_momentum}};
    Conv2d conv2_2{*this, "conv2_2", {.filters = 32, .l2 = options.l2}};
    Activation relu2_2{*this, "relu2_2", {}};
    BatchNorm bn2_2{*this, "bn2_2", {.momentum = options.bn_momentum}};
    MaxPool2d pool2{*this, "maxpool2"};
    Dropout dropout2{*this, "dropout2", options.dropout / 2};
    Flatten flatten{*this, "flatten"};
    Dense dense1{*this, "dense1", {.units = 64, .activation = Activation::Kind::relu, .l2 = options.l2}};
    BatchNorm bn_dense{*this, "bn_dense", {.momentum = options.bn_momentum}};
    Dropout dropout_dense{*this, "dropout_dense", options.dropout};
    Dense output{*this, "output", {.units = options.classes, .l2 = options.l2}};
};

}  // namespace liven
