#include "liven/ops/resize.hpp"

#include <string>

#include "liven/core/error.hpp"

namespace liven {
namespace {

template <class Op>
Tensor resized(const Tensor& x, ResizeMode mode, int64_t height, int64_t width) {
    Op op;
    op.mode = mode;
    op.height = height;
    op.width = width;
    return apply(op, {x});
}

void infer_resized(InputTypes in, OutputTypes& out, int64_t height, int64_t width) {
    const Shape& src = in[0]->shape;
    if (src.rank() != 4 || in[0]->dtype != DType::f32 || src[1] < 1 || src[2] < 1)
        throw Error("resize", "expected an f32 image N x H x W x C with pixels, got " + src.str());
    if (height < 1 || width < 1)
        throw Error("resize", "expected a size of at least 1x1, got " + std::to_string(height) + "x" +
                                  std::to_string(width) + " for the input " + src.str());
    out.push_back({.shape = {src[0], height, width, src[3]}});
}

}  // namespace

Tensor resize(const Tensor& x, const ResizeOptions& options) {
    return resized<ops::Resize>(x, options.mode, options.size.h, options.size.w);
}

Tensor upsample(const Tensor& x, int64_t factor) {
    if (x.rank() != 4 || factor < 1)
        throw Error("upsample", "expected N x H x W x C and a factor of at least 1, got " + x.shape().str() + " and " +
                                    std::to_string(factor));
    return resize(x, {.size = {x.shape()[1] * factor, x.shape()[2] * factor}});
}

namespace ops {

void ResizeFields::fields(FieldVisitor& visitor) const {
    visitor.field("mode", static_cast<int64_t>(mode));
    visitor.field("height", height);
    visitor.field("width", width);
}

void Resize::infer(InputTypes in, OutputTypes& out) const { infer_resized(in, out, height, width); }
void Resize::vjp(Vjp& v) const {
    const Shape& src = v.input(0).shape();
    v.contribute(0, resized<ResizeGrad>(v.gradient(), mode, src[1], src[2]));
}

void ResizeGrad::infer(InputTypes in, OutputTypes& out) const { infer_resized(in, out, height, width); }
void ResizeGrad::vjp(Vjp& v) const {
    const Shape& diff_dst = v.input(0).shape();
    v.contribute(0, resized<Resize>(v.gradient(), mode, diff_dst[1], diff_dst[2]));
}

}  // namespace ops
}  // namespace liven
