#pragma once

#include "fused.hpp"

namespace liven::detail {

/// Lets channels live where they are needed. A part of a concatenation is written into its place there by the step that
/// makes it, and a slice of channels is read where it lies: neither is copied, as far as the kernels of all steps that
/// touch it take pixels farther apart than their channels. A value has one home: in a second concatenation it is
/// copied.
void assign_homes(FusedGraph& fused, const EngineOptions& options);

}  // namespace liven::detail
