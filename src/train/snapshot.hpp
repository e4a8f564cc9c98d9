#pragma once

#include <string>

#include "callback_list.hpp"
#include "liven/train/checkpoint.hpp"
#include "training_data.hpp"
#include "training_step.hpp"

namespace liven {

/// The parts of a running training that a checkpoint consists of.
struct Snapshot {
    const TrainSettings& settings;
    TrainingData& data;
    TrainingStep& step;
    TrainProgress& progress;
    CallbackList& callbacks;

    /// Brings `progress` up to date and copies everything.
    Checkpoint take();
    /// Sets everything back to what was taken; `run` stands in messages. Throws Error when the data set is another one
    /// or a tensor is missing; warns when the kernels are others.
    void restore(Checkpoint checkpoint, const std::string& run);
};

}  // namespace liven
