#include "kernels/conv2d/gemm_pixels.hpp"

#include "kernels/rounding.hpp"

namespace liven::kernels {
namespace {

/// An odd number of cache lines: pixels side by side fall into different sets.
int64_t pitch_of(int64_t channels) { return (ceil_div(channels, 16) | 1) * 16; }

}  // namespace

GemmPixels::GemmPixels(const MapSource& source, const Problem& problem, Isa isa, const Options& options)
    : source_(source), options_(options), kernels_(gemm_kernels(isa)) {
    const Shape& shape = source_.shape;
    if (options_.channels == 0) options_.channels = shape[3];
    if (source_.program) {
        program_.emplace(*source_.program, problem.inputs, problem.outputs,
                         Walk{.samples = shape[0], .pixels = shape[1] * shape[2], .channels = shape[3]}, isa);
        source_.program = nullptr;  // compiled; the program may be gone when the step runs
    }
    in_place_ = !program_ && options_.stride == Extent2d(1) && options_.in_place;
    pitch_ = pitch_of(options_.channels);
    if (!in_place_)
        program_offset_ = whole_lines(static_cast<size_t>(options_.rows * options_.width * pitch_) * sizeof(float));
}

GemmBlock GemmPixels::take(const Buffers& buffers, std::byte* scratch, const Rows& rows,
                           ChannelSlice slice) const noexcept {
    if (slice.count == 0) slice.count = options_.channels;
    if (program_) return made(buffers, scratch, rows, slice);
    const Shape& shape = source_.shape;
    const int64_t pixel = source_.pixel_stride, row = options_.stride.h * shape[2] * pixel;
    const float* map = map_of(buffers) + rows.sample * shape[1] * shape[2] * pixel + rows.first * row + slice.first;
    if (in_place_) return {map - rows.before * row, pixel, nullptr};
    float* copy = reinterpret_cast<float*>(scratch);
    for (int64_t y = 0; y < rows.count; ++y)
        kernels_.pack(map + y * row, options_.stride.w * pixel, options_.width, 1, slice.count,
                      copy + (rows.before + y) * options_.width * pitch_, pitch_, 0);
    return {copy, pitch_, nullptr};
}

GemmBlock GemmPixels::made(const Buffers& buffers, std::byte* scratch, const Rows& rows,
                           ChannelSlice slice) const noexcept {
    float* pixels = reinterpret_cast<float*>(scratch);
    float* own = reinterpret_cast<float*>(scratch + program_offset_);
    const ProgramView& view = program_->view();
    view.prepare(view, buffers, rows.sample, slice.first, slice.count, own);
    const Chunk chunk{.sample = rows.sample,
                      .first_pixel = rows.first * options_.width,
                      .pixels = rows.count * options_.width,
                      .first_channel = slice.first,
                      .channels = slice.count,
                      .sink = pixels + rows.before * options_.width * pitch_,
                      .sink_stride = pitch_};
    view.run(view, buffers, chunk, own, nullptr);
    return {pixels, pitch_, nullptr};
}

}  // namespace liven::kernels
