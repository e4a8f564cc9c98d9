#pragma once

#include "liven/graph/record.hpp"

/// Losses between numbers of equal shape.
namespace liven {

/// What becomes of the losses of the elements.
enum class Reduction : uint8_t { mean, sum, none };

struct RegressionOptions {
    Reduction reduction = Reduction::mean;
    /// Weight of each element, of a shape that broadcasts to theirs (0 and 1: a mask). The mean then divides by the
    /// sum of the weights and is 0 when that is 0.
    Tensor weights = {};
};
/// (prediction - target)^2.
Tensor mse_loss(const Tensor& prediction, const Tensor& target, const RegressionOptions& options = {});
/// |prediction - target|.
Tensor l1_loss(const Tensor& prediction, const Tensor& target, const RegressionOptions& options = {});

struct HuberOptions {
    float delta = 1.0f;
    Reduction reduction = Reduction::mean;
    Tensor weights = {};
};
/// d^2 / 2 where |d| <= delta, delta * (|d| - delta / 2) beyond, d = prediction - target. Huber 1964.
Tensor huber_loss(const Tensor& prediction, const Tensor& target, const HuberOptions& options = {});

struct BinaryCrossEntropyOptions {
    Reduction reduction = Reduction::mean;
    Tensor weights = {};  ///< as in RegressionOptions
};
/// -t ln sigmoid(x) - (1 - t) ln(1 - sigmoid(x)) of logits x and targets t in [0, 1], computed as
/// max(x, 0) - x t + ln(1 + e^-|x|): no overflow, no log(0).
Tensor binary_cross_entropy(const Tensor& logits, const Tensor& targets, const BinaryCrossEntropyOptions& options = {});

namespace ops {

/// The losses of the elements.
struct BinaryCrossEntropy {
    static constexpr OperationDoc doc{.name = "binary_cross_entropy",
                                      .category = "loss",
                                      .summary = "cross entropy of logits against probabilities, an element each",
                                      .formula = "y = max(x, 0) - x t + ln(1 + e^-|x|)"};
    void infer(InputTypes in, OutputTypes& out) const;
    TensorList decompose(const TensorList& in) const;
    void vjp(Vjp& v) const;
};

}  // namespace ops
}  // namespace liven
