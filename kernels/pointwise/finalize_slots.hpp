#pragma once

#include <cstdint>

#include "kernels/pointwise/program_view.hpp"

/// What the reductions of a program leave in their partial slots, set to zero beforehand and merged into results at the
/// end. See ProgramView::clear and ProgramView::finalize.
namespace liven::kernels {

/// Channels that one unit of the stage that finalizes takes.
inline constexpr int64_t finalize_block = 64;

/// Sets channels [first_channel, +channels) of a slot to zero; 0 channels: all of them.
void clear_slot(const ProgramView& view, double* slot, int64_t first_channel, int64_t channels) noexcept;

/// Merges the slots in their order, in double, and writes the results of these channels; 0 channels: all of them.
void finalize_slots(const ProgramView& view, const Buffers& buffers, const double* partials, int64_t slots,
                    int64_t first_channel, int64_t channels) noexcept;

}  // namespace liven::kernels
