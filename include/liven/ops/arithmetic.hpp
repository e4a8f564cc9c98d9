#pragma once

#include "liven/core/attributes.hpp"
#include "liven/graph/record.hpp"
#include "liven/ops/shape.hpp"

/// Elementwise arithmetic with NumPy's broadcasting: shapes are aligned at the last axis, extents of 1 stretch.
namespace liven {

Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a);
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
/// 1 where the comparison holds, else 0; no gradient.
Tensor greater(const Tensor& a, const Tensor& b);
Tensor equal(const Tensor& a, const Tensor& b);
Tensor positive(const Tensor& a);
Tensor is_finite(const Tensor& a);
/// a * b + c with one rounding.
Tensor mad(const Tensor& a, const Tensor& b, const Tensor& c);
/// condition != 0 ? a : b.
Tensor select(const Tensor& condition, const Tensor& a, const Tensor& b);

Tensor exp(const Tensor& a);
Tensor log(const Tensor& a);
Tensor sqrt(const Tensor& a);
/// 1 / sqrt(a).
Tensor rsqrt(const Tensor& a);
Tensor reciprocal(const Tensor& a);
Tensor square(const Tensor& a);
Tensor abs(const Tensor& a);
/// -1, 0 or 1; no gradient.
Tensor sign(const Tensor& a);
Tensor erf(const Tensor& a);
/// a ^ exponent, the exponent part of the structure.
Tensor pow(const Tensor& a, float exponent);
/// a ^ b for positive a.
Tensor pow(const Tensor& a, const Tensor& b);
/// min(max(a, low), high); the gradient passes where low <= a <= high.
Tensor clamp(const Tensor& a, float low, float high);
/// a * factor and a + term, with constants that are part of the structure (a float operand would be an input of the
/// plan).
Tensor scale(const Tensor& a, float factor);
Tensor shift(const Tensor& a, float term);

