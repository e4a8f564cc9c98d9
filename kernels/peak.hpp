#pragma once

#include <cstdint>

#include "liven/core/isa.hpp"

namespace liven::kernels {

/// Runs `rounds` x 12 independent fused multiply-adds on this thread and returns their number of FLOPs. Time it to know
/// what the core can do at this moment: every share of the peak Liven quotes is against this, measured in the same run.
double fma_probe(Isa isa, int64_t rounds);

}  // namespace liven::kernels
