#pragma once

#include "liven/graph/graph.hpp"
#include "liven/graph/plan.hpp"

namespace liven::detail {

/// Maps of the forward pass that pointwise operations make of others (the end of a residual block, say), or 1x1
/// convolutions of few channels, are made again in the backward pass rather than held for it, once the gradient has
/// come that far, where that makes the arena smaller and costs little. The cost of a map is the bytes read and written
/// to make it, six FLOPs of a convolution counting as a byte: at most nine for each byte that the arena shrinks by, and
/// for all maps together at most 2.5 % of what the step costs, reckoned likewise. The cheapest maps for their bytes are
/// tried first, each by planning with and without it; then, for each sum that was chosen, the maps that it is made of
/// in its stead, all at once. 32 trials at most; LIVEN_VERBOSE=1 tells what came of each. Returns the graph as it is
/// where nothing pays, without a backward pass, and where anomalies are looked for.
Graph repeat_cheap_maps(const Graph& simplified, const EngineOptions& options);

}  // namespace liven::detail
