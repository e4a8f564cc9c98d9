#pragma once

#include <memory>
#include <vector>

#include "cli.hpp"
#include "liven/graph/plan.hpp"
#include "liven/nn/module.hpp"
#include "liven/optim/optimizer.hpp"

namespace liven::cli {

/// A model with made-up images, to plan and to time: a training step (forward, cross entropy, backward, Adam) or a
/// forward.
class Workload {
public:
    Workload(const ModelChoice& choice, int64_t batch, bool train);

    /// One step or forward, computed.
    void run();
    /// What run() would plan: loss, gradients and Adam's update (without batch-norm's moving averages), or logits.
    Graph graph();
    /// Nominal FLOPs of one run: convolutions and products, forward and backward.
    double flops();
    Module& model() { return *model_; }

private:
    Tensor loss();

    std::unique_ptr<Module> model_;
    std::unique_ptr<Adam> adam_;
    Tensor images_, labels_;
    bool train_;
};

}  // namespace liven::cli
