#include "liven/ops/shape.hpp"

#include <string>

#include "liven/core/error.hpp"
#include "liven/ops/reduce.hpp"

namespace liven {
namespace {

size_t at(int axis) { return static_cast<size_t>(axis); }

/// A -1 among the extents stands for whatever makes the counts equal.
Shape completed(const char* where, int64_t count, std::span<const int64_t> extents) {
    int64_t known = 1;
    int missing = -1;
    for (size_t i = 0; i < extents.size(); ++i) {
        if (extents[i] >= 0) {
            known *= extents[i];
        } else if (missing < 0) {
            missing = static_cast<int>(i);
        } else {
            throw Error(where, "only one extent may be -1");
        }
    }
    if (missing >= 0 && (known == 0 || count % known != 0))
        throw Error(where, std::to_string(count) + " elements do not divide into the given extents");
    Shape full;
    for (int64_t extent : extents) full.append(extent >= 0 ? extent : count / known);
    return full;
}

void axis_fields(FieldVisitor& visitor, const char* name, const AxisArray& values, int count) {
    for (int axis = 0; axis < count; ++axis) visitor.field(name, values[at(axis)]);
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
    if (x.shape() == shape) return x;
    ops::Reshape op{.rank = shape.rank()};
    for (int axis = 0; axis < shape.rank(); ++axis) op.extents[at(axis)] = shape[axis];
    return apply(op, {x});
}

Tensor reshape(const Tensor& x, std::initializer_list<int64_t> extents) {
    return reshape(x, completed("reshape", x.shape().count(), {extents.begin(), extents.size()}));
}

Tensor flatten(const Tensor& x) {
    const int64_t samples = x.rank() > 0 ? x.shape()[0] : 1;
    return reshape(x, Shape{samples, samples == 0 ? 0 : x.shape().count() / samples});
}

Tensor permute(const Tensor& x, std::span<const int> order) {
    ops::Permute op;
    if (static_cast<int>(order.size()) != x.rank())
        throw Error("permute", "expected " + std::to_string(x.rank()) + " axes for " + x.shape().str() + ", got " +
                                   std::to_string(order.size()));
    uint32_t seen = 0;
    for (size_t i = 0; i < order.size(); ++i) {
        const int axis = x.shape().normalize(order[i]);
        seen |= 1u << axis;
        op.order[i] = axis;
    }
    if (seen != (1u << order.size()) - 1u) throw Error("permute", "each axis must appear once");
    return apply(op, {x});
}

Tensor permute(const Tensor& x, std::initializer_list<int> order) {
    return permute(x, std::span<const int>(order.begin(), order.size()));
}

Tensor transpose(const Tensor& x) {
    if (x.rank() < 2) throw Error("transpose", "expected rank 2 or more, got " + x.shape().str());
    SmallVector<int, Shape::max_rank> order;
    for (int axis = 0; axis < x.rank(); ++axis) order.push_back(axis);
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    return permute(x, std::span<const int>(order.data(), order.size()));
}

Tensor slice(const Tensor& x, const SliceOptions& options) {
    ops::Slice op;
    for (int axis = 0; axis < x.rank(); ++axis) op.count[at(axis)] = x.shape()[axis];
    const int axis = x.shape().normalize(options.axis);
    op.begin[at(axis)] = options.begin;
    op.count[at(axis)] = options.count;
    return apply(op, {x});
}

Tensor concat(const TensorList& tensors, const ConcatOptions& options) {
    if (tensors.empty()) throw Error("concat", "expected at least one tensor");
    ops::Concat op;
    op.axis = tensors[0].shape().normalize(options.axis);
    return result(record(op, tensors));
}

Tensor pad(const Tensor& x, const PadOptions& options) {
    if (options.low.rank() != x.rank() || options.high.rank() != x.rank())
        throw Error("pad", "expected a low and a high margin for each axis of " + x.shape().str());
    ops::Pad op;
    op.value = options.value;
    for (int axis = 0; axis < x.rank(); ++axis) {
        op.low[at(axis)] = options.low[axis];
        op.high[at(axis)] = options.high[axis];
    }
    return apply(op, {x});
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
    if (x.shape() == shape) return x;
    Shape same_rank;
    for (int axis = x.rank(); axis < shape.rank(); ++axis) same_rank.append(1);
    for (int64_t extent : x.shape()) same_rank.append(extent);
    ops::Broadcast op{.rank = shape.rank()};
    for (int axis = 0; axis < shape.rank(); ++axis) op.extents[at(axis)] = shape[axis];
    return apply(op, {reshape(x, same_rank)});
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
    if (x.shape() == shape) return x;
    const int extra = x.rank() - shape.rank();
    uint32_t axes = 0;
    for (int axis = 0; axis < x.rank(); ++axis)
        if (axis < extra || (shape[axis - extra] == 1 && x.shape()[axis] != 1)) axes |= 1u << axis;
    if (axes == 0) return reshape(x, shape);
    ops::ReduceSum op;
    op.axes = axes;
    return reshape(apply(op, {x}), shape);
}

namespace ops {

void Reshape::infer(InputTypes in, OutputTypes& out) const {
    if (in[0]->shape.count() != shape().count())
        throw Error("reshape", in[0]->shape.str() + " has " + std::to_string(in[0]->shape.count()) + " elements, but " +
                                   shape().str() + " has " + std::to_string(shape().count()));
    out.push_back({.shape = shape(), .dtype = in[0]->dtype});
}
void Reshape::fields(FieldVisitor& visitor) const { axis_fields(visitor, "extent", extents, rank); }

void Permute::infer(InputTypes in, OutputTypes& out) const {
    Shape shape;
    for (int axis = 0; axis < in[0]->shape.rank(); ++axis)
        shape.append(in[0]->shape[static_cast<int>(order[at(axis)])]);
    out.push_back({.shape = shape, .dtype = in[0]->dtype});
}
void Permute::fields(FieldVisitor& visitor) const { axis_fields(visitor, "axis", order, Shape::max_rank); }
void Permute::vjp(Vjp& v) const {
    SmallVector<int, Shape::max_rank> inverse;
    const int rank = v.input(0).rank();
    for (int axis = 0; axis < rank; ++axis)
        for (int i = 0; i < rank; ++i)
            if (order[at(i)] == axis) inverse.push_back(i);
    v.contribute(0, permute(v.gradient(), std::span<const int>(inverse.data(), inverse.size())));
}

void Slice::infer(InputTypes in, OutputTypes& out) const {
    Shape shape;
    for (int axis = 0; axis < in[0]->shape.rank(); ++axis) {
        const int64_t first = begin[at(axis)], number = count[at(axis)], extent = in[0]->shape[axis];
        if (first < 0 || number < 0 || first > extent - number)
            throw Error("slice", std::to_string(number) + " elements from " + std::to_string(first) + " on axis " +
                                     std::to_string(axis) + " lie outside " + in[0]->shape.str());
        shape.append(number);
    }
    out.push_back({.shape = shape, .dtype = in[0]->dtype});
}
void Slice::fields(FieldVisitor& visitor) const {
    axis_fields(visitor, "begin", begin, Shape::max_rank);
    axis_fields(visitor, "count", count, Shape::max_rank);
}
void Slice::vjp(Vjp& v) const {
    const Shape& whole = v.input(0).shape();
    PadOptions margins;
    for (int axis = 0; axis < whole.rank(); ++axis) {
        margins.low.append(begin[at(axis)]);
        margins.high.append(whole[axis] - begin[at(axis)] - count[at(axis)]);
    }
    v.contribute(0, pad(v.gradient(), margins));
}

void Pad::infer(InputTypes in, OutputTypes& out) const {
    Shape shape;
    for (int axis = 0; axis < in[0]->shape.rank(); ++axis) {
        if (low[at(axis)] < 0 || high[at(axis)] < 0)
            throw Error("pad", "margins must be 0 or more", "slice() makes tensors smaller");
        shape.append(in[0]->shape[axis] + low[at(axis)] + high[at(axis)]);
    }
    out.push_back({.shape = shape, .dtype = in[0]->dtype});
}
void Pad::fields(FieldVisitor& visitor) const {
    axis_fields(visitor, "low", low, Shape::max_rank);
    axis_fields(visitor, "high", high, Shape::max_rank);
    visitor.field("value", static_cast<double>(value));
}
void Pad::vjp(Vjp& v) const {
    Tensor gradient = v.gradient();
    Slice op;
    for (int axis = 0; axis < v.input(0).rank(); ++axis) {
        op.begin[at(axis)] = low[at(axis)];
        op.count[at(axis)] = v.input(0).shape()[axis];
    }
    v.contribute(0, apply(op, {gradient}));
}

void Concat::infer(InputTypes in, OutputTypes& out) const {
    TensorType type = *in[0];
    const int along = static_cast<int>(axis);
    for (size_t i = 1; i < in.size(); ++i) {
        Shape expected = in[i]->shape;
        if (expected.rank() == type.shape.rank()) expected.set(along, type.shape[along]);
        if (!(expected == type.shape) || in[i]->dtype != type.dtype)
            throw Error("concat", "tensors " + in[0]->shape.str() + " and " + in[i]->shape.str() +
                                      " differ in another axis than " + std::to_string(along));
        type.shape.set(along, type.shape[along] + in[i]->shape[along]);
    }
    out.push_back(type);
}
void Concat::vjp(Vjp& v) const {
    int64_t begin = 0;
    for (size_t i = 0; i < v.input_count(); ++i) {
        const int64_t count = v.input(i).shape()[static_cast<int>(axis)];
        if (v.wants(i))
            v.contribute(i, slice(v.gradient(), {.axis = static_cast<int>(axis), .begin = begin, .count = count}));
        begin += count;
    }
}

void Broadcast::infer(InputTypes in, OutputTypes& out) const {
    const Shape shape(std::span<const int64_t>(extents.data(), static_cast<size_t>(rank)));
    if (in[0]->shape.rank() != rank || !(liven::broadcast("broadcast_to", in[0]->shape, shape) == shape))
        throw Error("broadcast_to", in[0]->shape.str() + " does not stretch to " + shape.str());
    out.push_back({.shape = shape, .dtype = in[0]->dtype});
}
void Broadcast::fields(FieldVisitor& visitor) const { axis_fields(visitor, "extent", extents, rank); }

}  // namespace ops
}  // namespace liven
