#pragma once

#include <string>

#include "liven/models/resnet50.hpp"
#include "liven/nn/frame_encoder.hpp"
#include "liven/nn/gru_layer.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/shape.hpp"

namespace liven {

/// ResNet-50 and a gated recurrent unit over clips (Wagale and Agarkar, section IV): each frame becomes a spatial
/// descriptor, the unit reads them in order, and its last state stands beside the spatial descriptor before the
/// classifier. Which frame's descriptor that is the paper does not say: the mean over the clip here, the last frame's
/// as an option. Trainable parameters: 28,755,522 with the v1.5 trunk, 28,782,082 with Keras' v1.
class ResNet50Gru : public Module, public FrameEncoder {
public:
    struct Options {
        std::string backbone = "v1.5";     ///< or "keras-v1"
        std::string train_from = "conv1";  ///< see ResNet50TrunkOptions; "gru" freezes all of the backbone
        std::string spatial = "mean";      ///< or "last"
        int64_t units = 512;               ///< of the recurrent layer
        int64_t hidden = 512;              ///< of the fully-connected layer; not given in the paper
        float dropout = 0;                 ///< before the last layer
        float bn_momentum = 0.9f;
        float bn_epsilon = 1e-5f;
        int64_t classes = 2;

        void visit(OptionVisitor& v) {
            v("backbone", backbone), v("train_from", train_from), v("spatial", spatial), v("units", units);
            v("hidden", hidden), v("dropout", dropout), v("bn_momentum", bn_momentum), v("bn_epsilon", bn_epsilon);
            v("classes", classes);
        }
        ResNet50TrunkOptions trunk() const {
            return {.variant = backbone,
                    .train_from = train_from == "gru" ? "fc" : train_from,
                    .bn_momentum = bn_momentum,
                    .bn_epsilon = bn_epsilon};
        }
    };
    static Options defaults() { return {}; }
    /// Throws Error for a backbone, train_from or spatial that is none of the choices.
    explicit ResNet50Gru(const Options& chosen);
    ResNet50Gru() : ResNet50Gru(defaults()) {}

    std::string_view type() const override { return "ResNet50Gru"; }
    const Options options;

    Tensor describe(const Tensor& clip) override {  // N x 5 x 224 x 224 x 3
        const Pass pass(*this);
        return spatial_descriptors(clip);  // N x 5 x 2048
    }
    bool encoder_frozen() const override { return options.train_from == "gru"; }

protected:
    /// A clip, or the descriptors of its frames.
    Tensor forward(Tensor x) override {
        const Tensor spatial = x.rank() == 3 ? x : spatial_descriptors(x);  // N x 5 x 2048
        const Tensor temporal = gru(spatial);                               // N x 512
        const Tensor joint = concat({spatial_of_clip(spatial), temporal});  // N x 2560
        return fc2(dropout(fc1(joint)));                                    // N x 2 logits
    }

private:
    Tensor spatial_descriptors(const Tensor& clip);
    Tensor spatial_of_clip(const Tensor& spatial) const {
        if (options.spatial == "mean") return mean(spatial, {.axes = {1}});
        return reshape(slice(spatial, {.axis = 1, .begin = spatial.shape()[1] - 1}),
                       {spatial.shape()[0], spatial.shape()[2]});
    }

    ResNetTrunk<Bottleneck> backbone{*this, "backbone", options.trunk().trunk()};
    GlobalAvgPool avgpool{*this, "avgpool"};
    Gru gru{*this, "gru", {.units = options.units}};
    Dense fc1{*this, "fc1", {.units = options.hidden, .activation = Activation::Kind::relu}};
    Dropout dropout{*this, "dropout", options.dropout};
    Dense fc2{*this, "fc2", {.units = options.classes}};
};

}  // namespace liven
