#pragma once

#include "liven/graph/record.hpp"
#include "liven/graph/state.hpp"

/// Normalisations. Keras' epsilon is 1e-3, PyTorch's 1e-5: it is stored with the weights.
namespace liven {

struct BatchNormOptions {
    float epsilon = 1e-3f;
};

/// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta with the statistics of this batch over all axes but the
/// last; gamma and beta have shape C. `mean` and the biased `variance` come out too. Ioffe and Szegedy 2015.
struct BatchNormResult {
    Tensor y, mean, variance;
};
BatchNormResult batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                           const BatchNormOptions& options = {});

/// The same with given statistics: inference, or a frozen layer in training.
Tensor batch_norm_inference(const Tensor& x, const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                            const Tensor& variance, const BatchNormOptions& options = {});

namespace ops {

struct BatchNorm {
    float epsilon = 1e-3f;
    static constexpr OperationDoc doc{.name = "batch_norm",
                                      .category = "normalisation",
                                      .summary = "normalisation by the batch's statistics, with affine",
                                      .formula = "y = (x - mean) / sqrt(variance + epsilon) * gamma + beta",
                                      .source = "Ioffe and Szegedy 2015"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const { visitor.field("epsilon", static_cast<double>(epsilon)); }
    void vjp(Vjp& v) const;
    TensorList decompose(const TensorList& in) const;
};

struct BatchNormInference {
    float epsilon = 1e-3f;
    static constexpr OperationDoc doc{.name = "batch_norm_inference",
                                      .category = "normalisation",
                                      .summary = "normalisation by given statistics, with affine",
                                      .formula = "y = (x - mean) / sqrt(variance + epsilon) * gamma + beta",
                                      .source = "Ioffe and Szegedy 2015"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const { visitor.field("epsilon", static_cast<double>(epsilon)); }
    TensorList decompose(const TensorList& in) const;
};

}  // namespace ops
}  // namespace liven
