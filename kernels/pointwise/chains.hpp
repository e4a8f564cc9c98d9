#pragma once

#include <span>
#include <vector>

#include "kernels/pointwise/table.hpp"

namespace liven::kernels {

/// A program's instructions as chains (kernels/pointwise/links.hpp) and, between them, loops of their own.
struct Chains {
    std::vector<ViewLink> links;
    std::vector<ViewRun> runs;
    std::vector<bool> stored;   ///< by register: whether its values reach memory
    std::vector<bool> fetched;  ///< by register: whether a chain has it fetched ahead
    std::vector<bool> widened;  ///< by register: bf16 that something reads as floats
};

/// What a program's registers are, by register. Vectors may be shorter than the program.
struct RegisterTraits {
    std::vector<Layout> layouts;  ///< rows when shorter
    std::vector<bool> streams;    ///< values come from memory or go there, so that they should be fetched ahead
    std::vector<bool> bf16;       ///< an input that lies in memory as bf16
};

/// `kept`: registers that outputs and reductions read.
Chains make_chains(std::span<const ViewInstruction> code, std::span<const uint16_t> kept, const RegisterTraits& traits,
                   const LinkTable& table);

}  // namespace liven::kernels
