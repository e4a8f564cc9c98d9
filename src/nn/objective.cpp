#include "liven/nn/objective.hpp"

#include <cmath>

#include "liven/core/error.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/loss.hpp"
#include "liven/ops/shape.hpp"

namespace liven {

Tensor ObjectivePass::loss() const {
    if (terms.empty()) throw Error("objective", "expected a loss of one term or more, got none");
    Tensor total;
    for (const LossTerm& term : terms) {
        const Tensor weighted = term.weight == 1.0f ? term.value : scale(term.value, term.weight);
        total = total.defined() ? total + weighted : weighted;
    }
    return total;
}

std::vector<float> Objective::map(std::span<const float>) const {
    throw Error("objective", "'" + std::string(score_name()) + "' has no place in the picture");
}

Tensor Objective::evidence(const Tensor&, int64_t) const {
    throw Error("objective", "'" + std::string(score_name()) + "' does not say what speaks for a class",
                "override Objective::evidence");
}

double bonafide_probability(std::span<const float> logits) {
    if (logits.empty()) throw Error("score", "expected one logit a class, got none");
    const auto own = static_cast<double>(logits[0]);
    double total = 0;
    for (const float logit : logits) total += std::exp(static_cast<double>(logit) - own);
    return 1 / total;
}

ObjectivePass Classification::pass(const Tensor& images, const Tensor& labels, const ClassifierLoss& loss) {
    const Tensor logits = network_(images);
    const Tensor term =
        cross_entropy(logits, labels, {.label_smoothing = loss.label_smoothing, .class_weights = loss.class_weights});
    return {.terms = {{"cross_entropy", term}}, .output = logits, .logits = logits};
}

Tensor Classification::evidence(const Tensor& logits, int64_t label) const {
    if (logits.rank() != 2 || label < 0 || label >= logits.shape()[1])
        throw Error("evidence", "expected a class of the logits N x classes, got class " + std::to_string(label) +
                                    " of " + logits.shape().str());
    return reshape(slice(logits, {.axis = 1, .begin = label}), {logits.shape()[0]});
}

std::unique_ptr<Objective> Module::objective() { return std::make_unique<Classification>(*this); }

}  // namespace liven
