#pragma once

#include "liven/graph/graph.hpp"

namespace liven::detail {

/// Sums over what is made of a slice of a concatenation's gradient, taken in the step that makes the whole gradient. A
/// rule of simplify().
Graph sum_before_slices(const Graph& graph);

}  // namespace liven::detail
