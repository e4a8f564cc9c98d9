#pragma once

#include <map>

#include "schedule.hpp"

namespace liven::detail {

/// Which group writes each stored value and which read it.
struct Flow {
    std::map<ValueKey, size_t> maker;
    std::map<ValueKey, std::vector<size_t>> readers;
    std::vector<std::vector<size_t>> after;  ///< extra edges: group i runs after these

    explicit Flow(const std::vector<Group>& groups);
    /// Whether group `from` must wait for group `to`.
    bool waits(const std::vector<Group>& groups, size_t from, size_t to) const;
};

/// Cuts the stages of all steps into segments. Stages that walk samples and hand maps to each other, or read the same,
/// share a segment; packing of weights stands before it, sums behind it; small independent stages share one. What makes
/// little out of much (a gradient of weights) comes as early as it can, so that its operands' memory is free again.
void form_segments(Schedule& schedule, const Flow& flow);

}  // namespace liven::detail
