#pragma once

#include "kernels/pointwise/math.hpp"
#include "kernels/program.hpp"

/// What each opcode does with one vector of each operand. The loops over a whole tile and the chains of instructions
/// both take it from here, so that a value has the same bits on either way.
namespace liven::kernels {
namespace {

LIVEN_INLINE vec one_where(mask m) { return select(m, splat(1.0f), zero()); }

/// v0 and v1 are the immediates in every lane. Operands that the opcode does not have are ignored. Not for dropout.
template <Opcode op>
LIVEN_INLINE vec formula(vec x, [[maybe_unused]] vec y, [[maybe_unused]] vec z, [[maybe_unused]] vec v0,
                         [[maybe_unused]] vec v1) {
    using enum Opcode;
    if constexpr (op == copy || op == widen) return x;
    if constexpr (op == neg) return from_bits(bits_of(x) ^ ivec(INT32_MIN));
    if constexpr (op == exp) return exp_of(x);
    if constexpr (op == log) return log_of(x);
    if constexpr (op == sqrt) return sqrt_of(x);
    if constexpr (op == rsqrt) return splat(1.0f) / sqrt_of(x);
    if constexpr (op == reciprocal) return splat(1.0f) / x;
    if constexpr (op == abs) return abs_of(x);
    if constexpr (op == square) return x * x;
    if constexpr (op == sign)
        return kernels::select(x > zero(), splat(1.0f), kernels::select(x < zero(), splat(-1.0f), x));
    if constexpr (op == relu) return max_of(zero(), x);
    if constexpr (op == leaky_relu) return kernels::select(x > zero(), x, v0 * x);
    if constexpr (op == tanh) return tanh_of(x);
    if constexpr (op == sigmoid) return sigmoid_of(x);
    if constexpr (op == softplus) return softplus_of(x);
    if constexpr (op == gelu) return gelu_of(x);
    if constexpr (op == gelu_grad) return gelu_grad_of(x);
    if constexpr (op == erf) return erf_of(x);
    if constexpr (op == quick_gelu) return quick_gelu_of(x);
    if constexpr (op == clamp) return min_of(v1, max_of(v0, x));
    if constexpr (op == pow_const) return pow_of(x, v0);
    if constexpr (op == scale_const) return x * v0;
    if constexpr (op == add_const) return x + v0;
    if constexpr (op == positive) return one_where(x > zero());
    if constexpr (op == is_finite) return one_where(abs_of(x) < splat(infinity));
    if constexpr (op == add) return x + y;
    if constexpr (op == sub) return x - y;
    if constexpr (op == mul) return x * y;
    if constexpr (op == div) return x / y;
    // NaN on either side stays NaN.
    if constexpr (op == maximum) return kernels::select(is_nan(x), x, max_of(x, y));
    if constexpr (op == minimum) return kernels::select(is_nan(x), x, min_of(x, y));
    if constexpr (op == pow) return pow_of(x, y);
    if constexpr (op == greater) return one_where(x > y);
    if constexpr (op == equal) return one_where(x == y);
    if constexpr (op == leaky_step) return kernels::select(x > zero(), y, v0 * y);
    if constexpr (op == mad) return madd(x, y, z);
    if constexpr (op == Opcode::select) return kernels::select(x == zero(), z, y);
}

}  // namespace
}  // namespace liven::kernels
