#pragma once

#include "allocate.hpp"

namespace liven::detail {

/// Gives every block its offset, large ones first, each at the lowest gap that takes it; blocks that are in use at the
/// same time never overlap. Returns the bytes up to the end of the last.
size_t arrange_tightly(std::vector<ArenaBlock>& blocks);

/// The same, but where blocks take memory from each other it keeps lines with the thread that wrote them last: each
/// thread has the same share of every block (lanes.hpp), so the middle of a block is laid where the middles of those
/// before and after it lie, or, if the arena does not grow far beyond the tight one, in memory of its own. A core that
/// writes a line which another cache holds waits for it longer than for memory. What changes hands is counted for two
/// threads; for more it is an estimate.
size_t arrange_by_lanes(std::vector<ArenaBlock>& blocks);

}  // namespace liven::detail
