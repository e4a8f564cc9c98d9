#pragma once

#include "band_walk.hpp"
#include "fused.hpp"

namespace liven::detail {

/// One stage of one step.
struct ScheduledStage {
    size_t step = 0;
    int stage = 0;
};

/// Stages that all threads walk together, sample after sample and in rolling bands of rows, so that what one stage
/// wrote is still in cache when the next reads it. Each thread walks its share of them in their order (lanes.hpp); a
/// unit waits for the few units it reads from, and a barrier stands only between segments.
struct Segment {
    std::vector<ScheduledStage> stages;
    std::vector<int64_t> units;  ///< by stage, of all samples together
    int64_t samples = 1;         ///< of every stage; 1: the stages are independent
    std::vector<WalkLink> links;
    std::vector<WalkItem> items;
};

/// The order of execution.
struct Schedule {
    FusedGraph fused;
    std::vector<std::unique_ptr<kernels::Step>> steps;  ///< one a group
    std::vector<Segment> segments;
    std::vector<std::pair<size_t, size_t>> span;  ///< first and last segment of each step
    std::vector<bool> in_place;                   ///< by root: written over the state it assigns
    /// By step and stage: done in the first run only, since it depends on frozen states alone.
    std::vector<std::vector<bool>> kept;
    bool keeps(size_t step) const;      ///< any of its stages
    bool keeps_all(size_t step) const;  ///< its results too
    std::string str() const;
};

/// Orders the groups (updates of states after every reader of the old value), prepares the kernels, forms the segments.
Schedule schedule(FusedGraph fused, const EngineOptions& options);

}  // namespace liven::detail
