#pragma once

#include "fused.hpp"

namespace liven::detail {

/// Has the maps between steps stored in bf16, half their bytes: rounded once, when they are written, and widened where
/// they are read, so that all arithmetic stays in f32. A map is a large value that steps hand on to each other, but
/// nothing of a state's shape (weights, gradients) and nothing that such a gradient is the sum of. What some step can
/// only read or write in f32, what is summed up to a single number (losses, norms), states and results stay in f32; the
/// step that makes such a value says why in its notes.
void narrow_maps(FusedGraph& fused, const EngineOptions& options);

}  // namespace liven::detail
