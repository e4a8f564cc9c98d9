#pragma once

#include <span>
#include <vector>

#include "kernels/pointwise_table.hpp"

namespace liven::kernels {

/// A program's instructions as chains (kernels/pointwise_links.hpp) and, between them, loops of their own.
struct Chains {
    std::vector<ViewLink> links;
    std::vector<ViewRun> runs;
    std::vector<bool> stored;   ///< by register: whether its values reach memory
    std::vector<bool> fetched;  ///< by register: whether a chain has it fetched ahead
};

/// `kept`: registers that outputs and reductions read. `repeats`: by register, whether all blocks read the same values.
/// `streams`: by register, whether its values come from memory or go there, so that they should be fetched ahead.
Chains make_chains(std::span<const ViewInstruction> code, std::span<const uint16_t> kept,
                   const std::vector<bool>& repeats, std::vector<bool> streams, const LinkTable& table);

}  // namespace liven::kernels
