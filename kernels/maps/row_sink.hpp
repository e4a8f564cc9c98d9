#pragma once

#include <optional>

#include "kernels/maps/band.hpp"
#include "kernels/pointwise/compiled_program.hpp"
#include "kernels/step.hpp"

namespace liven::kernels {

/// Where a core puts the rows of its N x H x W x C result: into the output itself, or into a thread's scratch, from
/// where the epilogue takes them while they are in cache. A bare result in bf16 has an epilogue that stores it.
class RowSink {
public:
    /// `result`: shape of the core's result; `rows`: how many of them are handed over together; `slots`: units of the
    /// stage that writes, sample-major, each of which has its own partial sums of the epilogue's reductions;
    /// `channels`: most channels that a unit writes, 0: all of them. Units may share a slot when their channels differ.
    /// `padded`: the core writes `channels` values whatever a slice has, so never into the output itself.
    RowSink(const Problem& problem, const Shape& result, int64_t rows, int64_t slots, Isa isa, int64_t channels = 0,
            bool padded = false);

    size_t scratch_bytes() const;
    /// Workspace for the partial sums; the step puts them at `offset`.
    size_t workspace_bytes() const { return program_ ? static_cast<size_t>(slots_) * program_->partial_bytes() : 0; }
    void place(size_t workspace_offset) { workspace_offset_ = workspace_offset; }

    /// The epilogue as it runs, null when there is none; and the partial sums of a slot, for a kernel that takes its
    /// results through the epilogue by itself.
    const ProgramView* view() const { return program_ ? &program_->view() : nullptr; }
    double* partial(const Buffers& buffers, int64_t slot) const;

    bool reduces() const { return program_ && program_->reduces(); }
    /// The last stage of a step that reduces.
    int64_t finalize_units() const { return program_->finalize_units(); }
    void finalize(int64_t unit, const Buffers& buffers) const noexcept;

    /// Floats from one pixel of a row to the next, and from one row to the next.
    int64_t pixel_stride() const { return pixel_stride_; }

    /// Hands on the maps that rows [first, first + rows) of the slice read and write in the epilogue, see
    /// CompiledProgram::each_map.
    template <class Take>
    void each_map(const Buffers& buffers, int64_t sample, int64_t first, int64_t rows, ChannelSlice slice,
                  Take take) const {
        if (!program_) return;
        program_->each_map(buffers,
                           {.sample = sample,
                            .first_pixel = first * result_[2],
                            .pixels = rows * result_[2],
                            .first_channel = slice.first,
                            .channels = slice.count},
                           take);
    }

    /// The rows that one unit writes.
    class Rows {
    public:
        Rows(const RowSink& sink, const Buffers& buffers, std::byte* scratch, int64_t sample, int64_t slot,
             ChannelSlice slice = {}) noexcept;
        /// Memory for rows first, first + 1, ... of the map, pixel_stride() apart and without gaps between rows.
        float* begin(int64_t first) noexcept;
        /// Rows [first, first + count) are complete.
        void done(int64_t first, int64_t count) noexcept;

    private:
        const RowSink& sink_;
        const Buffers& buffers_;
        float* rows_;
        float* program_scratch_;
        double* partial_;
        int64_t sample_;
        ChannelSlice slice_;
    };

private:
    Shape result_;
    int64_t rows_ = 0, slots_ = 0;
    int64_t channels_ = 0;  ///< of a row at most
    int64_t pixel_stride_ = 0;
    size_t workspace_offset_ = 0;
    std::optional<CompiledProgram> program_;
};

}  // namespace liven::kernels
