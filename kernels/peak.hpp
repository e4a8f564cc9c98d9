#pragma once

#include <cstdint>

#include "liven/core/isa.hpp"

namespace liven::kernels {

/// Runs `rounds` x 12 independent fused multiply-adds on this thread and returns their number of FLOPs. Time it to know
/// what the core can do at this moment: every share of the peak Liven quotes is against this, measured in the same run.
double fma_probe(Isa isa, int64_t rounds);

/// FLOP/s of `threads` threads that do nothing but fused multiply-adds. They start together, and each is timed by
/// itself: what a thread waits before the machine gives it a core is not counted.
double measure_fma_peak(Isa isa, int threads);

}  // namespace liven::kernels
