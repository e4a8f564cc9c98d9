#pragma once

#include "liven/graph/operation.hpp"

namespace liven::detail {

/// Throws Error unless x (in[0]) is f32 of at least `least_rank`, the other inputs have shape C of its last axis, and
/// epsilon is positive.
void infer_normalised(const char* where, InputTypes in, int least_rank, float epsilon);

}  // namespace liven::detail
