#include "kernels/conv2d/gemm_pixels.hpp"

#include <algorithm>

#include "kernels/rounding.hpp"

namespace liven::kernels {

int64_t pixel_pitch(int64_t channels) { return (ceil_div(channels, 16) | 1) * 16; }

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
    pitch_ = pixel_pitch(options_.channels);
    if (!in_place_)
        row_offset_ = whole_lines(static_cast<size_t>((options_.rows * options_.width + options_.spare) * pitch_) *
                                  sizeof(float));
    program_offset_ = row_offset_;
    if (program_ && options_.stride != Extent2d(1))
        program_offset_ += whole_lines(static_cast<size_t>(shape[2] * pitch_) * sizeof(float));
}

GemmBlock GemmPixels::take(const Buffers& buffers, std::byte* scratch, const Rows& rows,
                           ChannelSlice slice) const noexcept {
    if (slice.count == 0) slice.count = options_.channels;
    if (program_) return made(buffers, scratch, rows, slice);
    const Shape& shape = source_.shape;
    const int64_t pixel = source_.pixel_stride, width = shape[2] * pixel;
    const float* map = map_of(buffers) + rows.sample * shape[1] * width + slice.first;
    if (in_place_) return {map + (rows.first - rows.before) * width, pixel, nullptr};
    float* copy = reinterpret_cast<float*>(scratch);
    float* to = copy + rows.before * options_.width * pitch_;
    for (int64_t y = rows.first; y < rows.first + rows.count; ++y, to += options_.width * pitch_) {
        const int64_t source = y * options_.stride.h + rows.down;
        if (source < 0 || source >= shape[1])
            std::fill_n(to, options_.width * pitch_, 0.0f);
        else
            copy_row(map + source * width, pixel, slice.count, rows.right, to);
    }
    return {copy, pitch_, nullptr};
}

/// What the stride meets of a row whose pixels lie `pixel` floats apart, from pixel `right` on.
void GemmPixels::copy_row(const float* row, int64_t pixel, int64_t channels, int64_t right, float* to) const noexcept {
    const int64_t step = options_.stride.w, met = source_.shape[2] - right;
    const int64_t first = std::min(right < 0 ? ceil_div(-right, step) : 0, options_.width);
    const int64_t last = std::clamp(met > 0 ? ceil_div(met, step) : 0, first, options_.width);
    if (first < last)
        kernels_.pack(row + (first * step + right) * pixel, step * pixel, last - first, 1, channels,
                      to + first * pitch_, pitch_, 0);
    std::fill_n(to, first * pitch_, 0.0f);
    std::fill_n(to + last * pitch_, (options_.width - last) * pitch_, 0.0f);
}

GemmBlock GemmPixels::made(const Buffers& buffers, std::byte* scratch, const Rows& rows,
                           ChannelSlice slice) const noexcept {
    float* pixels = reinterpret_cast<float*>(scratch);
    float* own = reinterpret_cast<float*>(scratch + program_offset_);
    const ProgramView& view = program_->view();
    view.prepare(view, buffers, rows.sample, slice.first, slice.count, own);
    const int64_t width = source_.shape[2];
    // NOLINTNEXTLINE(readability-non-const-parameter): to is written through the chunk
    const auto make = [&](int64_t first, int64_t count, float* to) {
        const Chunk chunk{.sample = rows.sample,
                          .first_pixel = first * width,
                          .pixels = count * width,
                          .first_channel = slice.first,
                          .channels = slice.count,
                          .sink = to,
                          .sink_stride = pitch_};
        view.run(view, buffers, chunk, own, nullptr);
    };
    float* first = pixels + rows.before * options_.width * pitch_;
    if (options_.stride == Extent2d(1)) {
        // A few rows at a time, which are still in L1 when they are rounded.
        const int64_t together = options_.in_pairs ? std::max<int64_t>(64 / width, 1) : rows.count;
        for (int64_t y = 0; y < rows.count; y += together) {
            const int64_t count = std::min(together, rows.count - y);
            make(rows.first + y, count, first + y * width * pitch_);
            if (options_.in_pairs) round(first + y * width * pitch_, count * width, slice.count);
        }
        return {pixels, pitch_, nullptr};
    }
    float* row = reinterpret_cast<float*>(scratch + row_offset_);
    for (int64_t y = 0; y < rows.count; ++y) {
        make((rows.first + y) * options_.stride.h, 1, row);
        copy_row(row, pitch_, slice.count, 0, first + y * options_.width * pitch_);
        if (options_.in_pairs) round(first + y * options_.width * pitch_, options_.width, slice.count);
    }
    return {pixels, pitch_, nullptr};
}

/// Each pixel where it lies: what is written never passes what is still to be read.
void GemmPixels::round(float* pixels, int64_t count, int64_t channels) const noexcept {
    for (int64_t p = 0; p < count; ++p, pixels += pitch_)
        kernels_.round_bf16(pixels, channels, reinterpret_cast<uint16_t*>(pixels));
}

}  // namespace liven::kernels
