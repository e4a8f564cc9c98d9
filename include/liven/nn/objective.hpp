#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "liven/nn/module.hpp"

/// What a network is trained for, and how its answer is read.
namespace liven {

/// A part of a loss, under the name that logs and curves give it.
struct LossTerm {
    std::string name;
    Tensor value;  ///< a number, not yet weighted
    float weight = 1;
};

/// What one pass over a batch gives: the loss in parts, and what is read from the network beside it.
struct ObjectivePass {
    std::vector<LossTerm> terms;
    Tensor output;       ///< what the network gives at inference, N x ...: scores are made of it
    Tensor logits = {};  ///< N x classes, of the classifier, when there is one

    /// The sum of the terms, each times its weight.
    Tensor loss() const;
};

/// What a training adds to the cross entropy of a classifier.
struct ClassifierLoss {
    float label_smoothing = 0;
    Tensor class_weights = {};  ///< C; undefined: all alike
};

/// The interface between a network and what trains, judges and runs it. A classifier needs none of its own; a network
/// with another loss or another score answers Module::objective():
///
///     class CueObjective : public Objective {
///         ObjectivePass pass(const Tensor& images, const Tensor& labels, const ClassifierLoss& loss) override {
///             const Tensor cue = network_(images);
///             return {.terms = {{"cue", l1_loss(cue, Tensor::zeros({}))}}, .output = cue};
///         }
///         double score(std::span<const float> cue) const override { return 1 - mean_of_magnitudes(cue); }
///         std::string_view score_name() const override { return "1 - mean |cue|"; }
///     };
class Objective {
public:
    virtual ~Objective() = default;

    /// One pass in the network's present mode: labels are N class indices, 0 bona fide. Outside training the terms are
    /// those of the samples as they are, and `loss` is not looked at by networks without a classifier.
    virtual ObjectivePass pass(const Tensor& images, const Tensor& labels, const ClassifierLoss& loss) = 0;
    ObjectivePass pass(const Tensor& images, const Tensor& labels) { return pass(images, labels, {}); }

    /// How much one sample looks like a bona fide one, from what the network gave for it at inference: higher is more.
    virtual double score(std::span<const float> output) const = 0;
    /// In words, for the model file and reports.
    virtual std::string_view score_name() const = 0;
    /// Whether the score is a probability, so that its log loss means something.
    virtual bool scores_probability() const { return false; }

    /// What speaks for a class (0 bona fide, 1 attack) in what the network gave for N samples, N numbers that can be
    /// differentiated: of a classifier the class's logit. For explanations. Throws Error when there is no such class,
    /// or the objective does not say.
    virtual Tensor evidence(const Tensor& output, int64_t label) const;

    /// Whether `map` shows where in the picture a score comes from.
    virtual bool maps() const { return false; }
    /// A number of 0 or more for each pixel of the input, row by row: 0 where the sample looks bona fide. Throws Error
    /// unless maps().
    virtual std::vector<float> map(std::span<const float> output) const;

protected:
    Objective() = default;
    Objective(const Objective&) = default;
    Objective& operator=(const Objective&) = default;
};

/// The softmax probability of bona fide (class 0) from one row of logits.
double bonafide_probability(std::span<const float> logits);

/// Cross entropy of logits (N x classes); the score is the softmax probability of bona fide.
class Classification : public Objective {
public:
    /// The network must outlive the objective.
    explicit Classification(Module& network) : network_(network) {}

    ObjectivePass pass(const Tensor& images, const Tensor& labels, const ClassifierLoss& loss) override;
    double score(std::span<const float> output) const override { return bonafide_probability(output); }
    std::string_view score_name() const override { return "softmax probability of bona fide"; }
    bool scores_probability() const override { return true; }
    Tensor evidence(const Tensor& logits, int64_t label) const override;

private:
    Module& network_;
};

}  // namespace liven
