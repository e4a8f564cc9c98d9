#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "liven/protocol/plan.hpp"

namespace liven::protocol {

struct RunOptions {
    /// A program that runs one cell when its id is appended: each cell in a process of its own. Empty: in this one, one
    /// after another.
    std::vector<std::string> command;
    int jobs = 1;     ///< processes at a time
    int threads = 1;  ///< of all of them together; appended as --threads
};

struct Failure {
    std::string cell, reason;
};

/// Trains and tests every cell that is not finished; one that fails is reported and the others go on. A bar shows the
/// pictures seen of all that are left. Throws Interrupted after Trainer::request_stop(), once the cells under way have
/// written their checkpoints; Error when another process works in the folder.
std::vector<Failure> run_cells(const Plan& plan, const RunOptions& options);

}  // namespace liven::protocol
