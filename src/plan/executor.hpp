#pragma once

#include "allocate.hpp"

namespace liven::detail {

/// A plan ready to run: fused groups, kernels, one arena.
std::unique_ptr<Plan> make_planned(Layout layout, const EngineOptions& options);

/// Bytes of the arena that this thread's plans share.
size_t arena_bytes();

}  // namespace liven::detail
