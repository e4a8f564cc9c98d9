#pragma once

#include <cstdint>
#include <vector>

#include "kernels/step.hpp"

namespace liven::detail {

/// One unit of one of a segment's stages.
struct WalkItem {
    uint32_t stage = 0;  ///< among the segment's
    uint32_t unit = 0;
};

/// What a stage waits for within a segment: before its unit u of a sample runs, the first `units[u]` units of the same
/// sample of stage `before` must have.
struct WalkLink {
    uint32_t stage = 0, before = 0;
    std::vector<uint32_t> units;

    bool is_in_bands() const { return units.front() < units.back(); }
};

/// The link between two stages that walk as many samples: in bands, as far as the reader's units say what they need and
/// the maker works in the order of rows, else sample by sample.
WalkLink link_stages(uint32_t stage, const kernels::Step::Stage& reader, uint32_t before,
                     const kernels::Step::Stage& maker, bool in_bands);

/// An order of all units of stages that walk `samples` samples, in which every unit stands behind those it waits for,
/// and a few places behind the last of them where other work can be put between. Deeper stages come first, so that what
/// has just been written is read while it is in cache.
std::vector<WalkItem> order_walk(const std::vector<const kernels::Step::Stage*>& stages,
                                 const std::vector<WalkLink>& links, int64_t samples);

}  // namespace liven::detail
