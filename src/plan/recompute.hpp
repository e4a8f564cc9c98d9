#pragma once

#include "fused.hpp"

namespace liven::detail {

/// Cheap rather than stored: the result of a step that is bound by memory (the gradient of a pool, say) is made again
/// in each pointwise step that reads it when that moves fewer bytes than writing it once and reading it everywhere. The
/// steps that did so say it in their notes; `fused.recomputed` sums up what was saved.
void recompute_cheap(FusedGraph& fused, const EngineOptions& options);

}  // namespace liven::detail
