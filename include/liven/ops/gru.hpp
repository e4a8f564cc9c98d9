#pragma once

#include "liven/graph/record.hpp"

/// Gated recurrent unit over many steps. Cho et al. 2014; with the reset gate after the product, Chung et al. 2014 as
/// cuDNN, Keras and PyTorch compute it.
///     z = sigmoid(x W_z + b_z + h U_z + c_z)                  how much of the old state stays
///     r = sigmoid(x W_r + b_r + h U_r + c_r)                  how much of the old state the candidate sees
///     n = tanh(x W_n + b_n + r * (h U_n + c_n))               reset_after
///     n = tanh(x W_n + b_n + (r * h) U_n)                     otherwise
///     h' = z * h + (1 - z) * n
namespace liven {

/// The weights of I inputs and U units. The columns of the three gates stand side by side in the order z, r, n (which
/// Keras calls z, r, h), every product is y = x W. `gru_from_keras` and `gru_from_pytorch` bring others into this form.
struct GruWeights {
    Tensor kernel;            ///< I x 3U
    Tensor recurrent_kernel;  ///< U x 3U
    Tensor bias;              ///< 3U
    Tensor recurrent_bias;    ///< 3U; undefined without reset_after
};

struct GruOptions {
    bool reset_after = true;  ///< Keras' default and the only way of PyTorch
};

struct GruResult {
    Tensor states;  ///< N x T x U: after each step
    Tensor last;    ///< N x U: after the last
};
/// Runs the recurrence over x (N x T x I) from the state h (N x U). The input's products of all steps are one matrix
/// product. Throws Error when the shapes do not fit or recurrent_bias and reset_after disagree.
GruResult gru(const Tensor& x, const Tensor& h, const GruWeights& weights, const GruOptions& options = {});

/// From Keras' arrays: kernel I x 3U, recurrent_kernel U x 3U, bias 2 x 3U (reset_after) or 3U.
GruWeights gru_from_keras(const Tensor& kernel, const Tensor& recurrent_kernel, const Tensor& bias);
/// From PyTorch's arrays: weight_ih 3U x I, weight_hh 3U x U, biases 3U, rows in the order r, z, n.
GruWeights gru_from_pytorch(const Tensor& weight_ih, const Tensor& weight_hh, const Tensor& bias_ih,
                            const Tensor& bias_hh);

namespace ops {

/// x, h, kernel, recurrent_kernel, bias[, recurrent_bias] -> states, last.
struct Gru {
    bool reset_after = true;
    static constexpr OperationDoc doc{.name = "gru",
                                      .category = "recurrent",
                                      .summary = "gated recurrent unit over many steps",
                                      .formula = "h' = z h + (1 - z) tanh(x W + r (h U + c))",
                                      .source = "Cho et al. 2014"};
    void infer(InputTypes in, OutputTypes& out) const;
    void fields(FieldVisitor& visitor) const { visitor.field("reset_after", static_cast<int64_t>(reset_after)); }
    TensorList decompose(const TensorList& in) const;
    /// Back through time; the weights' gradients of all steps are one matrix product each.
    void vjp(Vjp& v) const;
    Cost cost(InputTypes in, InputTypes out) const;
};

}  // namespace ops
}  // namespace liven
