#pragma once

#include <span>
#include <string>

#include "liven/graph/state.hpp"

namespace liven {

/// What a training will need beyond what the process has taken already, in bytes.
struct MemoryEstimate {
    double states = 0;  ///< weights and the optimiser's moments, as long as they are not there yet
    double step = 0;    ///< arena, results and scratch of the training step's plan
    double cache = 0;   ///< decoded pictures that the loaders keep
    double queue = 0;   ///< batches made ahead
    double copies = 0;  ///< the best weights, and a checkpoint while it is written

    double total() const { return states + step + cache + queue + copies; }
    /// What is needed, by its parts: "step 326 MB, pictures 48 MB, batches 38 MB, copies 336 MB"
    std::string str() const;
    /// Throws Error when it exceeds `available`; 0 means unknown and is enough.
    void require(double available) const;
};

/// What the machine can still give without swapping (MemAvailable); 0 when it does not say.
double available_memory();
/// The most that this process has had in memory so far, in bytes (VmHWM); 0 when the system does not say.
double peak_memory();

}  // namespace liven
