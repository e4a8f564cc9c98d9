#pragma once

#include <cmath>
#include <optional>
#include <span>

#include "kernels/maps/row_sink.hpp"
#include "kernels/pointwise/program_view.hpp"
#include "kernels/winograd/table.hpp"

namespace liven::kernels {

/// An epilogue that Winograd's result transform does on its registers: bias, activation, residual and statistics of the
/// forward pass, or the gradient of an activation or of a batch-norm, with what the program writes and sums as it
/// stands; a bare result in bf16 is one too. Any other program takes rows from a RowSink.
class WinogradEpilogue {
public:
    /// Nothing when the problem's epilogue is of another kind, or channels are no multiple of 16. `result` is the
    /// core's.
    static std::optional<WinogradEpilogue> of(const Problem& problem, const Shape& result, Isa isa);

    /// Values from one result to the next, and bytes of one.
    int64_t dst_step() const { return dst_step_; }
    int64_t value_bytes() const { return storage_ == WinogradStorage::f32 ? 4 : 2; }
    /// Floats of scratch for the running block of sums.
    int64_t block_floats() const { return 3 * result_[3]; }

    /// What one unit does with its results.
    class Run {
    public:
        /// `slot`: the unit's partial sums, where the program has any; `slice`: its channels; `block`: block_floats().
        Run(const WinogradEpilogue& epilogue, const Buffers& buffers, const RowSink& sink, int64_t slot,
            ChannelSlice slice, float* block, const WinogradTable& table) noexcept;
        /// Of row `row` of the maps of all samples, one below the other, and the slice's first channel.
        std::byte* dst(int64_t row) const noexcept;
        /// What the results of these tiles go through: they are the next in order.
        const WinogradFinish& next(std::span<const WinogradTile> tiles) noexcept;
        /// The unit has no more tiles.
        void end() noexcept;
        /// Memory that will be read for rows [first, last) of the maps of all samples.
        std::span<const std::byte> upcoming(int64_t first, int64_t last) const noexcept;

    private:
        const WinogradEpilogue& epilogue_;
        const Buffers& buffers_;
        const WinogradTable& table_;
        const ProgramView& view_;
        double* slot_;
        ChannelSlice slice_;
        int64_t pixels_ = 0;  ///< in the running block
        WinogradFinish finish_;
    };

private:
    friend class WinogradEpilogueReader;
    void store(const Operand& dst, Isa isa);

    Shape result_;
    WinogradFinishKind kind_{};
    WinogradStorage storage_{};
    int dst_ = 0, bias_ = -1, map_ = -1, mean_ = -1;  ///< operands
    int64_t dst_step_ = 0, map_step_ = 0;
    float slope_ = 1, least_ = -INFINITY;
    bool swapped_ = false;  ///< batch-norm: the program sums the gradient before its product
};

}  // namespace liven::kernels
