#include "liven/models/lgsc.hpp"

#include <cmath>

#include "liven/core/error.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/loss.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/softmax.hpp"
#include "liven/ops/triplet_loss.hpp"

namespace liven {
namespace {

constexpr int64_t kLive = 0;  // bona fide is class 0 everywhere in Liven; the published code has it as 1

constexpr int64_t kAttack = 1;

/// The mean of N numbers over the samples of one class; 0 when there is none.
Tensor mean_of_class(const Tensor& values, const Tensor& labels, int64_t which) {
    const Tensor chosen = reshape(slice(one_hot(labels, 2), {.begin = which}), {-1});
    return sum(values * chosen) / maximum(sum(chosen), Tensor::ones({}));
}

/// Cross entropy of live and attack, each class counted as half, by mean |cue|: even odds at half of `attack_cue`, and
/// e^4 : 1 at zero and at the whole of it.
Tensor score_loss(const Tensor& magnitude, const Tensor& labels, float attack_cue) {
    const Tensor odds = shift(scale(magnitude, 8 / attack_cue), -4);
    return scale(mean_of_class(softplus(odds), labels, kLive) + mean_of_class(softplus(-odds), labels, kAttack), 0.5f);
}

Tensor triplet_losses(const std::vector<Tensor>& features, const Tensor& labels, float margin) {
    Tensor total;
    for (const Tensor& feature : features) {
        const Tensor term = triplet_loss(global_avg_pool(feature), labels, {.margin = margin, .anchor_class = kLive});
        total = total.defined() ? total + term : term;
    }
    return total;
}

}  // namespace

Lgsc::Lgsc(const Options& chosen) : options(chosen) {
    if (options.depth < 1 || options.depth > 5)
        throw Error("lgsc", "expected a depth from 1 to 5, got " + std::to_string(options.depth));
    if (options.score_weight > 0 && options.attack_cue <= 0)
        throw Error("lgsc", "score_weight needs the mean |cue| that attacks should have",
                    "--option attack_cue=0.5, or score_weight=0 for the published loss");
}

void Lgsc::require_divisible(const Shape& input) const {
    const int64_t unit = int64_t{1} << options.depth;
    if (input.rank() != 4 || input[1] % unit != 0 || input[2] % unit != 0)
        throw Error("lgsc",
                    "expected N x H x W x 3 with H and W multiples of " + std::to_string(unit) + ", got " + input.str(),
                    "the decoder doubles what the encoder halved: --size 224, or another multiple");
}

std::unique_ptr<Objective> Lgsc::objective() { return std::make_unique<SpoofCueObjective>(*this); }

ObjectivePass SpoofCueObjective::pass(const Tensor& images, const Tensor& labels, const ClassifierLoss& loss) {
    const Lgsc::Options& options = network_.options;
    const Lgsc::Outputs out = network_.outputs(images);
    ObjectivePass pass{.terms = {}, .output = out.cue, .logits = out.logits};
    if (out.logits.defined())
        pass.terms.push_back(
            {.name = "classification",
             .value = cross_entropy(out.logits, labels,
                                    {.label_smoothing = loss.label_smoothing, .class_weights = loss.class_weights}),
             .weight = options.classification_weight});
    const Tensor magnitude = mean(abs(out.cue), {.axes = {1, 2, 3}});
    pass.terms.push_back(
        {.name = "cue", .value = mean_of_class(magnitude, labels, kLive), .weight = options.cue_weight});
    if (options.attack_cue > 0)
        pass.terms.push_back({.name = "attack_cue",
                              .value = mean_of_class(relu(shift(-magnitude, options.attack_cue)), labels, kAttack),
                              .weight = options.cue_weight});
    if (options.score_weight > 0)
        pass.terms.push_back({.name = "score",
                              .value = score_loss(magnitude, labels, options.attack_cue),
                              .weight = options.score_weight});
    if (options.triplet)
        pass.terms.push_back({.name = "triplet",
                              .value = triplet_losses(out.features, labels, options.margin),
                              .weight = options.triplet_weight});
    return pass;
}

Tensor SpoofCueObjective::evidence(const Tensor& cue, int64_t label) const {
    if (label != kLive && label != kAttack)
        throw Error("evidence", "expected class 0 or 1, got " + std::to_string(label));
    const Tensor magnitude = mean(abs(cue), {.axes = {1, 2, 3}});
    return label == kAttack ? magnitude : -magnitude;
}

std::vector<float> SpoofCueObjective::map(std::span<const float> cue) const {
    std::vector<float> pixels(cue.size() / 3);
    for (size_t i = 0; i < pixels.size(); ++i)
        pixels[i] = (std::abs(cue[3 * i]) + std::abs(cue[3 * i + 1]) + std::abs(cue[3 * i + 2])) / 3;
    return pixels;
}

double SpoofCueObjective::score(std::span<const float> cue) const {
    double total = 0;
    for (const float value : cue) total += std::abs(static_cast<double>(value));
    return 1 - total / static_cast<double>(cue.size());
}

}  // namespace liven