namespace ops {

/// One operand, the same shape out.
struct Unary {
    static constexpr bool pointwise = true;
    void infer(InputTypes in, OutputTypes& out) const { out.push_back({.shape = in[0]->shape}); }
};

/// Operands that broadcast against each other.
struct Broadcasting {
    static constexpr bool pointwise = true;
    void infer(InputTypes in, OutputTypes& out) const {
        Shape shape = in[0]->shape;
        for (const TensorType* type : in) shape = liven::broadcast("elementwise operation", shape, type->shape);
        out.push_back({.shape = shape});
    }
};

/// A gradient for input i that undoes the input's broadcast.
inline void contribute_broadcast(Vjp& v, size_t i, const Tensor& gradient) {
    v.contribute(i, sum_to(gradient, v.input(i).shape()));
}

struct Add : Broadcasting {
    static constexpr OperationDoc doc{
        .name = "add", .category = "arithmetic", .summary = "sum", .formula = "y = a + b"};
    void vjp(Vjp& v) const {
        if (v.wants(0)) contribute_broadcast(v, 0, v.gradient());
        if (v.wants(1)) contribute_broadcast(v, 1, v.gradient());
    }
};
struct Sub : Broadcasting {
    static constexpr OperationDoc doc{
        .name = "sub", .category = "arithmetic", .summary = "difference", .formula = "y = a - b"};
    void vjp(Vjp& v) const {
        if (v.wants(0)) contribute_broadcast(v, 0, v.gradient());
        if (v.wants(1)) contribute_broadcast(v, 1, -v.gradient());
    }
};
struct Mul : Broadcasting {
    static constexpr OperationDoc doc{
        .name = "mul", .category = "arithmetic", .summary = "product", .formula = "y = a * b"};
    void vjp(Vjp& v) const {
        if (v.wants(0)) contribute_broadcast(v, 0, v.gradient() * v.input(1));
        if (v.wants(1)) contribute_broadcast(v, 1, v.gradient() * v.input(0));
    }
};
struct Div : Broadcasting {
    static constexpr OperationDoc doc{
        .name = "div", .category = "arithmetic", .summary = "quotient", .formula = "y = a / b"};
    void vjp(Vjp& v) const {
        const Tensor per_a = v.gradient() / v.input(1);
        if (v.wants(0)) contribute_broadcast(v, 0, per_a);
        if (v.wants(1)) contribute_broadcast(v, 1, -(per_a * v.output()));
    }
};
struct Maximum : Broadcasting {
    static constexpr OperationDoc doc{.name = "maximum",
                                      .category = "arithmetic",
                                      .summary = "the larger operand; at ties the gradient goes to b",
                                      .formula = "y = max(a, b)"};
    void vjp(Vjp& v) const {
        const Tensor first = greater(v.input(0), v.input(1));
        if (v.wants(0)) contribute_broadcast(v, 0, v.gradient() * first);
        if (v.wants(1)) contribute_broadcast(v, 1, v.gradient() * shift(-first, 1.0f));
    }
};
struct Minimum : Broadcasting {
    static constexpr OperationDoc doc{.name = "minimum",
                                      .category = "arithmetic",
                                      .summary = "the smaller operand; at ties the gradient goes to b",
                                      .formula = "y = min(a, b)"};
    void vjp(Vjp& v) const {
        const Tensor first = greater(v.input(1), v.input(0));
        if (v.wants(0)) contribute_broadcast(v, 0, v.gradient() * first);
        if (v.wants(1)) contribute_broadcast(v, 1, v.gradient() * shift(-first, 1.0f));
    }
};
struct Power : Broadcasting {
    static constexpr OperationDoc doc{
        .name = "pow", .category = "arithmetic", .summary = "power of a positive base", .formula = "y = a ^ b"};
    void vjp(Vjp& v) const {
        if (v.wants(0))
            contribute_broadcast(v, 0, v.gradient() * v.input(1) * liven::pow(v.input(0), shift(v.input(1), -1.0f)));
        if (v.wants(1)) contribute_broadcast(v, 1, v.gradient() * v.output() * log(v.input(0)));
    }
};
struct Greater : Broadcasting {
    static constexpr OperationDoc doc{
        .name = "greater", .category = "comparison", .summary = "1 where a > b, else 0", .formula = "y = a > b"};
    void vjp(Vjp&) const {}
};
struct Equal : Broadcasting {
    static constexpr OperationDoc doc{
        .name = "equal", .category = "comparison", .summary = "1 where a = b, else 0", .formula = "y = a == b"};
    void vjp(Vjp&) const {}
};
struct Positive : Unary {
    static constexpr OperationDoc doc{
        .name = "positive", .category = "comparison", .summary = "1 where a > 0, else 0", .formula = "y = a > 0"};
    void vjp(Vjp&) const {}
};
struct IsFinite : Unary {
    static constexpr OperationDoc doc{.name = "is_finite",
                                      .category = "comparison",
                                      .summary = "1 for numbers, 0 for NaN and infinities",
                                      .formula = "y = |a| < inf"};
    void vjp(Vjp&) const {}
};
struct Select : Broadcasting {
    static constexpr OperationDoc doc{.name = "select",
                                      .category = "comparison",
                                      .summary = "one of two values by a condition",
                                      .formula = "y = c != 0 ? a : b"};
    void vjp(Vjp& v) const {
        const Tensor none = Tensor::zeros({});
        if (v.wants(1)) contribute_broadcast(v, 1, select(v.input(0), v.gradient(), none));
        if (v.wants(2)) contribute_broadcast(v, 2, select(v.input(0), none, v.gradient()));
    }
};
struct Mad : Broadcasting {
    static constexpr OperationDoc doc{.name = "mad",
                                      .category = "arithmetic",
                                      .summary = "multiply and add, rounded once",
                                      .formula = "y = a * b + c"};
    void vjp(Vjp& v) const {
        if (v.wants(0)) contribute_broadcast(v, 0, v.gradient() * v.input(1));
        if (v.wants(1)) contribute_broadcast(v, 1, v.gradient() * v.input(0));
        if (v.wants(2)) contribute_broadcast(v, 2, v.gradient());
    }
};

struct Neg : Unary {
    static constexpr OperationDoc doc{
        .name = "neg", .category = "arithmetic", .summary = "negative", .formula = "y = -a"};
    void vjp(Vjp& v) const { v.contribute(0, -v.gradient()); }
};
struct Exp : Unary {
    static constexpr OperationDoc doc{
        .name = "exp", .category = "arithmetic", .summary = "exponential", .formula = "y = e^a"};
    void vjp(Vjp& v) const { v.contribute(0, v.gradient() * v.output()); }
};
struct Log : Unary {
    static constexpr OperationDoc doc{
        .name = "log", .category = "arithmetic", .summary = "natural logarithm", .formula = "y = ln a"};
    void vjp(Vjp& v) const { v.contribute(0, v.gradient() / v.input(0)); }
};
struct Sqrt : Unary {
    static constexpr OperationDoc doc{
        .name = "sqrt", .category = "arithmetic", .summary = "square root", .formula = "y = a^0.5"};
    void vjp(Vjp& v) const { v.contribute(0, scale(v.gradient() / v.output(), 0.5f)); }
};
struct Rsqrt : Unary {
    static constexpr OperationDoc doc{
        .name = "rsqrt", .category = "arithmetic", .summary = "reciprocal square root", .formula = "y = a^-0.5"};
    void vjp(Vjp& v) const { v.contribute(0, scale(v.gradient() * v.output() / v.input(0), -0.5f)); }
};
struct Reciprocal : Unary {
    static constexpr OperationDoc doc{
        .name = "reciprocal", .category = "arithmetic", .summary = "reciprocal", .formula = "y = 1 / a"};
    void vjp(Vjp& v) const { v.contribute(0, -(v.gradient() * square(v.output()))); }
};
struct Square : Unary {
    static constexpr OperationDoc doc{
        .name = "square", .category = "arithmetic", .summary = "square", .formula = "y = a^2"};
    void vjp(Vjp& v) const { v.contribute(0, scale(v.gradient() * v.input(0), 2.0f)); }
};
struct Abs : Unary {
    static constexpr OperationDoc doc{
        .name = "abs", .category = "arithmetic", .summary = "absolute value; gradient 0 at 0", .formula = "y = |a|"};
    void vjp(Vjp& v) const { v.contribute(0, v.gradient() * sign(v.input(0))); }
};
struct Sign : Unary {
    static constexpr OperationDoc doc{
        .name = "sign", .category = "arithmetic", .summary = "-1, 0 or 1", .formula = "y = sgn a"};
    void vjp(Vjp&) const {}
};
struct Erf : Unary {
    static constexpr OperationDoc doc{.name = "erf",
                                      .category = "arithmetic",
                                      .summary = "error function",
                                      .formula = "y = 2/sqrt(pi) * integral_0^a e^(-t^2) dt"};
    void vjp(Vjp& v) const { v.contribute(0, scale(v.gradient() * exp(-square(v.input(0))), 1.1283791670955126f)); }
};

/// Elementwise operations with constants of the structure.
struct UnaryWithConstants : Unary, PointwiseAttributes {
    void fields(FieldVisitor& visitor) const {
        visitor.field("imm0", static_cast<double>(imm0));
        visitor.field("imm1", static_cast<double>(imm1));
    }
};
template <class Op>
Op with_constants(float imm0, float imm1 = 0) {
    Op op;
    op.imm0 = imm0;
    op.imm1 = imm1;
    return op;
}

struct PowConst : UnaryWithConstants {
    static constexpr OperationDoc doc{.name = "pow_const",
                                      .category = "arithmetic",
                                      .summary = "power with a fixed exponent",
                                      .formula = "y = a ^ imm0"};
    void vjp(Vjp& v) const { v.contribute(0, scale(v.gradient() * liven::pow(v.input(0), imm0 - 1.0f), imm0)); }
};
struct ScaleConst : UnaryWithConstants {
    static constexpr OperationDoc doc{.name = "scale_const",
                                      .category = "arithmetic",
                                      .summary = "product with a fixed factor",
                                      .formula = "y = a * imm0"};
    void vjp(Vjp& v) const { v.contribute(0, scale(v.gradient(), imm0)); }
};
struct AddConst : UnaryWithConstants {
    static constexpr OperationDoc doc{
        .name = "add_const", .category = "arithmetic", .summary = "sum with a fixed term", .formula = "y = a + imm0"};
    void vjp(Vjp& v) const { v.contribute(0, v.gradient()); }
};
struct Clamp : UnaryWithConstants {
    static constexpr OperationDoc doc{.name = "clamp",
                                      .category = "arithmetic",
                                      .summary = "bounded from below and above",
                                      .formula = "y = min(max(a, imm0), imm1)"};
    void vjp(Vjp& v) const {
        const Tensor inside = equal(v.input(0), v.output());
        v.contribute(0, v.gradient() * inside);
    }
};

/// A moving average's next value.
struct ExponentialAverage {
    float momentum = 0.99f, scale = 1.0f;
    static constexpr OperationDoc doc{.name = "exponential_average",
                                      .category = "update",
                                      .summary = "one step of an exponential moving average",
                                      .formula = "y = momentum * state + (1 - momentum) * scale * x"};
    void infer(InputTypes in, OutputTypes& out) const { out.push_back(*in[0]); }
    void fields(FieldVisitor& visitor) const {
        visitor.field("momentum", static_cast<double>(momentum));
        visitor.field("scale", static_cast<double>(scale));
    }
    TensorList decompose(const TensorList& in) const {
        return {liven::scale(in[0], momentum) + reshape(liven::scale(in[1], (1.0f - momentum) * scale), in[0].shape())};
    }
};

}  // namespace ops

