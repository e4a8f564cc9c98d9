#include "liven/models/googlenet.hpp"

#include "liven/ops/loss.hpp"

namespace liven {

std::unique_ptr<Objective> GoogLeNet::objective() { return std::make_unique<GoogLeNetObjective>(*this); }

ObjectivePass GoogLeNetObjective::pass(const Tensor& images, const Tensor& labels, const ClassifierLoss& loss) {
    const GoogLeNet::Outputs out = network_.outputs(images);
    const auto term = [&](std::string name, const Tensor& logits, float weight) {
        return LossTerm{
            .name = std::move(name),
            .value = cross_entropy(logits, labels,
                                   {.label_smoothing = loss.label_smoothing, .class_weights = loss.class_weights}),
            .weight = weight};
    };
    ObjectivePass pass{.terms = {term("cross_entropy", out.logits, 1)}, .output = out.logits, .logits = out.logits};
    if (network_.training() && out.auxiliary1.defined()) {
        pass.terms.push_back(term("auxiliary1", out.auxiliary1, network_.options.auxiliary_weight));
        pass.terms.push_back(term("auxiliary2", out.auxiliary2, network_.options.auxiliary_weight));
    }
    return pass;
}

}  // namespace liven
