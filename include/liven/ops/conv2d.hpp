#pragma once

#include "liven/core/attributes.hpp"
#include "liven/graph/record.hpp"

namespace liven {

/// Rows and columns of zeros such that the output has ceil(input / stride) rows and columns, the odd one at the bottom
/// and right: Keras' and TensorFlow's "same". It depends on the input's extent.
Padding2d same(const Extent2d& input, const Extent2d& kernel, const Extent2d& stride = 1, const Extent2d& dilation = 1);
/// p on all four sides: PyTorch's padding. Differs from `same` at stride 2.
constexpr Padding2d symmetric(int64_t p) { return {.top = p, .bottom = p, .left = p, .right = p}; }

/// Stride, padding, dilation and groups of a convolution; the kernel's extent comes from the weights.
struct Conv2dOptions {
    Extent2d stride = 1;
    Padding2d padding{};
    Extent2d dilation = 1;
    int64_t groups = 1;
};

/// Two-dimensional convolution (cross-correlation, as everywhere in the field), without bias:
///     dst[n, y, x, o] = sum over i, j, c of src[n, y*stride + i*dilation - top, x*stride + j*dilation - left, c] *
///     weights[i, j, c, o]
/// src N x H x W x C, weights kh x kw x C/groups x O, dst N x H' x W' x O. Throws Error when the shapes do not fit.
Tensor conv2d(const Tensor& src, const Tensor& weights, const Conv2dOptions& options = {});

namespace ops {

struct Conv2dFields : Conv2dAttributes {
    void fields(FieldVisitor& visitor) const;
};

struct Conv2d : Conv2dFields {
    static constexpr OperationDoc doc{
        .name = "conv2d",
        .category = "convolution",
        .summary = "two-dimensional convolution, NHWC by HWIO",
        .formula = "dst[y, x, o] = sum src[y s + i d - p, x s + j d - p, c] weights[i, j, c, o]"};
    void infer(InputTypes in, OutputTypes& out) const;
    void vjp(Vjp& v) const;
    Cost cost(InputTypes in, InputTypes out) const;
};

/// diff_dst, weights -> diff_src of the stated extent.
struct Conv2dInputGrad : Conv2dFields {
    int64_t height = 0, width = 0;
    static constexpr OperationDoc doc{
        .name = "conv2d_input_grad",
        .category = "convolution",
        .summary = "gradient of conv2d for src (transposed convolution)",
        .formula = "diff_src[y s + i d - p, x s + j d - p, c] += diff_dst[y, x, o] weights[i, j, c, o]"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const;
    void vjp(Vjp& v) const;
    Cost cost(InputTypes in, InputTypes out) const;
};

/// src, diff_dst -> diff_weights; the kernel's extent is in the window.
struct Conv2dWeightGrad : Conv2dFields {
    static constexpr OperationDoc doc{
        .name = "conv2d_weight_grad",
        .category = "convolution",
        .summary = "gradient of conv2d for weights",
        .formula = "diff_weights[i, j, c, o] = sum src[y s + i d - p, x s + j d - p, c] diff_dst[y, x, o]"};
    void infer(InputTypes in, OutputTypes& out) const;
    void vjp(Vjp& v) const;
    Cost cost(InputTypes in, InputTypes out) const;
};

}  // namespace ops
}  // namespace liven
