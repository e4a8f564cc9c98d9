#pragma once

#include "liven/core/isa.hpp"

namespace liven::kernels {

/// Whether kernels of this ISA round to bf16 by the CPU's own instruction (AVX512_BF16). Where they do not, integer
/// arithmetic gives the same bits.
bool native_bf16(Isa isa);

/// False: never. For tests.
void allow_native_bf16(bool allowed);

}  // namespace liven::kernels
