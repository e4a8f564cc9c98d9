#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cli.hpp"
#include "liven/graph/plan.hpp"
#include "liven/nn/objective.hpp"
#include "liven/nn/session.hpp"
#include "liven/optim/optimizer.hpp"

namespace liven::cli {

/// A model with made-up images, to plan and to time: a training step (forward, its losses, backward, Adam) or a
/// forward in an inference session.
class Workload {
public:
    struct Options {
        int64_t batch = 16;
        bool train = true;
        DType dtype = DType::f32;          ///< of maps between steps: becomes that of the thread's engine
        DType dense_weights = DType::f32;  ///< of inference, see InferenceSession
        /// Bytes that weights, moments, images and the step may take together; 0: as many as they need.
        int64_t memory_limit = 0;
    };
    Workload(const ModelChoice& choice, const Options& options);

    /// One step or forward, computed.
    void run();
    /// What run() would plan: loss, gradients and Adam's update (without batch-norm's moving averages), or what the
    /// model gives at inference.
    Graph graph();
    /// What it would plan it with.
    EngineOptions options() const;
    /// Nominal FLOPs of one run: convolutions and products, forward and backward.
    double flops();
    Module& model() { return *model_; }
    /// What to ask for times and memory of the runs.
    void set_profiling(bool on);
    std::vector<ProfileEntry> profile() const;
    Timeline timeline() const;
    MemoryMap memory_map();
    int64_t arena_bytes() const;
    double repeated() const;  ///< see PlanMemory; of the step that ran last

private:
    Tensor loss();
    void keep_to(int64_t memory_limit);

    std::unique_ptr<Module> model_;
    std::unique_ptr<Objective> objective_;
    std::unique_ptr<Adam> adam_;
    std::optional<InferenceSession> session_;
    std::vector<float> pixels_;
    Tensor images_, labels_;
    bool train_;
};

}  // namespace liven::cli
