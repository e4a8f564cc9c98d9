#pragma once

#include <memory>
#include <string>
#include <vector>

#include "liven/models/options.hpp"
#include "liven/models/resnet.hpp"
#include "liven/nn/norm_layers.hpp"
#include "liven/nn/objective.hpp"
#include "liven/ops/shape.hpp"

/// Learning generalised spoof cues (Feng et al. 2020, arXiv 2005.03922, figure 2; here with the layers of its published
/// code): a U-Net draws what is wrong with a face.
namespace liven {

/// A convolution of the decoder: no bias (a norm follows), zeros at the bottom and right where a side is missing.
inline Conv2d::Options cue_conv(int64_t filters, int64_t kernel) {
    return {.filters = filters, .kernel = kernel, .bias = false, .initializer = Initializer::he_normal()};
}

/// How the decoder normalises. Instance-norm (the published code) gives every image the same mean and deviation in
/// every channel, so that the mean |cue| of two images differs by the shape of their distributions alone; with
/// batch-norm it is free.
struct CueNormOptions {
    bool instance = true;
    float epsilon = 1e-5f;
    float momentum = 0.9f;  ///< of batch-norm's running statistics
    float gamma = 1;        ///< at the start
};

/// A norm of the decoder.
class CueNorm : public Module {
public:
    CueNorm(Module& parent, std::string_view name, const CueNormOptions& options)
        : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "CueNorm"; }

protected:
    Tensor forward(Tensor x) override { return options_.instance ? by_instance(x) : by_batch(x); }

private:
    CueNormOptions options_;
    InstanceNorm by_instance{*this, "", {.epsilon = options_.epsilon, .gamma = options_.gamma}};
    BatchNorm by_batch{*this,
                       "",
                       {.epsilon = options_.epsilon,
                        .momentum = options_.momentum,
                        .unbiased_variance = true,
                        .gamma = options_.gamma}};
};

/// BasicBlock with the decoder's norm, at stride 1.
class CueBlock : public Module {
public:
    struct Options {
        int64_t filters = 64;
        CueNormOptions norm = {};
        float gamma = 1;  ///< of the two norms that are added, at the start
    };
    CueBlock(Module& parent, std::string_view name, const Options& options) : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "CueBlock"; }

protected:
    Tensor forward(Tensor x) override {
        const Tensor y = in2(conv2(relu(in1(conv1(x)))));
        return relu(y + (x.shape()[3] == options_.filters ? x : in_shortcut(conv_shortcut(x))));
    }

private:
    CueNormOptions last() const {
        CueNormOptions norm = options_.norm;
        norm.gamma = options_.gamma;
        return norm;
    }

    Options options_;
    Conv2d conv1{*this, "conv1", cue_conv(options_.filters, 3)};
    CueNorm in1{*this, "in1", options_.norm};
    Conv2d conv2{*this, "conv2", cue_conv(options_.filters, 3)};
    CueNorm in2{*this, "in2", last()};
    Conv2d conv_shortcut{*this, "conv_shortcut", cue_conv(options_.filters, 1)};
    CueNorm in_shortcut{*this, "in_shortcut", last()};
};

/// A step of the decoder: twice the height and width, the encoder's map of that size beside it, two residual blocks and
/// a projection around them.
class CueStep : public Module {
public:
    struct Options {
        int64_t up = 64;       ///< channels after the upsampling
        int64_t filters = 64;  ///< channels of the result
        CueNormOptions norm = {};
        float gamma = 1;  ///< of the norms whose sums are the result, at the start
    };
    CueStep(Module& parent, std::string_view name, const Options& options) : Module(parent, name), options_(options) {}
    std::string_view type() const override { return "CueStep"; }

