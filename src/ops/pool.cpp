#include "liven/ops/pool.hpp"

#include <string>

#include "liven/core/error.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/shape.hpp"
#include "src/ops/window_fields.hpp"

namespace liven {
namespace {

template <class Op>
Op like(const PoolAttributes& attributes) {
    Op op;
    static_cast<PoolAttributes&>(op) = attributes;
    return op;
}

template <class Op>
Tensor pool(const Tensor& x, const PoolOptions& options) {
    Op op;
    const Extent2d stride{options.stride.h > 0 ? options.stride.h : options.size.h,
                          options.stride.w > 0 ? options.stride.w : options.size.w};
    op.window = {.kernel = options.size, .stride = stride, .padding = options.padding, .ceil_mode = options.ceil_mode};
    op.count_include_pad = options.count_include_pad;
    return apply(op, {x});
}

/// Means over `size` windows of one axis.
Tensor means_of_windows(const Tensor& x, int axis, int64_t size) {
    const int64_t extent = x.shape()[axis];
    if (extent == size) return x;
    TensorList windows;
    for (int64_t i = 0; i < size; ++i) {
        const int64_t first = i * extent / size, last = ((i + 1) * extent + size - 1) / size;
        const Tensor window = slice(x, {.axis = axis, .begin = first, .count = last - first});
        windows.push_back(mean(window, {.axes = {axis}, .keep_axes = true}));
    }
    return concat(windows, {.axis = axis});
}

Shape pooled(const char* where, const Shape& src, const Window2d& window) {
    if (src.rank() != 4) throw Error(where, "expected N x H x W x C, got " + src.str());
    const Padding2d& p = window.padding;
    if (window.kernel.h < 1 || window.kernel.w < 1 || p.top < 0 || p.left < 0 || p.bottom < 0 || p.right < 0)
        throw Error(where, "the window must be at least 1x1 and padding not negative");
    if (p.top >= window.kernel.h || p.bottom >= window.kernel.h || p.left >= window.kernel.w ||
        p.right >= window.kernel.w)
        throw Error(where, "padding must be smaller than the window, or windows would lie wholly outside");
    const int64_t height = window.out_h(src[1]), width = window.out_w(src[2]);
    if (height <= 0 || width <= 0)
        throw Error(where, "the window " + std::to_string(window.kernel.h) + "x" + std::to_string(window.kernel.w) +
                               " is larger than the input " + src.str());
    return {src[0], height, width, src[3]};
}

}  // namespace

Tensor max_pool(const Tensor& x, const PoolOptions& options) { return pool<ops::MaxPool>(x, options); }
Tensor avg_pool(const Tensor& x, const PoolOptions& options) { return pool<ops::AvgPool>(x, options); }
Tensor adaptive_avg_pool(const Tensor& x, int64_t size) {
    if (x.rank() != 4 || size < 1)
        throw Error("adaptive_avg_pool", "expected N x H x W x C and a size of 1 or more, got " + x.shape().str() +
                                             " and " + std::to_string(size));
    return means_of_windows(means_of_windows(x, 1, size), 2, size);
}
Tensor global_avg_pool(const Tensor& x) { return mean(x, {.axes = {1, 2}}); }
Tensor global_max_pool(const Tensor& x) { return max(x, {.axes = {1, 2}}); }

namespace ops {

void PoolFields::fields(FieldVisitor& visitor) const {
    visit_window(visitor, window, "size_h", "size_w");
    visitor.field("ceil_mode", static_cast<int64_t>(window.ceil_mode));
    visitor.field("count_include_pad", static_cast<int64_t>(count_include_pad));
}

void MaxPool::infer(InputTypes in, OutputTypes& out) const {
    out.push_back({.shape = pooled("max_pool", in[0]->shape, window)});
}
void MaxPool::vjp(Vjp& v) const { v.contribute(0, apply(like<MaxPoolGrad>(*this), {v.input(0), v.gradient()})); }

void MaxPoolGrad::infer(InputTypes in, OutputTypes& out) const { out.push_back({.shape = in[0]->shape}); }
void MaxPoolGrad::vjp(Vjp& v) const {
    // The place of the maximum is piecewise constant in src: no gradient there.
    if (v.wants(1)) v.contribute(1, apply(like<MaxPoolPick>(*this), {v.input(0), v.gradient()}));
}

void MaxPoolPick::infer(InputTypes in, OutputTypes& out) const {
    out.push_back({.shape = pooled("max_pool_pick", in[0]->shape, window)});
}
void MaxPoolPick::vjp(Vjp& v) const {
    if (v.wants(1)) v.contribute(1, apply(like<MaxPoolGrad>(*this), {v.input(0), v.gradient()}));
}

void AvgPool::infer(InputTypes in, OutputTypes& out) const {
    out.push_back({.shape = pooled("avg_pool", in[0]->shape, window)});
}
void AvgPool::vjp(Vjp& v) const {
    auto op = like<AvgPoolGrad>(*this);
    op.height = v.input(0).shape()[1];
    op.width = v.input(0).shape()[2];
    v.contribute(0, apply(op, {v.gradient()}));
}

void AvgPoolGrad::infer(InputTypes in, OutputTypes& out) const {
    out.push_back({.shape = {in[0]->shape[0], height, width, in[0]->shape[3]}});
}
void AvgPoolGrad::fields(FieldVisitor& visitor) const {
    PoolFields::fields(visitor);
    visitor.field("height", height);
    visitor.field("width", width);
}
void AvgPoolGrad::vjp(Vjp& v) const { v.contribute(0, apply(like<AvgPool>(*this), {v.gradient()})); }

}  // namespace ops
}  // namespace liven
