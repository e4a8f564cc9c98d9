#include "kernels/gemm/step.hpp"

// What becomes of a finished block: added to others, turned, handed to the epilogue.

namespace liven::kernels {
namespace {

constexpr int64_t sum_floats = 16 * 1024;  // results of one unit of the stage that adds partial results

}  // namespace

int64_t GemmStep::rows_a_sum_unit() const { return std::max<int64_t>(sum_floats / plan_.n, 1); }

void GemmStep::finalize(int64_t unit, const Buffers& buffers) const noexcept {
    epilogue_->finalize(unit, buffers, slot_of(buffers, 0), slots_);
}

double* GemmStep::slot_of(const Buffers& buffers, int64_t slot) const {
    const size_t offset = sums_ + static_cast<size_t>(slot) * epilogue_->partial_bytes();
    return reinterpret_cast<double*>(buffers.workspace + offset);
}

/// The turned block becomes rows of dst.
void GemmStep::turn_out(const GemmUnit& unit, const Buffers& buffers) const {
    const float* block = scratch(buffers, block_);
    const int64_t columns = unit.m1 - unit.m0;
    if (!epilogue_) {
        float* dst = static_cast<float*>(buffers.outputs[0]) + unit.batch * plan_.n * plan_.dst_row + unit.m0;
        kernels_.transpose(block, block_row_, columns, plan_.n, dst, plan_.dst_row);
        return;
    }
    float* rows = scratch(buffers, turned_);
    kernels_.transpose(block, block_row_, columns, plan_.n, rows, columns);
    finish_rows(buffers, unit.batch * plan_.n, plan_.n, unit.m0, columns, rows, columns, unit.batch);
}

/// Adds the partial results of some rows, k block by k block.
void GemmStep::add_partials(int64_t unit, const Buffers& buffers) const noexcept {
    const int64_t all = plan_.batch * plan_.m, first = unit * rows_a_sum_unit();
    const int64_t rows = std::min(rows_a_sum_unit(), all - first);
    const float* partials = reinterpret_cast<const float*>(buffers.workspace) + first * plan_.n;
    if (epilogue_) {
        float* core = scratch(buffers, summed_);
        kernels_.sum(partials, all * plan_.n, plan_.units_k, rows * plan_.n, core);
        finish_rows(buffers, first, rows, 0, plan_.n, core, plan_.n, unit);
        return;
    }
    float* dst = static_cast<float*>(buffers.outputs[0]) + first * plan_.dst_row;
    if (plan_.dst_row == plan_.n) {
        kernels_.sum(partials, all * plan_.n, plan_.units_k, rows * plan_.n, dst);
        return;
    }
    for (int64_t r = 0; r < rows; ++r)
        kernels_.sum(partials + r * plan_.n, all * plan_.n, plan_.units_k, plan_.n, dst + r * plan_.dst_row);
}

/// Hands rows of the result, counted over the batch, to the epilogue.
void GemmStep::finish_rows(const Buffers& buffers, int64_t first_row, int64_t rows, int64_t first_column,
                           int64_t columns, const float* core, int64_t core_row, int64_t slot) const {
    const ProgramView& view = epilogue_->view();
    float* own = scratch(buffers, epilogue_scratch_);
    double* sums = epilogue_->reduces() ? slot_of(buffers, slot) : nullptr;
    if (sums) view.clear(view, sums, first_column, columns);
    run_rows(view, buffers, first_row, rows,
             {.first_channel = first_column, .channels = columns, .core = core, .core_stride = core_row}, own, sums);
}

/// Runs the program over rows of a matrix; `chunk` says where the first row comes from or goes to, and which columns.
void GemmStep::run_rows(const ProgramView& view, const Buffers& buffers, int64_t first_row, int64_t rows, Chunk chunk,
                        float* own, double* sums) {
    for (int64_t row = first_row; row < first_row + rows; row += chunk.pixels) {
        chunk.sample = row / view.pixels;
        chunk.first_pixel = row % view.pixels;
        chunk.pixels = std::min(first_row + rows - row, view.pixels - chunk.first_pixel);
        view.prepare(view, buffers, chunk.sample, chunk.first_channel, chunk.channels, own);
        view.run(view, buffers, chunk, own, sums);
        if (chunk.core) chunk.core += chunk.pixels * chunk.core_stride;
        if (chunk.sink) chunk.sink += chunk.pixels * chunk.sink_stride;
    }
}

}  // namespace liven::kernels
