#pragma once

#include <string>

#include "kernels/maps/band.hpp"
#include "kernels/maps/row_sink.hpp"
#include "kernels/step.hpp"

namespace liven::kernels {

/// The N x H x W x C operands of pooling and resizing, each from memory or from a prologue, and the shape of the
/// result. When `refusal` is not empty, it says what does not fit and the rest is meaningless.
struct PoolOperands {
    std::string refusal;
    MapSource maps[2];
    Shape result;
};
PoolOperands parse_pool(const Problem& problem, int operands);

/// A step whose units make some rows of one sample of an N x H x W x C result, which then goes through the epilogue.
class PoolRowsStep : public Step {
public:
    struct Options {
        int64_t unit_rows = 1;  ///< rows of the result that one unit makes
        bool together = false;  ///< hand all of them to the epilogue at once, instead of row by row
        double reach = 1;       ///< as Step::Stage::reach
    };
    PoolRowsStep(const Problem& problem, const Shape& result, const Options& options, Isa isa);
    void run(int stage, int64_t unit, const Buffers& buffers) const noexcept override;

protected:
    /// Rows [first, last) of a sample.
    struct Unit {
        int64_t sample = 0, first = 0, last = 0;
        const Buffers& buffers;
    };
    virtual void make_rows(const Unit& unit, RowSink::Rows& sink) const noexcept = 0;

    /// Scratch of this thread for the derived step; returns its offset.
    size_t reserve(size_t bytes);
    int64_t unit_rows() const { return options_.unit_rows; }
    int64_t pixel_stride() const { return sink_.pixel_stride(); }

private:
    Shape result_;
    Options options_;
    int64_t units_a_sample_ = 1;
    RowSink sink_;
};

/// Rows for one unit: about 128 KiB of the larger of the two maps, a multiple of `grain`.
int64_t pool_unit_rows(const Shape& result, int64_t floats_a_row, int64_t grain);

}  // namespace liven::kernels
