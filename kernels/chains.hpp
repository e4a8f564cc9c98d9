#pragma once

#include <span>
#include <vector>

#include "kernels/pointwise_table.hpp"

namespace liven::kernels {

/// A program's instructions as chains (kernels/pointwise_links.hpp) and, between them, loops of their own.
struct Chains {
    std::vector<ViewLink> links;
    std::vector<ViewRun> runs;
    std::vector<bool> stored;  ///< by register: whether its values reach memory
};

/// `kept`: registers that outputs and reductions read. `repeats`: by register, whether all blocks read the same values.
Chains make_chains(std::span<const ViewInstruction> code, std::span<const uint16_t> kept,
                   const std::vector<bool>& repeats, const LinkTable& table);

}  // namespace liven::kernels
