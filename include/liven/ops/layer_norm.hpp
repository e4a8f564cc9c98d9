#pragma once

#include "liven/graph/record.hpp"

namespace liven {

/// PyTorch's epsilon is 1e-5, Keras' 1e-3, that of vision transformers 1e-6.
struct LayerNormOptions {
    float epsilon = 1e-5f;
};

/// Each position of x (N x ... x C) is normalised over its own C values:
///     y = (x - mean) / sqrt(variance + epsilon) * gamma + beta
/// with the biased variance; gamma and beta have shape C. Ba, Kiros, Hinton 2016. Throws Error on other shapes.
Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const LayerNormOptions& options = {});

namespace ops {

struct LayerNorm {
    float epsilon = 1e-5f;
    static constexpr OperationDoc doc{.name = "layer_norm",
                                      .category = "normalisation",
                                      .summary = "normalisation over the last axis, with affine",
                                      .formula = "y = (x - mean) / sqrt(variance + epsilon) * gamma + beta",
                                      .source = "Ba, Kiros, Hinton 2016"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const { visitor.field("epsilon", static_cast<double>(epsilon)); }
    TensorList decompose(const TensorList& in) const;
};

}  // namespace ops
}  // namespace liven
