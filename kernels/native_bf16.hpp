#pragma once

#include <string>

#include "liven/core/isa.hpp"

namespace liven::kernels {

/// Whether kernels of this ISA round to bf16 by the CPU's own instruction (AVX512_BF16). Where they do not, integer
/// arithmetic gives the same bits.
bool native_bf16(Isa isa);

/// Why no kernel may take dot products of bf16, whatever its problem looks like; empty when they may.
std::string refuse_bf16_dots(bool strict_math);

/// False: never. For tests.
void allow_native_bf16(bool allowed);

}  // namespace liven::kernels
