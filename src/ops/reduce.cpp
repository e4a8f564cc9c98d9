#include "liven/ops/reduce.hpp"

#include "liven/core/error.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/shape.hpp"

namespace liven {
namespace {

uint32_t axis_mask(const Shape& shape, const AxisList& axes) {
    if (axes.empty()) return (1u << shape.rank()) - 1u;
    uint32_t mask = 0;
    for (int axis : axes) mask |= 1u << shape.normalize(axis);
    return mask;
}

Shape without(const Shape& shape, uint32_t mask) {
    Shape rest;
    for (int axis = 0; axis < shape.rank(); ++axis)
        if (!(mask >> axis & 1u)) rest.append(shape[axis]);
    return rest;
}

Shape reduced(const Shape& shape, uint32_t mask) {
    Shape out = shape;
    for (int axis = 0; axis < shape.rank(); ++axis)
        if (mask >> axis & 1u) out.set(axis, 1);
    return out;
}

float reduced_count(const Shape& shape, uint32_t mask) {
    return static_cast<float>(shape.count()) / static_cast<float>(reduced(shape, mask).count());
}

template <class Op>
Tensor reduce(const Tensor& x, const ReduceOptions& options) {
    Op op;
    op.axes = axis_mask(x.shape(), options.axes);
    const Tensor y = apply(op, {x});
    return options.keep_axes ? y : reshape(y, without(x.shape(), op.axes));
}

void infer_reduced(InputTypes in, OutputTypes& out, uint32_t axes, const char* where) {
    if (in[0]->dtype != DType::f32) throw Error(where, "expected f32, got " + std::string(name_of(in[0]->dtype)));
    out.push_back({.shape = reduced(in[0]->shape, axes)});
}

}  // namespace

Tensor sum(const Tensor& x, const ReduceOptions& options) { return reduce<ops::ReduceSum>(x, options); }
Tensor max(const Tensor& x, const ReduceOptions& options) { return reduce<ops::ReduceMax>(x, options); }

Tensor mean(const Tensor& x, const ReduceOptions& options) {
    const uint32_t mask = axis_mask(x.shape(), options.axes);
    return scale(sum(x, options), 1.0f / reduced_count(x.shape(), mask));
}

Moments moments(const Tensor& x, const AxisList& axes) {
    ops::MomentsOp op;
    op.axes = axis_mask(x.shape(), axes);
    const NodePtr node = record(op, {x});
    return {.mean = result(node, 0), .variance = result(node, 1)};
}

namespace ops {

void ReduceSum::infer(InputTypes in, OutputTypes& out) const { infer_reduced(in, out, axes, "sum"); }
void ReduceSum::vjp(Vjp& v) const { v.contribute(0, broadcast_to(v.gradient(), v.input(0).shape())); }

void ReduceMax::infer(InputTypes in, OutputTypes& out) const {
    infer_reduced(in, out, axes, "max");
    if (in[0]->shape.count() == 0)
        throw Error("max", "an empty tensor " + in[0]->shape.str() + " has no largest element");
}
void ReduceMax::vjp(Vjp& v) const {
    const Tensor ties = equal(v.input(0), v.output());
    ReduceSum count;
    count.axes = axes;
    v.contribute(0, ties * (v.gradient() / apply(count, {ties})));
}

void MomentsOp::infer(InputTypes in, OutputTypes& out) const {
    infer_reduced(in, out, axes, "moments");
    infer_reduced(in, out, axes, "moments");
}
void MomentsOp::vjp(Vjp& v) const {
    const Tensor x = v.input(0);
    const float n = reduced_count(x.shape(), axes);
    Tensor total;
    if (v.has_gradient(1)) total = (x - v.output(0)) * scale(v.gradient(1), 2.0f / n);
    if (v.has_gradient(0)) {
        const Tensor from_mean = scale(v.gradient(0), 1.0f / n);
        total = total.defined() ? total + from_mean : broadcast_to(from_mean, x.shape());
    }
    if (total.defined()) v.contribute(0, total);
}

}  // namespace ops
}  // namespace liven
