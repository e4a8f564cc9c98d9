#pragma once

#include "liven/ops/arithmetic.hpp"

/// Activations.
namespace liven {

/// max(a, 0).
Tensor relu(const Tensor& a);
/// a where a > 0, slope * a elsewhere. Keras' layer uses 0.3, AttackNet 0.2, PyTorch 0.01.
Tensor leaky_relu(const Tensor& a, float slope = 0.2f);
/// Leaky ReLU with a learned slope, one a channel (shape C) or one for all (shape 1). He et al. 2015.
Tensor prelu(const Tensor& a, const Tensor& slope);
Tensor tanh(const Tensor& a);
/// 1 / (1 + e^-a).
Tensor sigmoid(const Tensor& a);
/// ln(1 + e^a), without overflow.
Tensor softplus(const Tensor& a);
/// a * Phi(a) with the normal distribution's Phi, by erf. Hendrycks and Gimpel 2016.
Tensor gelu(const Tensor& a);

namespace ops {

/// The common gradient of relu and leaky_relu: dy where y > 0, slope * dy elsewhere. The sign of the *output* decides,
/// so nothing but the output needs to be kept.
struct LeakyStep : Broadcasting, PointwiseAttributes {
    static constexpr OperationDoc doc{.name = "leaky_step",
                                      .category = "activation",
                                      .summary = "gradient of (leaky) relu",
                                      .formula = "z = (y > 0 ? 1 : imm0) * dy"};
    void fields(FieldVisitor& visitor) const { visitor.field("imm0", static_cast<double>(imm0)); }
    void vjp(Vjp& v) const {
        if (v.wants(1)) contribute_broadcast(v, 1, apply(*this, {v.input(0), v.gradient()}));
    }
};
inline Tensor leaky_step(const Tensor& y, const Tensor& gradient, float slope) {
    return apply(with_constants<LeakyStep>(slope), {y, gradient});
}

struct Relu : Unary {
    static constexpr OperationDoc doc{
        .name = "relu", .category = "activation", .summary = "rectifier", .formula = "y = max(a, 0)"};
    void vjp(Vjp& v) const { v.contribute(0, leaky_step(v.output(), v.gradient(), 0.0f)); }
};
struct LeakyRelu : UnaryWithConstants {
    static constexpr OperationDoc doc{.name = "leaky_relu",
                                      .category = "activation",
                                      .summary = "rectifier with a slope for negative values",
                                      .formula = "y = a > 0 ? a : imm0 * a",
                                      .source = "Maas et al. 2013"};
    void vjp(Vjp& v) const {
        // A slope of 0 or less loses the sign in the output; the input still has it.
        const Tensor sign_bearer = imm0 > 0.0f ? v.output() : v.input(0);
        v.contribute(0, leaky_step(sign_bearer, v.gradient(), imm0));
    }
};
struct Tanh : Unary {
    static constexpr OperationDoc doc{
        .name = "tanh", .category = "activation", .summary = "hyperbolic tangent", .formula = "y = tanh a"};
    void vjp(Vjp& v) const { v.contribute(0, v.gradient() * shift(-square(v.output()), 1.0f)); }
};
struct Sigmoid : Unary {
    static constexpr OperationDoc doc{
        .name = "sigmoid", .category = "activation", .summary = "logistic function", .formula = "y = 1 / (1 + e^-a)"};
    void vjp(Vjp& v) const { v.contribute(0, v.gradient() * v.output() * shift(-v.output(), 1.0f)); }
};
struct Softplus : Unary {
    static constexpr OperationDoc doc{
        .name = "softplus", .category = "activation", .summary = "smooth rectifier", .formula = "y = ln(1 + e^a)"};
    void vjp(Vjp& v) const { v.contribute(0, v.gradient() * sigmoid(v.input(0))); }
};

/// Phi(a) + a * phi(a).
struct GeluGrad : Unary {
    static constexpr OperationDoc doc{.name = "gelu_grad",
                                      .category = "activation",
                                      .summary = "derivative of gelu",
                                      .formula = "y = Phi(a) + a phi(a)"};
    void vjp(Vjp& v) const {
        const Tensor a = v.input(0);
        const Tensor density = scale(exp(scale(square(a), -0.5f)), 0.3989422804014327f);
        v.contribute(0, v.gradient() * density * shift(-square(a), 2.0f));
    }
};
struct Gelu : Unary {
    static constexpr OperationDoc doc{.name = "gelu",
                                      .category = "activation",
                                      .summary = "Gaussian error linear unit",
                                      .formula = "y = a * Phi(a)",
                                      .source = "Hendrycks and Gimpel 2016"};
    void vjp(Vjp& v) const { v.contribute(0, v.gradient() * apply(GeluGrad{}, {v.input(0)})); }
};
struct Prelu : Broadcasting {
    static constexpr OperationDoc doc{.name = "prelu",
                                      .category = "activation",
                                      .summary = "leaky relu with a learned slope",
                                      .formula = "y = max(a, 0) + slope * min(a, 0)",
                                      .source = "He et al. 2015"};
    static constexpr bool pointwise = false;  // it decomposes
    TensorList decompose(const TensorList& in) const { return {liven::relu(in[0]) - in[1] * liven::relu(-in[0])}; }
};

}  // namespace ops

inline Tensor relu(const Tensor& a) { return apply(ops::Relu{}, {a}); }
inline Tensor leaky_relu(const Tensor& a, float slope) {
    return apply(ops::with_constants<ops::LeakyRelu>(slope), {a});
}
inline Tensor prelu(const Tensor& a, const Tensor& slope) { return apply(ops::Prelu{}, {a, slope}); }
inline Tensor tanh(const Tensor& a) { return apply(ops::Tanh{}, {a}); }
inline Tensor sigmoid(const Tensor& a) { return apply(ops::Sigmoid{}, {a}); }
inline Tensor softplus(const Tensor& a) { return apply(ops::Softplus{}, {a}); }
inline Tensor gelu(const Tensor& a) { return apply(ops::Gelu{}, {a}); }

}  // namespace liven
