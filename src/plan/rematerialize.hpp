#pragma once

#include <cstddef>
#include <vector>

#include "fused.hpp"

namespace liven::detail {

/// A large value that the forward pass makes and the backward pass reads: memory for most of the step.
struct HeldMap {
    Value value;
    size_t position = 0;  ///< in Graph::order of the fused graph
    double bytes = 0;
    double crossing = 0;  ///< bytes that would be held anyway if the graph were cut right behind it
};

/// The held maps of a training step in the order in which they are made; none at inference.
std::vector<HeldMap> held_maps(const FusedGraph& fused);

/// Rematerialisation (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): the forward pass is cut
/// behind the nodes at these positions (ascending); what is made before the last cut is not held for the backward pass
/// but made again, cut by cut, from what crosses the cuts, once the gradient has come that far. Small values,
/// statistics above all, are held as before. `fused` tells which values reach memory.
Graph rematerialize(const FusedGraph& fused, const std::vector<size_t>& cuts);

}  // namespace liven::detail
