#pragma once

#include "kernels/pointwise_math.hpp"
#include "kernels/program_view.hpp"

/// One vector loop for each opcode. dst may be any of the sources.
namespace liven::kernels {
namespace {

template <class F>
LIVEN_INLINE void map(float* dst, const float* a, int64_t n, F f) {
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) store(dst + i, f(load(a + i)));
    if (i < n) store_part(dst + i, f(load_part(a + i, n - i)), n - i);
}

template <class F>
LIVEN_INLINE void map(float* dst, const float* a, const float* b, int64_t n, F f) {
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) store(dst + i, f(load(a + i), load(b + i)));
    if (i < n) store_part(dst + i, f(load_part(a + i, n - i), load_part(b + i, n - i)), n - i);
}

template <class F>
LIVEN_INLINE void map(float* dst, const float* a, const float* b, const float* c, int64_t n, F f) {
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) store(dst + i, f(load(a + i), load(b + i), load(c + i)));
    if (i < n) {
        const int64_t rest = n - i;
        store_part(dst + i, f(load_part(a + i, rest), load_part(b + i, rest), load_part(c + i, rest)), rest);
    }
}

template <class F>
LIVEN_INLINE void map(float* dst, const float* a, const float* b, const float* c, const float* d, int64_t n, F f) {
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) store(dst + i, f(load(a + i), load(b + i), load(c + i), load(d + i)));
    if (i < n) {
        const int64_t rest = n - i;
        store_part(dst + i,
                   f(load_part(a + i, rest), load_part(b + i, rest), load_part(c + i, rest), load_part(d + i, rest)),
                   rest);
    }
}

LIVEN_INLINE vec one_where(mask m) { return select(m, splat(1.0f), zero()); }

/// Exponents of which multiplication gives the correctly rounded power.
inline void map_power(float* dst, const float* a, float exponent, int64_t n) {
    if (exponent == 2.0f) return map(dst, a, n, [](vec x) { return x * x; });
    if (exponent == -1.0f) return map(dst, a, n, [](vec x) { return splat(1.0f) / x; });
    map(dst, a, n, [exponent](vec x) { return pow_of(x, splat(exponent)); });
}

