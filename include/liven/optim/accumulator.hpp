#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "liven/graph/state.hpp"

namespace liven {

/// Sums the gradients of several micro-batches, for batches that do not fit into memory:
///
///     for (auto& [images, labels] : micro_batches)
///         accumulator.add(gradients(cross_entropy(model(images), labels), model.parameters()));
///     adam.step(accumulator);   // with the mean over the micro-batches
///
/// Each add() is a commit: it computes the sums, stores them as state and applies the running statistics of that
/// micro-batch. The dense layers' gradients are stored too, so the fusion that avoids it is off. A NaN in one
/// micro-batch spoils the sum, and the optimiser skips the step.
class GradientAccumulator {
public:
    /// Throws Error when there are no parameters.
    explicit GradientAccumulator(std::span<const Parameter> parameters);
    GradientAccumulator(const GradientAccumulator&) = delete;
    GradientAccumulator& operator=(const GradientAccumulator&) = delete;

    /// `gradients` are those of the parameters, in their order. Throws Error when their number differs.
    void add(Gradients gradients);
    /// Micro-batches since the last step.
    int64_t count() const { return count_; }
    /// Forgets them.
    void clear() { count_ = 0; }

    /// The sums so far, and the sum of the losses; meaningless while count() is 0.
    std::span<const State> sums() const { return sums_; }
    const State& loss() const { return loss_; }

private:
    std::vector<State> sums_;
    State loss_;
    std::vector<Assignment> assignments_;
    int64_t count_ = 0;
};

}  // namespace liven
