#pragma once

#include "fused.hpp"

namespace liven::detail {

/// One stage of one step.
struct ScheduledStage {
    size_t step = 0;
    int stage = 0;
};

/// Stages that all threads pass together, a few samples at a time, so that what one stage wrote is still in cache when
/// the next reads it; a barrier stands between the stages of a round and between segments.
struct Segment {
    std::vector<ScheduledStage> stages;
    int64_t rounds = 1;  ///< all of them take the same number of samples
};

/// The order of execution.
struct Schedule {
    FusedGraph fused;
    std::vector<std::unique_ptr<kernels::Step>> steps;  ///< one a group
    std::vector<Segment> segments;
    std::vector<std::pair<size_t, size_t>> span;  ///< first and last segment of each step
    std::vector<bool> in_place;                   ///< by root: written over the state it assigns
    std::string str() const;
};

/// Orders the groups (updates of states after every reader of the old value), prepares the kernels, forms the segments.
Schedule schedule(FusedGraph fused, const EngineOptions& options);

}  // namespace liven::detail