/// All opcodes but dropout. a, b and c are read as far as the opcode has operands.
inline void run_opcode(Opcode op, float* dst, const float* a, const float* b, const float* c, float imm0, float imm1,
                       int64_t n) {
    const vec v0 = splat(imm0), v1 = splat(imm1), one = splat(1.0f);
    switch (op) {
        case Opcode::copy:
            return map(dst, a, n, [](vec x) { return x; });
        case Opcode::neg:
            return map(dst, a, n, [](vec x) { return from_bits(bits_of(x) ^ ivec(INT32_MIN)); });
        case Opcode::exp:
            return map(dst, a, n, [](vec x) { return exp_of(x); });
        case Opcode::log:
            return map(dst, a, n, [](vec x) { return log_of(x); });
        case Opcode::sqrt:
            return map(dst, a, n, [](vec x) { return sqrt_of(x); });
        case Opcode::rsqrt:
            return map(dst, a, n, [=](vec x) { return one / sqrt_of(x); });
        case Opcode::reciprocal:
            return map(dst, a, n, [=](vec x) { return one / x; });
        case Opcode::abs:
            return map(dst, a, n, [](vec x) { return abs_of(x); });
        case Opcode::square:
            return map(dst, a, n, [](vec x) { return x * x; });
        case Opcode::sign:
            return map(dst, a, n, [=](vec x) { return select(x > zero(), one, select(x < zero(), splat(-1.0f), x)); });
        case Opcode::relu:
            return map(dst, a, n, [](vec x) { return max_of(zero(), x); });
        case Opcode::leaky_relu:
            return map(dst, a, n, [=](vec x) { return select(x > zero(), x, v0 * x); });
        case Opcode::tanh:
            return map(dst, a, n, [](vec x) { return tanh_of(x); });
        case Opcode::sigmoid:
            return map(dst, a, n, [](vec x) { return sigmoid_of(x); });
        case Opcode::softplus:
            return map(dst, a, n, [](vec x) { return softplus_of(x); });
        case Opcode::gelu:
            return map(dst, a, n, [](vec x) { return gelu_of(x); });
        case Opcode::gelu_grad:
            return map(dst, a, n, [](vec x) { return gelu_grad_of(x); });
        case Opcode::erf:
            return map(dst, a, n, [](vec x) { return erf_of(x); });
        case Opcode::quick_gelu:
            return map(dst, a, n, [](vec x) { return quick_gelu_of(x); });
        case Opcode::clamp:
            return map(dst, a, n, [=](vec x) { return min_of(v1, max_of(v0, x)); });
        case Opcode::pow_const:
            return map_power(dst, a, imm0, n);
        case Opcode::scale_const:
            return map(dst, a, n, [=](vec x) { return x * v0; });
        case Opcode::add_const:
            return map(dst, a, n, [=](vec x) { return x + v0; });
        case Opcode::positive:
            return map(dst, a, n, [](vec x) { return one_where(x > zero()); });
        case Opcode::is_finite:
            return map(dst, a, n, [](vec x) { return one_where(abs_of(x) < splat(infinity)); });
        case Opcode::add:
            return map(dst, a, b, n, [](vec x, vec y) { return x + y; });
        case Opcode::sub:
            return map(dst, a, b, n, [](vec x, vec y) { return x - y; });
        case Opcode::mul:
            return map(dst, a, b, n, [](vec x, vec y) { return x * y; });
        case Opcode::div:
            return map(dst, a, b, n, [](vec x, vec y) { return x / y; });
        // NaN on either side stays NaN.
        case Opcode::maximum:
            return map(dst, a, b, n, [](vec x, vec y) { return select(is_nan(x), x, max_of(x, y)); });
        case Opcode::minimum:
            return map(dst, a, b, n, [](vec x, vec y) { return select(is_nan(x), x, min_of(x, y)); });
        case Opcode::pow:
            return map(dst, a, b, n, [](vec x, vec y) { return pow_of(x, y); });
        case Opcode::greater:
            return map(dst, a, b, n, [](vec x, vec y) { return one_where(x > y); });
        case Opcode::equal:
            return map(dst, a, b, n, [](vec x, vec y) { return one_where(x == y); });
        case Opcode::leaky_step:
            return map(dst, a, b, n, [=](vec x, vec y) { return select(x > zero(), y, v0 * y); });
        case Opcode::mad:
            return map(dst, a, b, c, n, [](vec x, vec y, vec z) { return madd(x, y, z); });
        case Opcode::select:
            return map(dst, a, b, c, n, [](vec x, vec y, vec z) { return select(x == zero(), z, y); });
        case Opcode::dropout:
            return;  // needs the element's number: pointwise_dropout.hpp
    }
}

/// Merged instructions; each rounds where the instructions it stands for round.
inline void run_merged(const ViewInstruction& code, float* dst, const float* a, const float* b, const float* c,
                       const float* d, int64_t n) {
    const vec v0 = splat(code.imm0), v1 = splat(code.imm1);
    switch (code.merged) {
        case Merged::normalize:
            return map(dst, a, b, c, d, n, [](vec x, vec y, vec z, vec w) { return madd(x - y, z, w); });
        case Merged::add_scaled:
            return map(dst, a, b, n, [=](vec x, vec y) { return x * v0 + y * v1; });
        case Merged::add_scaled_square:
            return map(dst, a, b, n, [=](vec x, vec y) { return x * v0 + (y * y) * v1; });
        case Merged::shifted_root:
            return map(dst, a, b, n, [=](vec x, vec y) { return sqrt_of(x) * y + v0; });
        case Merged::minus_quotient:
            return map(dst, a, b, c, n, [](vec x, vec y, vec z) { return x - y / z; });
        case Merged::none:
            return;
    }
}

}  // namespace
}  // namespace liven::kernels
