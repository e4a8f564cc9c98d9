#pragma once

#include <algorithm>
#include <optional>

#include "kernels/gemm/gemm.hpp"
#include "kernels/maps/band.hpp"
#include "kernels/pointwise/compiled_program.hpp"
#include "liven/core/window.hpp"

namespace liven::kernels {

/// Floats from one copied pixel to the next, an odd number of cache lines: pixels side by side fall into different
/// sets.
int64_t pixel_pitch(int64_t channels);

/// The pixels of an N x H x W x C map that one element of a kernel meets, as rows of a matrix: read where they lie,
/// copied to where they do not push each other out of L1, or made by a prologue. Those in the padding are zero.
class GemmPixels {
public:
    /// Products of one step of the depth.
    static constexpr int64_t products = 1;
    struct Options {
        Extent2d stride{1};
        int64_t width = 0;      ///< pixels of a row that the convolution meets
        int64_t rows = 0;       ///< most rows taken together
        int64_t channels = 0;   ///< most channels taken together; 0: all of them
        bool in_place = false;  ///< pixels may be read where they lie, `pixel_stride` apart
        int64_t spare = 0;      ///< pixels that there is room for behind the last row
        bool in_pairs = false;  ///< what a program makes is rounded: two channels in bf16 where a float would be
    };
    GemmPixels(const MapSource& source, const Problem& problem, Isa isa, const Options& options);

    static bool runs_program(const MapSource& source) { return source.program != nullptr; }
    static GemmKernels kernels_of(Isa isa) { return gemm_kernels(isa); }

    size_t scratch_bytes() const { return program_offset_ + (program_ ? program_->scratch_bytes() : 0); }

    /// Rows that are taken, as the result counts them.
    struct Rows {
        int64_t sample = 0, first = 0, count = 0;
        int64_t before = 0;           ///< rows already taken, of the samples before, that these have to follow
        int64_t down = 0, right = 0;  ///< where the kernel's element lies from the first pixel that the window meets
    };
    /// Rows of `width` pixels each without gaps between them. `scratch`: scratch_bytes() of this thread, 64-byte
    /// aligned; the pixels may lie there, and then whole vectors of their channels can be read.
    GemmBlock take(const Buffers& buffers, std::byte* scratch, const Rows& rows,
                   ChannelSlice slice = {}) const noexcept;

    /// Takes rows of several samples: `gather(take)` calls take(rows) for each sample's.
    template <class Gather>
    GemmBlock take_all(const Buffers& buffers, std::byte* scratch, int64_t /*pixels*/, ChannelSlice slice,
                       Gather gather) const noexcept {
        GemmBlock block;
        gather([&](const Rows& rows) { block = take(buffers, scratch, rows, slice); });
        return block;
    }

    /// Hands on the memory that taking these rows will read, see CompiledProgram::each_map.
    template <class Take>
    void each_map(const Buffers& buffers, const Rows& rows, ChannelSlice slice, Take take_map) const {
        const Shape& shape = source_.shape;
        if (program_) {
            const bool together = options_.stride == Extent2d(1);
            for (int64_t y = 0; y < rows.count; y += together ? rows.count : 1)
                program_->each_map(buffers,
                                   {.sample = rows.sample,
                                    .first_pixel = (rows.first + y) * options_.stride.h * shape[2],
                                    .pixels = (together ? rows.count : 1) * shape[2],
                                    .first_channel = slice.first,
                                    .channels = slice.count},
                                   take_map);
            return;
        }
        const int64_t pixel = source_.pixel_stride, row = options_.stride.h * shape[2] * pixel, size = sizeof(float);
        const int64_t top = std::clamp<int64_t>(rows.first * options_.stride.h + rows.down, 0, shape[1] - 1);
        const float* first = map_of(buffers) + (rows.sample * shape[1] + top) * shape[2] * pixel + slice.first;
        if (options_.stride == Extent2d(1)) {
            take_map(first, rows.count * shape[2], slice.count * size, pixel * size);
            return;
        }
        for (int64_t y = 0; y < rows.count; ++y)
            take_map(first + y * row, options_.width, slice.count * size, options_.stride.w * pixel * size);
    }

private:
    const float* map_of(const Buffers& buffers) const {
        return source_.operand >= 0 ? static_cast<const float*>(buffers.inputs[source_.operand])
                                    : reinterpret_cast<const float*>(buffers.workspace + source_.workspace_offset);
    }
    GemmBlock made(const Buffers& buffers, std::byte* scratch, const Rows& rows, ChannelSlice slice) const noexcept;
    void round(float* pixels, int64_t count, int64_t channels) const noexcept;
    void copy_row(const float* row, int64_t pixel, int64_t channels, int64_t right, float* to) const noexcept;

    MapSource source_;
    Options options_;
    const GemmKernels& kernels_;
    int64_t pitch_ = 0;                           ///< floats from one copied pixel to the next
    size_t row_offset_ = 0, program_offset_ = 0;  ///< in scratch: a row that a stride meets in part, the program's own
    bool in_place_ = false;
    std::optional<CompiledProgram> program_;
};

}  // namespace liven::kernels
