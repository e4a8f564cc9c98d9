#pragma once

#include "liven/core/attributes.hpp"
#include "liven/graph/record.hpp"

/// Pooling over the two middle axes of N x H x W x C.
namespace liven {

/// A stride of 0 means the window's size.
struct PoolOptions {
    Extent2d size = 2;
    Extent2d stride = 0;
    Padding2d padding{};
    bool ceil_mode = false;          ///< a last, partly outside window counts when it starts inside (PyTorch's rule)
    bool count_include_pad = false;  ///< average only
};
/// Largest value of each window; the first one in row-major order takes the gradient. Padding never wins.
Tensor max_pool(const Tensor& x, const PoolOptions& options = {});
/// Mean of each window.
Tensor avg_pool(const Tensor& x, const PoolOptions& options = {});
/// Means of size x size windows that cover the image evenly, whatever its extent, overlapping where it does not divide:
/// window i goes from floor(i H / size) to ceil((i + 1) H / size) (PyTorch's rule). N x H x W x C -> N x size x size x
/// C.
Tensor adaptive_avg_pool(const Tensor& x, int64_t size);
/// N x H x W x C -> N x C.
Tensor global_avg_pool(const Tensor& x);
Tensor global_max_pool(const Tensor& x);

namespace ops {

struct PoolFields : PoolAttributes {
    void fields(FieldVisitor& visitor) const;
};
struct MaxPool : PoolFields {
    static constexpr OperationDoc doc{.name = "max_pool",
                                      .category = "pooling",
                                      .summary = "largest value of each window",
                                      .formula = "y = max over window of x"};
    void infer(InputTypes in, OutputTypes& out) const;
    void vjp(Vjp& v) const;
};
/// src, diff_dst -> diff_src.
struct MaxPoolGrad : PoolFields {
    static constexpr OperationDoc doc{.name = "max_pool_grad",
                                      .category = "pooling",
                                      .summary = "gradient of max_pool",
                                      .formula = "diff_src[argmax] += diff_dst"};
    void infer(InputTypes in, OutputTypes& out) const;
    void vjp(Vjp& v) const;
};
/// src, t -> t at the place of each window's maximum of src.
struct MaxPoolPick : PoolFields {
    static constexpr OperationDoc doc{.name = "max_pool_pick",
                                      .category = "pooling",
                                      .summary = "another tensor at the places of max_pool's maxima",
                                      .formula = "y = t[argmax of x]"};
    void infer(InputTypes in, OutputTypes& out) const;
    void vjp(Vjp& v) const;
};
struct AvgPool : PoolFields {
    static constexpr OperationDoc doc{.name = "avg_pool",
                                      .category = "pooling",
                                      .summary = "mean of each window",
                                      .formula = "y = mean over window of x"};
    void infer(InputTypes in, OutputTypes& out) const;
    void vjp(Vjp& v) const;
};
struct AvgPoolGrad : PoolFields {
    int64_t height = 0, width = 0;
    static constexpr OperationDoc doc{.name = "avg_pool_grad",
                                      .category = "pooling",
                                      .summary = "gradient of avg_pool",
                                      .formula = "diff_src += diff_dst / count"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const;
    void vjp(Vjp& v) const;
};

}  // namespace ops
}  // namespace liven
