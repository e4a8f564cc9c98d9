#pragma once

#include <cstddef>
#include <vector>

#include "schedule.hpp"

namespace liven::detail {

/// A step that writes a result over an operand which nobody reads afterwards.
struct HandOver {
    size_t step, input, output;  ///< the operands by their numbers in the step's group
};

/// Results that can take their operand's place in the arena: the gradient at the end of a residual block is added to
/// the one that came by the shortcut, say. The step's kernel must write each place once (kernels::Step::visits_once),
/// only its epilogue may read the operand, place by place, and whoever else uses it must be done before.
std::vector<HandOver> find_hand_overs(const Schedule& schedule);

/// The segment from which on a step writes its results: behind those in which it only packs weights.
std::vector<size_t> first_writes(const Schedule& schedule);

}  // namespace liven::detail