inline Tensor operator+(const Tensor& a, const Tensor& b) { return apply(ops::Add{}, {a, b}); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return apply(ops::Sub{}, {a, b}); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return apply(ops::Mul{}, {a, b}); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return apply(ops::Div{}, {a, b}); }
inline Tensor operator-(const Tensor& a) { return apply(ops::Neg{}, {a}); }
inline Tensor maximum(const Tensor& a, const Tensor& b) { return apply(ops::Maximum{}, {a, b}); }
inline Tensor minimum(const Tensor& a, const Tensor& b) { return apply(ops::Minimum{}, {a, b}); }
inline Tensor greater(const Tensor& a, const Tensor& b) { return apply(ops::Greater{}, {a, b}); }
inline Tensor equal(const Tensor& a, const Tensor& b) { return apply(ops::Equal{}, {a, b}); }
inline Tensor positive(const Tensor& a) { return apply(ops::Positive{}, {a}); }
inline Tensor is_finite(const Tensor& a) { return apply(ops::IsFinite{}, {a}); }
inline Tensor mad(const Tensor& a, const Tensor& b, const Tensor& c) { return apply(ops::Mad{}, {a, b, c}); }
inline Tensor select(const Tensor& condition, const Tensor& a, const Tensor& b) {
    return apply(ops::Select{}, {condition, a, b});
}
inline Tensor exp(const Tensor& a) { return apply(ops::Exp{}, {a}); }
inline Tensor log(const Tensor& a) { return apply(ops::Log{}, {a}); }
inline Tensor sqrt(const Tensor& a) { return apply(ops::Sqrt{}, {a}); }
inline Tensor rsqrt(const Tensor& a) { return apply(ops::Rsqrt{}, {a}); }
inline Tensor reciprocal(const Tensor& a) { return apply(ops::Reciprocal{}, {a}); }
inline Tensor square(const Tensor& a) { return apply(ops::Square{}, {a}); }
inline Tensor abs(const Tensor& a) { return apply(ops::Abs{}, {a}); }
inline Tensor sign(const Tensor& a) { return apply(ops::Sign{}, {a}); }
inline Tensor erf(const Tensor& a) { return apply(ops::Erf{}, {a}); }
inline Tensor pow(const Tensor& a, float exponent) { return apply(ops::with_constants<ops::PowConst>(exponent), {a}); }
inline Tensor pow(const Tensor& a, const Tensor& b) { return apply(ops::Power{}, {a, b}); }
inline Tensor clamp(const Tensor& a, float low, float high) {
    return apply(ops::with_constants<ops::Clamp>(low, high), {a});
}
inline Tensor scale(const Tensor& a, float factor) { return apply(ops::with_constants<ops::ScaleConst>(factor), {a}); }
inline Tensor shift(const Tensor& a, float term) { return apply(ops::with_constants<ops::AddConst>(term), {a}); }

}  // namespace liven