    /// N x h x w x C from below and N x 2h x 2w x S from the encoder to N x 2h x 2w x filters.
    Tensor operator()(const Tensor& below, const Tensor& skip) {
        const Pass pass(*this);
        return pass.result(refine(concat({raise(below), skip})));
    }
    using Module::operator();

protected:
    Tensor forward(Tensor below) override { return refine(raise(below)); }  // the last one has no skip

private:
    Tensor raise(const Tensor& below) { return relu(up_in(up_conv(up(below)))); }
    Tensor refine(const Tensor& x) { return block2(block1(x)) + side_in(side_conv(x)); }
    CueBlock::Options block() const {
        return {.filters = options_.filters, .norm = options_.norm, .gamma = options_.gamma};
    }
    CueNormOptions last() const {
        CueNormOptions norm = options_.norm;
        norm.gamma = options_.gamma;
        return norm;
    }

    Options options_;
    Upsample up{*this, "up"};
    Conv2d up_conv{*this, "up_conv", cue_conv(options_.up, 2)};
    CueNorm up_in{*this, "up_in", options_.norm};
    CueBlock block1{*this, "block1", block()};
    CueBlock block2{*this, "block2", block()};
    Conv2d side_conv{*this, "side_conv", cue_conv(options_.filters, 1)};
    CueNorm side_in{*this, "side_in", last()};
};

/// LGSC: a ResNet-18 encoder with five taps, a decoder of five steps, and a tanh. The cue map is near zero where a face
/// is live; in training an auxiliary ResNet-18 has to tell live from attack by image + cue. Trainable parameters at
/// 224 x 224 x 3: generator 16,322,583, with the auxiliary classifier 27,500,121.
///
/// Called as a network it gives the cue map; `outputs` gives all that training looks at. Height and width are multiples
/// of 2^depth.
class Lgsc : public Module {
public:
    struct Options {
        int64_t depth = 5;                ///< steps of the decoder, 1 to 5, and taps of the encoder
        bool instance_norm = true;        ///< in the decoder; false: batch-norm, see CueNormOptions
        bool auxiliary = true;            ///< with the auxiliary classifier
        bool triplet = true;              ///< with the triplet loss
        float classification_weight = 5;  ///< of the auxiliary classifier's cross entropy
        float cue_weight = 5;             ///< of the mean |cue| of live samples
        /// 0, as published: an attack's cue is free, and the auxiliary classifier alone makes it grow. Above 0: an
        /// attack whose mean |cue| is less costs the difference, times cue_weight.
        float attack_cue = 0;
        /// 0, as published. Above 0: of the cross entropy of the score itself, with half of attack_cue as the boundary.
        /// Unlike the two terms above, which pull at every sample alike, it pulls at those that are judged wrongly.
        float score_weight = 0;
        float triplet_weight = 1, margin = 0.5f;  ///< of the triplet losses, summed over the features
        float dropout = 0.5f;                     ///< before the auxiliary classifier's last layer
        /// Scale of the last step's norms at the start. The published 1 begins with cues of about 0.6 everywhere, which
        /// take thousands of steps to vanish; with 0.1 they begin small.
        float cue_start = 1;
        /// Added before the tanh. The mean |cue| of values around zero hardly moves when all of them rise or fall;
        /// around an offset it does, so that what the whole picture shows reaches the score from the first update on.
        float cue_offset = 0;
        float bn_momentum = 0.9f;  ///< of the running statistics of both ResNets
        float bn_epsilon = 1e-5f;

        void visit(OptionVisitor& v) {
            v("depth", depth), v("instance_norm", instance_norm), v("auxiliary", auxiliary), v("triplet", triplet);
            v("classification_weight", classification_weight), v("cue_weight", cue_weight), v("attack_cue", attack_cue);
            v("score_weight", score_weight);
            v("triplet_weight", triplet_weight), v("margin", margin), v("dropout", dropout), v("cue_start", cue_start);
            v("cue_offset", cue_offset);
            v("bn_momentum", bn_momentum), v("bn_epsilon", bn_epsilon);
        }
    };
    static Options defaults() { return {}; }
    /// What is left at inference: the auxiliary classifier goes.
    static Options deployed(Options options) {
        options.auxiliary = false;
        return options;
    }
    /// Throws Error for a depth that is none.
    explicit Lgsc(const Options& chosen);
    Lgsc() : Lgsc(defaults()) {}

