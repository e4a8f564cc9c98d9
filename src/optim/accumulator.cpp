#include "liven/optim/accumulator.hpp"

#include <string>

#include "liven/core/error.hpp"
#include "liven/ops/arithmetic.hpp"

namespace liven {
namespace {

State zeros_like(std::string_view name, const Shape& shape) {
    return State::zeros(std::string(name) + "/accumulated", shape);
}

}  // namespace

GradientAccumulator::GradientAccumulator(std::span<const Parameter> parameters) : loss_(zeros_like("loss", {})) {
    if (parameters.empty())
        throw Error("accumulator", "there are no parameters", "call model.build(shape) before parameters()");
    for (const Parameter& parameter : parameters) sums_.push_back(zeros_like(parameter.name(), parameter.shape()));
}

void GradientAccumulator::add(Gradients gradients) {
    if (gradients.size() != sums_.size())
        throw Error("accumulator",
                    "expected " + std::to_string(sums_.size()) + " gradients, got " + std::to_string(gradients.size()));
    const auto added = [this](const State& sum, const Value& value) {
        return count_ == 0 ? value : (sum.tensor() + reshape(Tensor(value), sum.shape())).value();
    };
    assignments_.clear();
    Tensor finite;
    {
        // As in Optimizer::step: handles to gradients must not outlive their use.
        for (size_t i = 0; i < sums_.size(); ++i)
            assignments_.push_back({sums_[i], added(sums_[i], gradients.value(i))});
        const Tensor loss = reshape(Tensor(gradients.loss()), Shape{});
        assignments_.push_back({loss_, added(loss_, loss.value())});
        finite = is_finite(loss);
        const Gradients released = std::move(gradients);
    }
    commit(assignments_, finite);
    assignments_.clear();
    ++count_;
}

}  // namespace liven
