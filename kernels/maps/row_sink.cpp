#include "kernels/maps/row_sink.hpp"

#include "kernels/rounding.hpp"

namespace liven::kernels {
RowSink::RowSink(const Problem& problem, const Shape& result, int64_t rows, int64_t slots, Isa isa, int64_t channels,
                 bool padded)
    : result_(result), rows_(rows), slots_(slots), channels_(channels > 0 ? channels : result[3]) {
    if (!problem.epilogue && problem.outputs[0].dtype == DType::f32 && !padded) {
        pixel_stride_ = problem.outputs[0].pixel_stride;
        return;
    }
    pixel_stride_ = channels_;
    program_.emplace(problem.epilogue ? *problem.epilogue : storing_program(), problem.inputs, problem.outputs,
                     Walk{.samples = result_[0], .pixels = result_[1] * result_[2], .channels = result_[3]}, isa);
}

size_t RowSink::scratch_bytes() const {
    if (!program_) return 0;
    return whole_lines(static_cast<size_t>(rows_ * result_[2] * channels_) * sizeof(float)) + program_->scratch_bytes();
}

void RowSink::finalize(int64_t unit, const Buffers& buffers) const noexcept {
    program_->finalize(unit, buffers, reinterpret_cast<const double*>(buffers.workspace + workspace_offset_), slots_);
}

double* RowSink::partial(const Buffers& buffers, int64_t slot) const {
    return reinterpret_cast<double*>(buffers.workspace + workspace_offset_) + slot * program_->view().partial_doubles;
}

RowSink::Rows::Rows(const RowSink& sink, const Buffers& buffers, std::byte* scratch, int64_t sample, int64_t slot,
                    ChannelSlice slice) noexcept
    : sink_(sink),
      buffers_(buffers),
      rows_(nullptr),
      program_scratch_(nullptr),
      partial_(nullptr),
      sample_(sample),
      slice_(slice) {
    if (slice_.count == 0) slice_.count = sink_.channels_;
    if (!sink_.program_) {
        rows_ = static_cast<float*>(buffers_.outputs[0]) +
                sample * sink_.result_[1] * sink_.result_[2] * sink_.pixel_stride_ + slice_.first;
        return;
    }
    rows_ = reinterpret_cast<float*>(scratch);
    const size_t row_bytes =
        whole_lines(static_cast<size_t>(sink_.rows_ * sink_.result_[2] * sink_.channels_) * sizeof(float));
    program_scratch_ = reinterpret_cast<float*>(scratch + row_bytes);
    const ProgramView& view = sink_.program_->view();
    if (sink_.program_->reduces()) {
        partial_ = sink_.partial(buffers_, slot);
        view.clear(view, partial_, slice_.first, slice_.count);
    }
    view.prepare(view, buffers_, sample_, slice_.first, slice_.count, program_scratch_);
}

float* RowSink::Rows::begin(int64_t first) noexcept {
    return sink_.program_ ? rows_ : rows_ + first * sink_.result_[2] * sink_.pixel_stride_;
}

void RowSink::Rows::done(int64_t first, int64_t count) noexcept {
    if (!sink_.program_) return;
    const ProgramView& view = sink_.program_->view();
    const int64_t width = sink_.result_[2];
    const Chunk chunk{.sample = sample_,
                      .first_pixel = first * width,
                      .pixels = count * width,
                      .first_channel = slice_.first,
                      .channels = slice_.count,
                      .core = rows_,
                      .core_stride = sink_.channels_,
                      .sink = nullptr,
                      .sink_stride = 0};
    view.run(view, buffers_, chunk, program_scratch_, partial_);
}

}  // namespace liven::kernels
