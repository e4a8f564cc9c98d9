#pragma once

#include "liven/graph/memory_map.hpp"
#include "schedule.hpp"

namespace liven::detail {

/// Where a stored value lies while the plan runs.
struct Place {
    enum class Kind { arena, leaf, root, constant } kind = Kind::arena;
    size_t offset = 0;  ///< arena: bytes; leaf, root: index; constant: index among the constants
    size_t shift = 0;   ///< bytes behind that: some channels of a wider value
};

/// A range of the arena and the segments during which it is in use.
struct ArenaBlock {
    std::string name;
    size_t offset = 0, bytes = 0;
    size_t first = 0, last = 0;
    size_t step = 0;  ///< that makes it
    bool is_workspace = false, is_kept = false;
    bool is_handed_on = false;  ///< behind `last` a result is written over it, by the step that reads it last
    Shape shape = {};           ///< of a value
};

/// Offsets for everything a plan needs between its leaves and its results.
struct Layout {
    Schedule schedule;
    std::vector<std::vector<Place>> inputs, outputs;  ///< by step and operand
    std::vector<size_t> workspace;                    ///< arena offset by step
    std::vector<ArenaBlock> blocks;
    std::vector<float> constants;
    std::vector<std::pair<size_t, Place>> copies;  ///< roots that are copied at the end, and from where
    size_t arena_bytes = 0, lower_bound = 0, scratch_bytes = 0;
    double repeated = 0;        ///< FLOPs of repeated steps, of all
    size_t repeated_bytes = 0;  ///< of the maps that they make
    std::string str() const;
    MemoryMap memory_map() const;
};

/// Blocks that are in use at the same time never overlap; large blocks are placed first, each at the lowest gap that
/// takes it.
Layout allocate(Schedule schedule);

}  // namespace liven::detail
