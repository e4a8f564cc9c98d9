#pragma once

#include "liven/graph/record.hpp"

namespace liven {

struct InstanceNormOptions {
    float epsilon = 1e-5f;
};

/// Each sample and channel of x (N x H x W x C, or any rank from 3 on) is normalised over its own pixels:
///     y = (x - mean) / sqrt(variance + epsilon) * gamma + beta
/// with the biased variance; gamma and beta have shape C. Ulyanov, Vedaldi, Lempitsky 2016. Throws Error on other
/// shapes.
Tensor instance_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, const InstanceNormOptions& options = {});

namespace ops {

struct InstanceNorm {
    float epsilon = 1e-5f;
    static constexpr OperationDoc doc{
        .name = "instance_norm",
        .category = "normalisation",
        .summary = "normalisation over the pixels of each sample and channel, with affine",
        .formula = "y = (x - mean) / sqrt(variance + epsilon) * gamma + beta",
        .source = "Ulyanov, Vedaldi, Lempitsky 2016"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const { visitor.field("epsilon", static_cast<double>(epsilon)); }
    TensorList decompose(const TensorList& in) const;
    void vjp(Vjp& v) const;
};

}  // namespace ops
}  // namespace liven
