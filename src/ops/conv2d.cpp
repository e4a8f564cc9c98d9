#include "liven/ops/conv2d.hpp"

#include <algorithm>
#include <string>

#include "liven/core/error.hpp"
#include "src/ops/window_fields.hpp"

namespace liven {
namespace {

int64_t same_total(int64_t input, int64_t kernel, int64_t stride, int64_t dilation) {
    const int64_t output = (input + stride - 1) / stride;
    return std::max<int64_t>(0, (output - 1) * stride + dilation * (kernel - 1) + 1 - input);
}

void require_rank4(const char* where, const char* what, const Shape& shape) {
    if (shape.rank() != 4) throw Error(where, std::string(what) + " must have rank 4, got " + shape.str());
}

void require_sane(const char* where, const Conv2dAttributes& a) {
    const Window2d& w = a.window;
    const bool positive = w.stride.h > 0 && w.stride.w > 0 && w.dilation.h > 0 && w.dilation.w > 0 && a.groups > 0 &&
                          w.kernel.h > 0 && w.kernel.w > 0;
    const bool padded = w.padding.top >= 0 && w.padding.bottom >= 0 && w.padding.left >= 0 && w.padding.right >= 0;
    if (!positive || !padded)
        throw Error(where, "stride, dilation, groups and kernel must be positive and padding not negative");
}

Cost macs(InputTypes in, InputTypes out, const Shape& dst, const Shape& weights) {
    Cost cost = detail::default_cost(in, out);
    cost.flops = 2.0 * static_cast<double>(dst.count()) * static_cast<double>(weights[0] * weights[1] * weights[2]);
    return cost;
}

template <class Op>
Op like(const Conv2dAttributes& attributes) {
    Op op;
    static_cast<Conv2dAttributes&>(op) = attributes;
    return op;
}

Tensor input_grad(const Conv2dAttributes& a, const Tensor& diff_dst, const Tensor& weights, const Shape& src) {
    auto op = like<ops::Conv2dInputGrad>(a);
    op.height = src[1];
    op.width = src[2];
    return apply(op, {diff_dst, weights});
}

}  // namespace

Padding2d same(const Extent2d& input, const Extent2d& kernel, const Extent2d& stride, const Extent2d& dilation) {
    const int64_t rows = same_total(input.h, kernel.h, stride.h, dilation.h);
    const int64_t columns = same_total(input.w, kernel.w, stride.w, dilation.w);
    return {.top = rows / 2, .bottom = rows - rows / 2, .left = columns / 2, .right = columns - columns / 2};
}

Tensor conv2d(const Tensor& src, const Tensor& weights, const Conv2dOptions& options) {
    require_rank4("conv2d", "weights (HWIO)", weights.shape());
    ops::Conv2d op;
    op.window = {.kernel = {weights.shape()[0], weights.shape()[1]},
                 .stride = options.stride,
                 .padding = options.padding,
                 .dilation = options.dilation};
    op.groups = options.groups;
    return apply(op, {src, weights});
}

namespace ops {

void Conv2dFields::fields(FieldVisitor& visitor) const {
    visit_window(visitor, window, "kernel_h", "kernel_w");
    visitor.field("dilation_h", window.dilation.h);
    visitor.field("dilation_w", window.dilation.w);
    visitor.field("groups", groups);
    visitor.field("middle_is_sum", static_cast<int64_t>(middle_is_sum));
}

void Conv2d::infer(InputTypes in, OutputTypes& out) const {
    const Shape &src = in[0]->shape, &weights = in[1]->shape;
    require_rank4("conv2d", "src (NHWC)", src);
    require_sane("conv2d", *this);
    if (src[3] != weights[2] * groups)
        throw Error("conv2d",
                    "weights are " + weights.str() + " (HWIO) and expect " + std::to_string(weights[2] * groups) +
                        " input channels, but the input is " + src.str() + " (NHWC)",
                    "check the input's channels or the number of groups");
    if (weights[3] % groups != 0)
        throw Error("conv2d", std::to_string(weights[3]) + " output channels do not divide into " +
                                  std::to_string(groups) + " groups");
    const int64_t height = window.out_h(src[1]), width = window.out_w(src[2]);
    if (height <= 0 || width <= 0)
        throw Error("conv2d", "the kernel " + weights.str() + " (HWIO) is larger than the padded input " + src.str());
    out.push_back({.shape = {src[0], height, width, weights[3]}});
}
void Conv2d::vjp(Vjp& v) const {
    if (v.wants(0)) v.contribute(0, input_grad(*this, v.gradient(), v.input(1), v.input(0).shape()));
    if (v.wants(1)) v.contribute(1, apply(like<Conv2dWeightGrad>(*this), {v.input(0), v.gradient()}));
}
Cost Conv2d::cost(InputTypes in, InputTypes out) const { return macs(in, out, out[0]->shape, in[1]->shape); }

void Conv2dInputGrad::infer(InputTypes in, OutputTypes& out) const {
    out.push_back({.shape = {in[0]->shape[0], height, width, in[1]->shape[2] * groups}});
}
void Conv2dInputGrad::fields(FieldVisitor& visitor) const {
    Conv2dFields::fields(visitor);
    visitor.field("height", height);
    visitor.field("width", width);
}
void Conv2dInputGrad::vjp(Vjp& v) const {
    if (v.wants(0)) v.contribute(0, apply(like<Conv2d>(*this), {v.gradient(), v.input(1)}));
    if (v.wants(1)) v.contribute(1, apply(like<Conv2dWeightGrad>(*this), {v.gradient(), v.input(0)}));
}
Cost Conv2dInputGrad::cost(InputTypes in, InputTypes out) const { return macs(in, out, in[0]->shape, in[1]->shape); }

void Conv2dWeightGrad::infer(InputTypes in, OutputTypes& out) const {
    out.push_back({.shape = {window.kernel.h, window.kernel.w, in[0]->shape[3] / groups, in[1]->shape[3]}});
}
void Conv2dWeightGrad::vjp(Vjp& v) const {
    if (v.wants(0)) v.contribute(0, input_grad(*this, v.input(1), v.gradient(), v.input(0).shape()));
    if (v.wants(1)) v.contribute(1, apply(like<Conv2d>(*this), {v.input(0), v.gradient()}));
}
Cost Conv2dWeightGrad::cost(InputTypes in, InputTypes out) const { return macs(in, out, in[1]->shape, out[0]->shape); }

}  // namespace ops
}  // namespace liven
