#pragma once

#include "fused.hpp"

namespace liven::detail {

/// The graph as it is when its arena keeps to `options.arena_limit`, or else with as little of it rematerialised as
/// will do: cuts of several numbers are tried, each planned to the end. Throws Error when nothing fits, with the least
/// arena that was found.
Graph within_arena_limit(const Graph& simplified, const EngineOptions& options);

}  // namespace liven::detail
