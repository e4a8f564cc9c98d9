#pragma once

#include <memory>
#include <optional>
#include <string>

#include "liven/data/loader.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/tensor.hpp"
#include "liven/nn/objective.hpp"
#include "liven/optim/accumulator.hpp"
#include "liven/optim/optimizer.hpp"
#include "liven/train/progress.hpp"
#include "liven/train/settings.hpp"

namespace liven {

/// A model with its objective and its optimiser: what one update takes.
class TrainingStep {
public:
    /// `train` is the set the class weights are counted on; `hint` goes into the error of a step that failed.
    TrainingStep(const TrainSettings& settings, const data::Dataset& train, std::string hint);

    struct Sums {
        double loss = 0;  ///< over the images
        TermSums terms;
        int64_t images = 0;
        int64_t classified = 0, correct = 0;  ///< none without a classifier
        double waited = 0;                    ///< seconds, for the loader
    };
    /// One update, from one batch or several micro-batches; no images at the end of the epoch. Throws Error naming
    /// `step` and, where it can, the operation when loss or gradients are not finite.
    Sums run(data::Loader& loader, float learning_rate, int64_t step);

    Module& model() { return *model_; }
    Optimizer& optimizer() { return *optimizer_; }
    /// What the plan it will run needs; computes nothing.
    PlanMemory memory();
    /// What the arena of a step may take from now on: parts of the step are computed twice where it would take more.
    /// Throws Error when nothing fits.
    void limit_arena(int64_t bytes);
    /// From now on steps see samples of this shape: descriptors in place of frames.
    void set_described(const Shape& sample) { described_ = sample; }
    const std::optional<Shape>& described() const { return described_; }

private:
    DType dtype() const;
    /// The loss's parts, with the L2 penalty among them.
    ObjectivePass pass(const Tensor& images, const Tensor& labels);
    [[noreturn]] void explain_anomaly(const Tensor& x, const Tensor& y, int64_t step);

    const TrainSettings& settings_;
    std::unique_ptr<Module> model_;
    std::unique_ptr<Objective> objective_;
    std::unique_ptr<Optimizer> optimizer_;
    std::unique_ptr<GradientAccumulator> accumulator_;
    Tensor class_weights_;
    std::optional<Shape> described_;
    std::string hint_;
    int64_t arena_limit_ = 0;  ///< 0: none
};

}  // namespace liven