    std::string_view type() const override { return "LGSC"; }
    std::unique_ptr<Objective> objective() override;
    const Options options;

    struct Outputs {
        Tensor cue;                    ///< N x 224 x 224 x 3, in [-1, 1]
        std::vector<Tensor> features;  ///< E5, D1, D2, D3, D4: what the triplet loss compares
        Tensor logits;                 ///< N x 2, of the auxiliary classifier; undefined without it
    };
    Outputs outputs(const Tensor& x) {  // N x 224 x 224 x 3
        const Pass pass(*this);
        require_divisible(x.shape());
        const std::vector<Tensor> e = encoder.features(x);  // E1 ... E5
        Outputs out{.cue = {}, .features = {e.back()}, .logits = {}};
        const auto step = [&](CueStep& d, const Tensor& skip) { out.features.push_back(d(out.features.back(), skip)); };
        if (options.depth > 4) step(d1, e[3]);       // N x 14 x 14 x 256
        if (options.depth > 3) step(d2, e[2]);       // N x 28 x 28 x 128
        if (options.depth > 2) step(d3, e[1]);       // N x 56 x 56 x 64
        if (options.depth > 1) step(d4, e[0]);       // N x 112 x 112 x 64
        const Tensor raw = d5(out.features.back());  // N x 224 x 224 x 3
        out.cue = tanh(options.cue_offset == 0 ? raw : shift(raw, options.cue_offset));
        if (options.auxiliary) out.logits = auxiliary(x + out.cue);  // N x 2
        return out;
    }

protected:
    Tensor forward(Tensor x) override { return outputs(x).cue; }

private:
    void require_divisible(const Shape& input) const;
    ResNetOptions resnet() const {
        return {.dropout = options.dropout, .bn_momentum = options.bn_momentum, .bn_epsilon = options.bn_epsilon};
    }

    CueNormOptions decoder_norm() const { return {.instance = options.instance_norm, .momentum = options.bn_momentum}; }

    ResNetTrunk<BasicBlock> encoder{*this, "encoder", {.scales = options.depth, .norm = resnet().norm()}};
    CueStep d1{*this, "d1", {.up = 256, .filters = 256, .norm = decoder_norm()}};
    CueStep d2{*this, "d2", {.up = 128, .filters = 128, .norm = decoder_norm()}};
    CueStep d3{*this, "d3", {.up = 64, .filters = 64, .norm = decoder_norm()}};
    CueStep d4{*this, "d4", {.up = 64, .filters = 64, .norm = decoder_norm()}};
    CueStep d5{*this, "d5", {.up = 64, .filters = 3, .norm = decoder_norm(), .gamma = options.cue_start}};
    ResNet18 auxiliary{*this, "auxiliary", resnet()};
};

/// LGSC's losses and score. The terms: `classification`, cross entropy of the auxiliary classifier; `cue`, the mean
/// |cue| of the bona fide samples; `attack_cue`, when it is asked for; `triplet`, the sum over the features, each
/// pooled to one vector, of the triplet losses with bona fide anchors and positives and attack negatives.
class SpoofCueObjective final : public Objective {
public:
    /// The network must outlive the objective.
    explicit SpoofCueObjective(Lgsc& network) : network_(network) {}

    ObjectivePass pass(const Tensor& images, const Tensor& labels, const ClassifierLoss& loss) override;
    double score(std::span<const float> cue) const override;
    std::string_view score_name() const override { return "1 - mean |cue|"; }
    /// The mean |cue| for an attack, its negative for bona fide.
    Tensor evidence(const Tensor& cue, int64_t label) const override;
    bool maps() const override { return true; }
    /// The mean magnitude of the three channels.
    std::vector<float> map(std::span<const float> cue) const override;

private:
    Lgsc& network_;
};

}  // namespace liven
