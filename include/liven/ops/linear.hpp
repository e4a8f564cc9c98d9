#pragma once

#include "liven/core/attributes.hpp"
#include "liven/graph/record.hpp"

/// Matrix products.
namespace liven {

/// Which operands are taken transposed (their last two axes swapped).
struct MatmulOptions {
    bool transpose_a = false;
    bool transpose_b = false;
};
/// M x K times K x N, or a batch of them with equal leading axes; b may have rank 2 and serve the whole batch.
/// Throws Error when the inner extents differ.
Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options = {});
/// x W + bias: x N x I, W I x O, bias O.
Tensor dense(const Tensor& x, const Tensor& weights, const Tensor& bias);

namespace ops {

struct Matmul : MatmulAttributes {
    static constexpr OperationDoc doc{.name = "matmul",
                                      .category = "linear",
                                      .summary = "matrix product, batched over leading axes",
                                      .formula = "y[m, n] = sum a[m, k] b[k, n]"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const {
        visitor.field("transpose_a", static_cast<int64_t>(transpose_a));
        visitor.field("transpose_b", static_cast<int64_t>(transpose_b));
    }
    void vjp(Vjp& v) const;
    Cost cost(InputTypes in, InputTypes out) const;
};

/// |a' b|^2 without a' b: the sum of the products of two K x K Gram matrices. The planner asks for it where the
/// gradient of a dense layer is wanted for its norm and its update only; see src/plan/factor_norms.cpp.
struct ProductNorm {
    static constexpr OperationDoc doc{.name = "product_norm",
                                      .category = "linear",
                                      .summary = "squared Frobenius norm of a product whose inner extent is small",
                                      .formula = "y = sum[m, n] (sum[k] a[k, m] b[k, n])^2 = sum (a a') * (b b')"};
    void infer(InputTypes in, OutputTypes& out) const;
    void vjp(Vjp& v) const;
    Cost cost(InputTypes in, InputTypes out) const;
};

}  // namespace ops
}  // namespace liven
