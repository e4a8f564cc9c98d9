#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "liven/metrics/scores.hpp"
#include "liven/protocol/plan.hpp"

namespace liven::protocol {

/// Scores of one set. Everything that tables say follows from them.
struct SetScores {
    ScoredSamples samples;
    std::vector<std::string> groups;  ///< what each sample belongs to: subject, else video, else itself
    double loss = 0;
    int64_t broken = 0;  ///< files that could not be read and are left out
};

/// One epoch of a training.
struct EpochFacts {
    int64_t epoch = 0;  ///< from 1
    double seconds = 0;
    double megabytes = 0;  ///< of the process at its end; 0: not known
    double loss = 0, validation_loss = 0;
};

/// What a finished cell leaves behind, CELL/result.json.
struct CellResult {
    std::string key;
    SetScores validation;
    std::map<std::string, SetScores> targets;
    std::vector<EpochFacts> epochs;
    int64_t best_epoch = 0;  ///< from 1
    double validation_loss = 0, validation_accuracy = 0;
    double parameters = 0;  ///< running statistics included
    double model_bytes = 0;

    double seconds() const;  ///< of all epochs
};

/// Trains, or goes on where a checkpoint is, scores the sets and writes result.json last; a finished cell is left as it
/// is. The checkpoints are removed then. Two processes at one cell wait for each other. Throws Error when the folder
/// holds a cell of other settings or data, and as Trainer does; Interrupted as Trainer does.
void run_cell(const Cell& cell, const std::filesystem::path& folder);

/// The result of a cell, or nothing when it is not finished. Throws Error when it is of other settings or data.
std::optional<CellResult> read_result(const Cell& cell, const std::filesystem::path& folder);

}  // namespace liven::protocol
