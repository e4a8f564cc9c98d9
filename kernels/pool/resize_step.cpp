#include "kernels/pool/resize_step.hpp"

#include <algorithm>

#include "kernels/by_isa.hpp"

namespace liven::kernels {

const ResizeKernels& resize_kernels_baseline();
const ResizeKernels& resize_kernels_avx2();
const ResizeKernels& resize_kernels_avx512();

const ResizeKernels& resize_kernels(Isa isa) {
    return by_isa(isa, resize_kernels_baseline, resize_kernels_avx2, resize_kernels_avx512)();
}

namespace {

PoolRowsStep::Options options(const PoolOperands& operands) {
    const Shape &src = operands.maps[0].shape, &result = operands.result;
    const int64_t per_row = std::max(result[2] * result[3], src[1] * src[2] * src[3] / result[1]);
    return {.unit_rows = pool_unit_rows(result, per_row, 1), .together = false};
}

}  // namespace

ResizeStep::ResizeStep(const Problem& problem, const PoolOperands& operands, AxisTaps rows, AxisTaps columns, Isa isa)
    : PoolRowsStep(problem, operands.result, options(operands), isa),
      src_(operands.maps[0].shape),
      rows_(std::move(rows)),
      columns_(std::move(columns)),
      kernels_(resize_kernels(isa)),
      loader_(
          operands.maps[0], problem, isa,
          {.first_column = 0, .columns = src_[2], .rows = std::max<int64_t>(rows_.reach(), 1), .dense_pixels = true}) {
    band_ = reserve(loader_.scratch_bytes());
    mixed_ = reserve(static_cast<size_t>(src_[2] * src_[3]) * sizeof(float));
    pointers_ = reserve(static_cast<size_t>(std::max<int64_t>(rows_.reach(), 1)) * sizeof(const float*));
}

void ResizeStep::make_rows(const Unit& unit, RowSink::Rows& sink) const noexcept {
    BandLoader::Rows src(loader_, unit.buffers, unit.buffers.scratch + band_, unit.sample);
    float* mixed = reinterpret_cast<float*>(unit.buffers.scratch + mixed_);
    const float** pointers = reinterpret_cast<const float**>(unit.buffers.scratch + pointers_);
    const TapsView rows = rows_.view(), columns = columns_.view();
    for (int64_t y = unit.first; y < unit.last; ++y) {
        const int64_t first = rows.begin[y], count = rows.begin[y + 1] - first;
        if (count > 0) src.load(rows.index[first], rows.index[first + count - 1] + 1);
        for (int64_t r = 0; r < count; ++r) pointers[r] = src[rows.index[first + r]];
        const float* row = mixed;
        if (count == 1 && rows.weight[first] == 1.0f)
            row = pointers[0];
        else
            kernels_.mix_rows(pointers, rows.weight + first, count, src_[2] * src_[3], mixed);
        kernels_.mix_columns(row, columns, src_[3], sink.begin(y), pixel_stride());
        sink.done(y, 1);
    }
}

double separable_cost(const Problem& problem) { return values_moved(problem) * 24e-12; }

}  // namespace liven::kernels
