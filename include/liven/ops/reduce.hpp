#pragma once

#include "liven/core/attributes.hpp"
#include "liven/core/small_vector.hpp"
#include "liven/graph/record.hpp"

/// Sums, means and maxima over axes. Accumulated in blocks of fp32 and from there on in double, in an order that
/// depends on the shape alone.
namespace liven {

/// Axes by number, negative ones counted from the last.
using AxisList = SmallVector<int, Shape::max_rank>;

/// Which axes, and whether they stay with extent 1. No axes means all of them.
struct ReduceOptions {
    AxisList axes = {};
    bool keep_axes = false;
};
Tensor sum(const Tensor& x, const ReduceOptions& options = {});
Tensor mean(const Tensor& x, const ReduceOptions& options = {});
/// The largest element; its gradient is shared equally among ties.
Tensor max(const Tensor& x, const ReduceOptions& options = {});

/// Mean and biased variance over axes, both with the reduced axes kept as extent 1. Blocks are shifted by their first
/// element and merged by Chan's formula (Chan, Golub, LeVeque 1979): exact where the plain sum of squares cancels.
struct Moments {
    Tensor mean, variance;
};
Moments moments(const Tensor& x, const AxisList& axes);

namespace ops {

struct ReduceSum : ReduceAttributes {
    static constexpr OperationDoc doc{.name = "reduce_sum",
                                      .category = "reduction",
                                      .summary = "sum over axes, kept as extent 1",
                                      .formula = "y = sum x"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const { visitor.field("axes", static_cast<int64_t>(axes)); }
    void vjp(Vjp& v) const;
};

struct ReduceMax : ReduceAttributes {
    static constexpr OperationDoc doc{.name = "reduce_max",
                                      .category = "reduction",
                                      .summary = "largest element over axes, kept as extent 1",
                                      .formula = "y = max x"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const { visitor.field("axes", static_cast<int64_t>(axes)); }
    void vjp(Vjp& v) const;
};

struct MomentsOp : ReduceAttributes {
    static constexpr OperationDoc doc{.name = "moments",
                                      .category = "reduction",
                                      .summary = "mean and biased variance over axes, kept as extent 1",
                                      .formula = "mean = sum x / n, variance = sum (x - mean)^2 / n",
                                      .source = "Chan, Golub, LeVeque 1979"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const { visitor.field("axes", static_cast<int64_t>(axes)); }
    void vjp(Vjp& v) const;
};

}  // namespace ops
}  // namespace liven
