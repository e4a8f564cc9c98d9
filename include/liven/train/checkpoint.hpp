#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "liven/data/loader.hpp"
#include "liven/io/host_tensor.hpp"
#include "liven/optim/schedule.hpp"

namespace liven {

/// Where a training stands, beside its tensors.
struct TrainProgress {
    int64_t step = 0;  ///< updates done, skipped ones included
    int64_t optimizer_steps = 0;
    int64_t forward_count = 0;  ///< with the seed: every dropout mask
    data::Cursor cursor;        ///< the next batch
    float learning_rate = 0;    ///< what plateau has left of it
    ReduceOnPlateau::State plateau;
    double best_loss = 0;
    int64_t best_epoch = -1;  ///< none yet
    int64_t epochs_without_better = 0;
    double epoch_loss = 0;  ///< sums of the running epoch, for its log line
    int64_t epoch_images = 0, epoch_correct = 0;
    bool finished_epoch = false;  ///< all batches of cursor.epoch - 1 are done, its validation too
};

/// Everything needed to go on as if nothing had happened.
struct Checkpoint {
    TrainProgress progress;
    std::string isa;       ///< other kernels, other bits
    std::string settings;  ///< config.toml as it was
    std::string data;      ///< fingerprint of the data set
    NamedTensors tensors;  ///< "model/...", "optimizer/...", "best/..."
};

/// Writes RUN/checkpoints/step-<n>.safetensors atomically and removes all but the two newest.
void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);
/// The newest checkpoint that reads whole; a damaged one is passed over with a warning. Nothing when there is none.
std::optional<Checkpoint> load_newest_checkpoint(const std::filesystem::path& folder);

}  // namespace liven
