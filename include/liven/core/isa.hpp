#pragma once

#include <span>
#include <string_view>

namespace liven {

/// Instruction sets the kernels are compiled for, slowest first.
enum class Isa { baseline, avx2, avx512 };

std::string_view name_of(Isa isa);
/// Throws Error naming the choices.
Isa isa_from(std::string_view name);

/// What this CPU and this operating system can run (CPUID and XSAVE), slowest first.
std::span<const Isa> available_isas();
/// What runs now: the best available, or what LIVEN_ISA names. Throws Error when LIVEN_ISA asks for more than there is.
Isa active_isa();
/// Overrides LIVEN_ISA; for tests and benchmarks. Throws Error when the machine cannot run it.
void set_active_isa(Isa isa);

/// "AMD Ryzen 7 7840HS ...", from CPUID.
std::string_view cpu_name();
/// True when the CPU has bfloat16 dot products (AVX512_BF16).
bool has_bf16_dot();

}  // namespace liven
