#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "liven/io/host_tensor.hpp"
#include "liven/train/callback.hpp"
#include "liven/train/progress.hpp"

namespace liven {

/// Everything needed to go on as if nothing had happened.
struct Checkpoint {
    TrainProgress progress;
    std::string isa;                                 ///< other kernels, other bits
    std::string tuning;                              ///< hash of the table they were chosen by; "none" without one
    std::string numerics;                            ///< version of what they compute, bit for bit
    std::string settings;                            ///< config.toml as it was
    std::string data;                                ///< fingerprint of the data set
    NamedTensors tensors;                            ///< "model/...", "optimizer/..."
    std::map<std::string, CallbackState> callbacks;  ///< by name
};

/// Writes RUN/checkpoints/step-<n>.safetensors atomically and removes all but the two newest.
void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);
/// The newest checkpoint that reads whole; a damaged one is passed over with a warning. Nothing when there is none.
std::optional<Checkpoint> load_newest_checkpoint(const std::filesystem::path& folder);

}  // namespace liven
