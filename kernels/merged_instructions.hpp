#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/program_view.hpp"

namespace liven::kernels {

/// Merges instructions whose intermediate value nobody else reads: each saves a store to L1 and a load. The results
/// keep their bits: no rounding is left out. `kept` are registers that outputs and reductions read.
void merge_instructions(std::vector<ViewInstruction>& code, std::span<const uint16_t> kept);

}  // namespace liven::kernels
