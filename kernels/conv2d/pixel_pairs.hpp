#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernels/conv2d/gemm_pixels.hpp"
#include "kernels/conv2d/geometry.hpp"

namespace liven::kernels {

/// Whether dot products of bf16 may take the map as it is: what lies in memory is bf16, or a program makes it of bf16.
bool made_of_bf16(const MapSource& map, const Problem& problem);

/// Why a gradient of weights has no dot products along pixels, whatever its kernel; empty when it may have.
std::string refuse_grad_dots(const Problem& problem, const Conv2dProblem& parsed);

/// The pixels that one element of a kernel meets, as GemmPixels has them, but in bf16 and two by two: row r of the
/// matrix holds pixels 2 r and 2 r + 1, channel by channel, for dot products along pixels. Behind an odd number of
/// them comes one of zeros. Maps in memory are read where they lie; what a program makes is rounded.
class PixelPairs {
public:
    /// Products of one step of the depth.
    static constexpr int64_t products = 2;
    using Options = GemmPixels::Options;
    using Rows = GemmPixels::Rows;

    PixelPairs(const MapSource& source, const Problem& problem, Isa isa, const Options& options);

    /// Whether a program makes the pixels, so that making them once may pay.
    static bool runs_program(const MapSource& source);
    static GemmKernels kernels_of(Isa isa);

    size_t scratch_bytes() const { return pairs_offset_ + pairs_bytes_; }

    /// The first `pixels` pixels of those gathered by `gather(take)`, which calls take(rows) for each sample's.
    template <class Gather>
    GemmBlock take_all(const Buffers& buffers, std::byte* scratch, int64_t pixels, ChannelSlice slice,
                       Gather gather) const noexcept {
        gather([&](const Rows& rows) {
            if (made_)
                made_->take(buffers, scratch, rows, slice);
            else
                point_at(buffers, scratch, rows, slice);
        });
        return pair(scratch, pixels, slice);
    }

    /// See GemmPixels::each_map.
    template <class Take>
    void each_map(const Buffers& buffers, const Rows& rows, ChannelSlice slice, Take take_map) const {
        if (made_) return made_->each_map(buffers, rows, slice, take_map);
        const int64_t height = source_.shape[1], width = source_.shape[2], size = sizeof(uint16_t);
        const Extent2d stride = options_.stride;
        const bool dense = stride == Extent2d(1);
        const int64_t top = std::clamp<int64_t>(rows.first * stride.h + rows.down, 0, height - 1);
        const uint16_t* first = map_of(buffers) + (rows.sample * height + top) * width * pixel_ + slice.first;
        for (int64_t y = 0; y < (dense ? 1 : rows.count); ++y, first += stride.h * width * pixel_)
            take_map(first, dense ? rows.count * width : options_.width, slice.count * size, stride.w * pixel_ * size);
    }

private:
    const uint16_t* map_of(const Buffers& buffers) const {
        return source_.operand >= 0 ? static_cast<const uint16_t*>(buffers.inputs[source_.operand])
                                    : reinterpret_cast<const uint16_t*>(buffers.workspace + source_.workspace_offset);
    }
    void point_at(const Buffers& buffers, std::byte* scratch, const Rows& rows, ChannelSlice slice) const noexcept;
    GemmBlock pair(std::byte* scratch, int64_t pixels, ChannelSlice slice) const noexcept;

    MapSource source_;
    Options options_;
    const GemmKernels& kernels_;
    int64_t pixel_ = 0;        ///< values from one pixel of the map to the next
    int64_t pitch_ = 0;        ///< floats from one row of pairs to the next
    size_t zeros_offset_ = 0;  ///< in scratch, behind the pointers to pixels: a pixel of zeros
    size_t pairs_offset_ = 0, pairs_bytes_ = 0;
    std::optional<GemmPixels> made_;  ///< what a program makes, in f32
};

}  // namespace liven::kernels
