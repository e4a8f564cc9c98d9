#include "kernels/conv2d/pixel_pairs.hpp"

#include <algorithm>

#include "kernels/native_bf16.hpp"
#include "kernels/rounding.hpp"

namespace liven::kernels {
namespace {

/// The operand in bf16 that a source hands on as it lies; -1: it does something else.
int widened_operand(const MapSource& source) {
    for (int operand = 0; operand < 2; ++operand)
        if (source.program == &widening_program(operand)) return operand;
    return -1;
}

}  // namespace

bool made_of_bf16(const MapSource& map, const Problem& problem) {
    return map.program ? reads_bf16(*map.program, problem) : map.rounded;
}

std::string refuse_grad_dots(const Problem& problem, const Conv2dProblem& parsed) {
    if (!made_of_bf16(parsed.map, problem) || !made_of_bf16(parsed.diff_dst, problem))
        return "expected both maps stored in bf16, got f32";
    return refuse_bf16_dots(problem.strict_math);
}

bool PixelPairs::runs_program(const MapSource& source) { return source.program && widened_operand(source) < 0; }

GemmKernels PixelPairs::kernels_of(Isa isa) {
    GemmKernels kernels = gemm_kernels(isa);
    kernels.tile = kernels.tile_dots;
    return kernels;
}

PixelPairs::PixelPairs(const MapSource& source, const Problem& problem, Isa isa, const Options& options)
    : source_(source), options_(options), kernels_(gemm_kernels(isa)), pixel_(source.pixel_stride) {
    if (options_.channels == 0) options_.channels = source_.shape[3];
    pitch_ = pixel_pitch(options_.channels);
    const int64_t pixels = options_.rows * options_.width;
    if (runs_program(source)) {
        options_.in_place = false;
        options_.spare = 1;
        made_.emplace(source, problem, isa, options_);
        pairs_offset_ = whole_lines(made_->scratch_bytes());
    } else {
        if (const int operand = widened_operand(source); operand >= 0) {
            source_.operand = operand;
            pixel_ = problem.inputs[static_cast<size_t>(operand)].pixel_stride;
        }
        zeros_offset_ = whole_lines(static_cast<size_t>(pixels + 1) * sizeof(const uint16_t*));
        pairs_offset_ = zeros_offset_ + whole_lines(static_cast<size_t>(options_.channels) * sizeof(uint16_t));
    }
    source_.program = nullptr;  // compiled; the program may be gone when the step runs
    pairs_bytes_ = whole_lines(static_cast<size_t>(ceil_div(pixels, 2) * pitch_) * sizeof(float));
}

/// Where the pixels of some rows lie, or the zeros.
void PixelPairs::point_at(const Buffers& buffers, std::byte* scratch, const Rows& rows,
                          ChannelSlice slice) const noexcept {
    const int64_t height = source_.shape[1], width = source_.shape[2];
    const uint16_t* map = map_of(buffers) + rows.sample * height * width * pixel_ + slice.first;
    const auto* zeros = reinterpret_cast<const uint16_t*>(scratch + zeros_offset_);
    const auto** to = reinterpret_cast<const uint16_t**>(scratch) + rows.before * options_.width;
    for (int64_t row = rows.first; row < rows.first + rows.count; ++row) {
        const int64_t y = row * options_.stride.h + rows.down;
        const bool inside = y >= 0 && y < height;
        for (int64_t i = 0, x = rows.right; i < options_.width; ++i, x += options_.stride.w)
            *to++ = inside && x >= 0 && x < width ? map + (y * width + x) * pixel_ : zeros;
    }
}

GemmBlock PixelPairs::pair(std::byte* scratch, int64_t pixels, ChannelSlice slice) const noexcept {
    auto* pairs = reinterpret_cast<float*>(scratch + pairs_offset_);
    const int64_t rows = ceil_div(pixels, 2);
    if (made_) {
        auto* made = reinterpret_cast<float*>(scratch);
        if (pixels % 2 != 0) std::fill_n(made + pixels * pitch_, slice.count, 0.0f);
        kernels_.pack_pairs(made, pitch_, rows, slice.count, pairs, pitch_);
        return {pairs, pitch_, nullptr};
    }
    const auto** pointers = reinterpret_cast<const uint16_t**>(scratch);
    auto* zeros = reinterpret_cast<uint16_t*>(scratch + zeros_offset_);
    std::fill_n(zeros, slice.count, uint16_t{0});
    pointers[pixels] = zeros;
    kernels_.pair_rows(pointers, rows, slice.count, pairs, pitch_);
    return {pairs, pitch_, nullptr};
}

}  // namespace liven::kernels
