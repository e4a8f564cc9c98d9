#pragma once

#include "liven/graph/graph.hpp"

namespace liven::detail {

/// Sums and moments by channel of a concatenation, taken over its parts, in whose steps they ride. A rule of
/// simplify().
Graph reduce_parts(const Graph& graph);

}  // namespace liven::detail
