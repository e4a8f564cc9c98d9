#pragma once

#include "kernels/pool/resize_taps.hpp"
#include "kernels/pool/rows.hpp"

namespace liven::kernels {

/// A map mixed along its rows and columns independently, by one set of taps each.
class ResizeStep final : public PoolRowsStep {
public:
    ResizeStep(const Problem& problem, const PoolOperands& operands, AxisTaps rows, AxisTaps columns, Isa isa);

private:
    void make_rows(const Unit& unit, RowSink::Rows& sink) const noexcept override;

    Shape src_;
    AxisTaps rows_, columns_;
    const ResizeKernels& kernels_;
    BandLoader loader_;
    size_t band_ = 0, mixed_ = 0, pointers_ = 0;
};

/// KernelInfo::cost of a ResizeStep.
double separable_cost(const Problem& problem);

}  // namespace liven::kernels
