#pragma once

namespace liven::kernels {

/// Raised with every change after which some kernel or plan gives other bits for the same input. Checkpoints carry it.
inline constexpr int numerics_version = 15;

}  // namespace liven::kernels
