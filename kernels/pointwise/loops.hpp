#pragma once

#include <utility>

#include "kernels/pointwise/formulas.hpp"

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

template <Opcode op>
LIVEN_INLINE void map_formula(float* dst, const float* a, [[maybe_unused]] const float* b,
                              [[maybe_unused]] const float* c, float imm0, float imm1, int64_t n) {
    const vec v0 = splat(imm0), v1 = splat(imm1);
    if constexpr (operands_of(op) == 1)
        map(dst, a, n, [=](vec x) { return formula<op>(x, x, x, v0, v1); });
    else if constexpr (operands_of(op) == 2)
        map(dst, a, b, n, [=](vec x, vec y) { return formula<op>(x, y, y, v0, v1); });
    else
        map(dst, a, b, c, n, [=](vec x, vec y, vec z) { return formula<op>(x, y, z, v0, v1); });
}

/// One opcode over n values. a, b and c are read as far as the opcode has operands.
template <Opcode op>
void run_loop(float* dst, const float* a, const float* b, const float* c, float imm0, float imm1, int64_t n) {
    if constexpr (op == Opcode::pow_const) {
        // Exponents of which multiplication gives the correctly rounded power.
        if (imm0 == 2.0f) return map_formula<Opcode::square>(dst, a, b, c, imm0, imm1, n);
        if (imm0 == -1.0f) return map_formula<Opcode::reciprocal>(dst, a, b, c, imm0, imm1, n);
    }
    map_formula<op>(dst, a, b, c, imm0, imm1, n);
}

using Loop = void (*)(float*, const float*, const float*, const float*, float, float, int64_t);

/// By opcode, all but dropout, which needs the element's number: pointwise_dropout.hpp.
struct Loops {
    Loop of[static_cast<int>(Opcode::dropout)];
};
template <int... op>
constexpr Loops loops_of(std::integer_sequence<int, op...>) {
    return {{run_loop<static_cast<Opcode>(op)>...}};
}
inline constexpr Loops loops = loops_of(std::make_integer_sequence<int, static_cast<int>(Opcode::dropout)>());

}  // namespace
}  // namespace liven::kernels
