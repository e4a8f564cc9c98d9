#pragma once

#include <span>

#include "liven/core/attributes.hpp"
#include "liven/graph/record.hpp"

/// Operations that move numbers without changing them.
namespace liven {

/// The same numbers in row-major order under another shape. One extent may be -1: it follows from the others.
/// Throws Error when the counts differ.
Tensor reshape(const Tensor& x, const Shape& shape);
Tensor reshape(const Tensor& x, std::initializer_list<int64_t> extents);
/// N x H x W x C -> N x (H*W*C): everything but the first axis in one.
Tensor flatten(const Tensor& x);
/// Output axis i is input axis order[i].
Tensor permute(const Tensor& x, std::span<const int> order);
Tensor permute(const Tensor& x, std::initializer_list<int> order);
/// Swaps the last two axes.
Tensor transpose(const Tensor& x);
/// Elements [begin, begin + count) of one axis.
struct SliceOptions {
    int axis = -1;
    int64_t begin = 0;
    int64_t count = 1;
};
Tensor slice(const Tensor& x, const SliceOptions& options);
/// Tensors side by side along an axis; all other extents equal.
struct ConcatOptions {
    int axis = -1;
};
Tensor concat(const TensorList& tensors, const ConcatOptions& options = {});
/// `low` and `high` elements of `value` before and after each axis, one entry an axis.
struct PadOptions {
    Shape low, high;
    float value = 0;
};
Tensor pad(const Tensor& x, const PadOptions& options);
/// Stretches axes of extent 1 (and adds leading axes) until the shape is reached.
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// Undoes a broadcast: sums over the axes along which `shape` was stretched.
Tensor sum_to(const Tensor& x, const Shape& shape);

namespace ops {

struct Reshape {
    int32_t rank = 0;
    AxisArray extents{};

    static constexpr bool view = true;
    static constexpr OperationDoc doc{.name = "reshape",
                                      .category = "shape",
                                      .summary = "the same numbers under another shape",
                                      .formula = "y.data = x.data"};
    Shape shape() const { return Shape(std::span<const int64_t>(extents.data(), static_cast<size_t>(rank))); }
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const;
    void vjp(Vjp& v) const { v.contribute(0, reshape(v.gradient(), v.input(0).shape())); }
};

struct Permute : PermuteAttributes {
    static constexpr OperationDoc doc{
        .name = "permute", .category = "shape", .summary = "axes in another order", .formula = "y[i_order] = x[i]"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const;
    void vjp(Vjp& v) const;
};

struct Slice : SliceAttributes {
    AxisArray count{};  ///< extents of the result; 0 beyond its rank

    static constexpr OperationDoc doc{
        .name = "slice", .category = "shape", .summary = "a box cut out of a tensor", .formula = "y[i] = x[begin + i]"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const;
    void vjp(Vjp& v) const;
};

struct Pad : PadAttributes {
    static constexpr OperationDoc doc{.name = "pad",
                                      .category = "shape",
                                      .summary = "a margin of one number on each side of each axis",
                                      .formula = "y[low + i] = x[i], value elsewhere"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const;
    void vjp(Vjp& v) const;
};

struct Concat : ConcatAttributes {
    static constexpr OperationDoc doc{.name = "concat",
                                      .category = "shape",
                                      .summary = "tensors side by side along one axis",
                                      .formula = "y = [a, b, ...]"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const { visitor.field("axis", axis); }
    void vjp(Vjp& v) const;
};

struct Broadcast {
    int32_t rank = 0;
    AxisArray extents{};

    static constexpr OperationDoc doc{.name = "broadcast",
                                      .category = "shape",
                                      .summary = "axes of extent 1 repeated",
                                      .formula = "y[i] = x[i or 0]"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const;
    void vjp(Vjp& v) const { v.contribute(0, sum_to(v.gradient(), v.input(0).shape())); }
};

}  // namespace ops
}  // namespace liven
