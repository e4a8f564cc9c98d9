#include "kernels/maps/band.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/rounding.hpp"

namespace liven::kernels {
namespace {

/// Rows start on cache lines, and not at the same place of successive pages, where they would evict each other from L1.
int64_t ring_step(int64_t floats) {
    const int64_t step = round_up(floats, 16);
    return step % 1024 == 0 ? step + 16 : step;
}

Program handing_on(int operand) {
    Program program;
    program.inputs = {{.operand = operand}};
    program.outputs = {{.source = 0, .operand = -1}};
    program.registers = 1;
    return program;
}

}  // namespace

const Program& widening_program(int operand) {
    static const std::array<Program, 2> programs{handing_on(0), handing_on(1)};  // a core has two maps at most
    return programs.at(static_cast<size_t>(operand));
}

BandLoader::BandLoader(const MapSource& source, const Problem& problem, Isa isa, const Options& options)
    : kernels_(gemm_kernels(isa)),
      source_(source),
      shape_(source.shape),
      options_(options),
      pixel_stride_(source.pixel_stride) {
    const int64_t width = shape_[2], channels = shape_[3];
    if (options_.channels == 0) options_.channels = channels;
    from_ = std::clamp<int64_t>(options_.first_column, 0, width);
    to_ = std::clamp<int64_t>(options_.first_column + options_.columns, from_, width);
    const bool whole = options_.first_column >= 0 && options_.first_column + options_.columns <= width;
    const bool touching = pixel_stride_ == options_.channels || !options_.dense_pixels;
    // Whole vectors reach no further than the row.
    const bool whole_vectors = options_.channels % 16 == 0 && !options_.padded;
    for (int operand = 0; operand < 2; ++operand)
        if (source_.program == &widening_program(operand) && whole_vectors) widened_ = operand;
    if (widened_ >= 0) {
        pixel_stride_ = problem.inputs[static_cast<size_t>(widened_)].pixel_stride;
        stream_ = widened_;
        source_.program = nullptr;
    } else if (source_.program) {
        program_.emplace(*source_.program, problem.inputs, problem.outputs,
                         Walk{.samples = shape_[0], .pixels = shape_[1] * width, .channels = channels}, isa);
        if (whole_vectors) normalization_ = Normalization::of(*source_.program, problem.inputs, isa);
        for (const ProgramInput& input : source_.program->inputs)
            if (stream_ < 0 && input.access == Access::full && input.operand >= 0) stream_ = input.operand;
        source_.program = nullptr;  // compiled; the program may be gone when the step runs
    } else {
        direct_ = options_.in_place || (whole && touching && !options_.padded);
        stream_ = source_.operand;
    }
    if (stream_ >= 0) {
        const Operand& stream = problem.inputs[static_cast<size_t>(stream_)];
        stream_value_ = static_cast<int64_t>(size_of(stream.dtype));
        stream_stride_ = stream.pixel_stride * stream_value_;
    }
    words_ = options_.in_pairs ? options_.channels / 2 : options_.channels;
    row_step_ = direct_ ? 0 : ring_step(options_.columns * words_);
    made_offset_ = static_cast<size_t>(row_step_ * options_.rows) * sizeof(float);
    const bool rounds = options_.in_pairs && widened_ < 0;
    program_offset_ =
        made_offset_ +
        (rounds ? whole_lines(static_cast<size_t>((to_ - from_) * options_.channels) * sizeof(float)) : 0);
}

BandLoader::Rows::Rows(const BandLoader& loader, const Buffers& buffers, std::byte* scratch, int64_t sample,
                       ChannelSlice slice) noexcept
    : loader_(loader),
      buffers_(buffers),
      ring_(reinterpret_cast<float*>(scratch)),
      made_(reinterpret_cast<float*>(scratch + loader.made_offset_)),
      program_scratch_(reinterpret_cast<float*>(scratch + loader.program_offset_)),
      map_(nullptr),
      sample_(sample),
      slice_(slice) {
    if (slice_.count == 0) slice_.count = std::min(loader_.options_.channels, loader_.shape_[3]);
    if (loader_.normalization_ || loader_.widened_ >= 0) {
        // Operands are read where they lie.
    } else if (loader_.program_) {
        const ProgramView& view = loader_.program_->view();
        view.prepare(view, buffers_, sample_, slice_.first, slice_.count, program_scratch_);
    } else {
        const int operand = loader_.source_.operand;
        const float* base = operand >= 0
                                ? static_cast<const float*>(buffers_.inputs[operand])
                                : reinterpret_cast<const float*>(buffers_.workspace + loader_.source_.workspace_offset);
        map_ = base + sample_ * loader_.shape_[1] * loader_.shape_[2] * loader_.pixel_stride_ + slice_.first;
    }
    if (loader_.direct_) return;
    const int64_t words = loader_.words_, first_column = loader_.options_.first_column;
    const int64_t left = (loader_.from_ - first_column) * words;
    const int64_t right = loader_.options_.padded ? left : (loader_.to_ - first_column) * words;
    for (int64_t r = 0; r < loader_.options_.rows; ++r) {
        float* row = ring_ + r * loader_.row_step_;
        std::fill(row, row + left, 0.0f);
        std::fill(row + right, row + loader_.options_.columns * words, 0.0f);
    }
}

void BandLoader::Rows::load(int64_t first, int64_t last) noexcept {
    if (loader_.direct_) {
        last_ = last;
        return;
    }
    const int64_t begin = first >= first_ && first <= last_ ? last_ : first;
    for (int64_t y = begin; y < last; ++y) fill(y);
    first_ = first;
    last_ = std::max(begin, last);
}

std::span<const std::byte> BandLoader::Rows::upcoming(int64_t rows) const noexcept {
    const int64_t last = std::min(loader_.shape_[1], last_ + rows);
    if (loader_.stream_ < 0 || last <= last_) return {};
    const int64_t row = loader_.shape_[2] * loader_.stream_stride_;
    const auto* map =
        static_cast<const std::byte*>(buffers_.inputs[loader_.stream_]) + sample_ * loader_.shape_[1] * row;
    // The last pixel's channels may end before its stride does: stay inside the operand.
    return {map + last_ * row,
            static_cast<size_t>((last - last_) * row - loader_.stream_stride_ + loader_.stream_value_)};
}

void BandLoader::Rows::fill(int64_t y) noexcept {
    const int64_t pixels = loader_.to_ - loader_.from_;
    if (pixels == 0) return;
    float* row = ring_ + y % loader_.options_.rows * loader_.row_step_ +
                 (loader_.from_ - loader_.options_.first_column) * loader_.words_;
    if (!loader_.options_.in_pairs) return make(y, row);
    if (loader_.widened_ >= 0) return copy_pairs(y, row);
    make(y, made_);
    loader_.kernels_.round_bf16(made_, pixels * loader_.options_.channels, reinterpret_cast<uint16_t*>(row));
}

/// The values as they lie in memory.
void BandLoader::Rows::copy_pairs(int64_t y, float* row) noexcept {
    const int64_t pixels = loader_.to_ - loader_.from_, stride = loader_.pixel_stride_, words = loader_.words_;
    const auto* map = static_cast<const uint16_t*>(buffers_.inputs[loader_.widened_]) +
                      ((sample_ * loader_.shape_[1] + y) * loader_.shape_[2] + loader_.from_) * stride;
    if (stride == 2 * words) {
        std::memcpy(row, map, static_cast<size_t>(pixels * words) * sizeof(float));
        return;
    }
    for (int64_t p = 0; p < pixels; ++p, map += stride, row += words)
        std::memcpy(row, map, static_cast<size_t>(words) * sizeof(float));
}

/// One row of floats.
void BandLoader::Rows::make(int64_t y, float* row) noexcept {
    const int64_t channels = loader_.options_.channels, pixels = loader_.to_ - loader_.from_;
    const int64_t width = loader_.shape_[2], stride = loader_.pixel_stride_;
    if (loader_.widened_ >= 0) {
        const auto* map = static_cast<const uint16_t*>(buffers_.inputs[loader_.widened_]) + slice_.first +
                          ((sample_ * loader_.shape_[1] + y) * width + loader_.from_) * stride;
        constexpr int64_t ahead = 64;  // of which the packing asks for sixteen times as many values
        if (stride == channels && slice_.count == channels)
            loader_.kernels_.pack_bf16(map, ahead, 1, 1, pixels * channels, row, 0, 0);
        else
            loader_.kernels_.pack_bf16(map, stride, pixels, 1, slice_.count, row, channels, 0);
        return;
    }
    if (loader_.normalization_) {
        loader_.normalization_->run(buffers_, (sample_ * loader_.shape_[1] + y) * width + loader_.from_, slice_.first,
                                    {.dst = row, .dst_step = channels, .pixels = pixels, .channels = slice_.count});
        return;
    }
    if (loader_.program_) {
        const ProgramView& view = loader_.program_->view();
        const Chunk chunk{.sample = sample_,
                          .first_pixel = y * width + loader_.from_,
                          .pixels = pixels,
                          .first_channel = slice_.first,
                          .channels = slice_.count,
                          .core = nullptr,
                          .core_stride = 0,
                          .sink = row,
                          .sink_stride = channels};
        view.run(view, buffers_, chunk, program_scratch_, nullptr);
        return;
    }
    const float* src = map_ + (y * width + loader_.from_) * stride;
    if (stride == channels && slice_.count == channels) {
        std::memcpy(row, src, static_cast<size_t>(pixels * channels) * sizeof(float));
        return;
    }
    for (int64_t p = 0; p < pixels; ++p, src += stride, row += channels)
        std::memcpy(row, src, static_cast<size_t>(slice_.count) * sizeof(float));
}

const float* BandLoader::Rows::operator[](int64_t y) const noexcept {
    if (loader_.direct_) return map_ + (y * loader_.shape_[2] + loader_.options_.first_column) * loader_.pixel_stride_;
    return ring_ + y % loader_.options_.rows * loader_.row_step_;
}

}  // namespace liven::kernels
