#pragma once

#include <limits>

#include "kernels/simd.hpp"

/// Elementary functions on vectors. Polynomials are minimax fits made for Liven (weighted least squares iterated to
/// equal ripple); each is written so that infinities, NaN, zeros and denormals come out as the C library has them.
/// Largest errors against double over a dense sweep, in units in the last place (tests/kernels/opcode_test.cpp holds
/// them):
///
///     exp 1   log 1   tanh 1.5   sigmoid 2.5   softplus 2   erf 2.5   gelu 6.5   quick_gelu 3.5   pow 0.51
///
/// and 3e-7 absolute for gelu_grad, which has a zero. With flush-to-zero set, as in every plan run, denormal results
/// are zero; without, gelu and quick_gelu are good to 1e-43 where a denormal takes part. The bounds hold without FMA
/// too.
namespace liven::kernels {
namespace {

inline constexpr float infinity = std::numeric_limits<float>::infinity();
inline constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

LIVEN_INLINE vec horner(vec, vec sum) { return sum; }
/// sum * x + c, and so on: the coefficients from the highest power down.
template <class... Rest>
LIVEN_INLINE vec horner(vec x, vec sum, float c, Rest... rest) {
    return horner(x, madd(sum, x, splat(c)), rest...);
}

/// y * 2^n for integral n in [-252, 254], rounded once.
LIVEN_INLINE vec scale_by_power(vec y, vec n) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_scalef_ps(y, n);
#else
    // Two factors, since 2^n alone may be outside the normal numbers.
    const ivec whole = round_to_int(n), half = whole >> 1;
    const ivec bias(127);
    return y * from_bits((half + bias) << 23) * from_bits((whole - half + bias) << 23);
#endif
}

/// e^x = 2^n e^r, |r| <= ln 2 / 2.
LIVEN_INLINE vec exp_of(vec x) {
    const vec bounded = min_of(splat(89.0f), max_of(splat(-104.0f), x));  // this order lets NaN through
    const vec magic = splat(12582912.0f);                                 // 1.5 * 2^23: adding it rounds to an integer
    const vec n = madd(bounded, splat(1.44269504f), magic) - magic;
    const vec r = nmadd(n, splat(-2.12194440e-4f), nmadd(n, splat(0.693359375f), bounded));
    const vec q = horner(r, splat(0.00138144661f), 0.00836878052f, 0.0416683942f, 0.166665205f, 0.499999934f);
    return scale_by_power(madd(r * r, q, r) + splat(1.0f), n);
}

/// log x = e log 2 + log(1 + f), 1 + f in [sqrt 1/2, sqrt 2).
LIVEN_INLINE vec log_of(vec x) {
    const mask small = x < splat(std::numeric_limits<float>::min());
    const ivec bits = bits_of(select(small, x * splat(0x1p23f), x));
    const ivec offset(0x3f3504f3);  // sqrt 1/2
    const ivec exponent = (bits - offset) >> 23;
    const vec f = from_bits(bits - (exponent << 23)) - splat(1.0f);
    const vec e = to_float(exponent) - select(small, splat(23.0f), zero());
    const vec q = horner(f, splat(-0.076345050f), 0.127615904f, -0.131601855f, 0.14201757f, -0.166233569f, 0.200012269f,
                         -0.25000821f, 0.333333317f);
    const vec square = f * f;
    const vec tail = nmadd(splat(0.5f), square, madd(square * f, q, e * splat(-2.12194440e-4f)));
    vec y = madd(e, splat(0.693359375f), f + tail);
    y = select(x == zero(), splat(-infinity), y);
    y = select(x == splat(infinity), x, y);
    return select(x >= zero(), y, splat(not_a_number));
}

/// log(1 + e) for 0 <= e <= 1: what rounding 1 + e lost is added back to first order.
LIVEN_INLINE vec log1p_of_unit(vec e) {
    const vec one = splat(1.0f), u = one + e;
    return log_of(u) + (e - (u - one)) / u;
}

LIVEN_INLINE vec tanh_of(vec x) {
    const vec magnitude = abs_of(x), square = x * x;
    const vec q = horner(square, splat(-0.00570498232f), 0.0206390832f, -0.0537397139f, 0.133314422f, -0.333332819f);
    const vec near = madd(x * square, q, x);
    const vec far = splat(1.0f) - splat(2.0f) / (exp_of(magnitude + magnitude) + splat(1.0f));
    return select(magnitude < splat(0.625f), near, with_sign(far, x));
}

/// 1 / (1 + e^-x) without the overflow: e^-|x| is at most 1.
LIVEN_INLINE vec sigmoid_of(vec x) {
    const vec one = splat(1.0f);
    const vec e = exp_of(from_bits(bits_of(x) | ivec(INT32_MIN)));
    return select(x < zero(), e, one) / (one + e);
}

LIVEN_INLINE vec softplus_of(vec x) {
    return max_of(zero(), x) + log1p_of_unit(exp_of(from_bits(bits_of(x) | ivec(INT32_MIN))));
}

/// What rounding x * x to `square` lost, so that e^(-x^2) keeps its digits far out.
LIVEN_INLINE vec square_error(vec x, vec square) {
#if defined(LIVEN_ISA_avx512) || defined(LIVEN_ISA_avx2)
    return madd(x, x, zero() - square);
#else
    const vec high = from_bits(bits_of(x) & ivec(-4096)), low = x - high;  // Dekker: products of halves are exact
    return (high * high - square) + (high + high) * low + low * low;
#endif
}

/// e^(-factor x^2) for |x| <= 15.
LIVEN_INLINE vec exp_of_minus_square(vec x, float factor) {
    const vec square = x * x;
    const vec e = exp_of(splat(-factor) * square);
    return nmadd(e * splat(factor), square_error(x, square), e);
}

/// e^(z^2) erfc(z) for 0 <= z <= 11, as t times a polynomial in t = 1 / (1 + 0.35 z).
LIVEN_INLINE vec scaled_erfc(vec z) {
    const vec t = splat(1.0f) / madd(z, splat(0.35f), splat(1.0f));
    return t * horner(t, splat(0.0396677479f), -0.165985107f, 0.198524848f, -0.0511681736f, 0.107197888f, 0.134805948f,
                      0.15522933f, 0.186997399f, 0.197252527f, 0.197477594f);
}

LIVEN_INLINE vec erf_of(vec x) {
    const vec square = x * x;
    const vec near = x * horner(square, splat(7.85386174e-05f), -0.00080101942f, 0.00518832782f, -0.0268538121f,
                                0.112835852f, -0.376126258f, 1.12837917f);
    const vec z = min_of(splat(5.0f), abs_of(x));  // erf(4) is 1 already; the order lets NaN through
    const vec far = splat(1.0f) - exp_of_minus_square(z, 1.0f) * scaled_erfc(z);
    return select(abs_of(x) < splat(1.0f), near, with_sign(far, x));
}

struct Normal {
    vec distribution;  ///< Phi(x)
    vec kernel;        ///< e^(-x^2 / 2)
};

/// The normal distribution for |x| <= 15, with relative accuracy in its lower tail.
LIVEN_INLINE Normal normal_of(vec x) {
    const vec kernel = exp_of_minus_square(x, 0.5f);
    const vec tail = splat(0.5f) * kernel * scaled_erfc(abs_of(x) * splat(0.707106781f));
    return {select(x < zero(), tail, splat(1.0f) - tail), kernel};
}

/// x Phi(x): the erf form.
LIVEN_INLINE vec gelu_of(vec x) {
    const vec low = max_of(splat(-15.0f), x);  // -inf times Phi(-inf) is 0
    return low * normal_of(min_of(splat(15.0f), low)).distribution;
}

/// Phi(x) + x phi(x).
LIVEN_INLINE vec gelu_grad_of(vec x) {
    const vec bounded = min_of(splat(15.0f), max_of(splat(-15.0f), x));
    const Normal normal = normal_of(bounded);
    return madd(bounded * splat(0.398942280f), normal.kernel, normal.distribution);
}

LIVEN_INLINE vec quick_gelu_of(vec x) {
    const vec low = max_of(splat(-90.0f), x);  // -inf times sigmoid(-inf) is 0
    return low * sigmoid_of(splat(1.702f) * low);
}

LIVEN_INLINE dvec horner(dvec, dvec sum) { return sum; }
template <class... Rest>
LIVEN_INLINE dvec horner(dvec x, dvec sum, double c, Rest... rest) {
    return horner(x, sum * x + dvec(c), rest...);
}

/// 2^(b log2 a) in double, for a >= 0: single precision would lose up to seven bits to the exponent.
LIVEN_INLINE dvec power_of_magnitude(dvec a, dvec b) {
    const double inf = std::numeric_limits<double>::infinity();
    const uint64_t half_root = 0x3fe6a09e667f3bcdu, one = 0x3ff0000000000000u;
    const uvec64 bits = xsimd::bitwise_cast<uvec64>(a) + uvec64(one - half_root);
    const dvec e = xsimd::bitwise_cast<dvec>((bits >> 52) | uvec64(0x4330000000000000u)) - dvec(0x1p52 + 1023);
    const dvec m = xsimd::bitwise_cast<dvec>((bits & uvec64(0x000fffffffffffffu)) + uvec64(half_root));
    const dvec f = m - dvec(1.0), s = f / (f + dvec(2.0));
    // log2 m = 2 / ln 2 (s + s^3/3 + s^5/5 + ...)
    const double c = 2.8853900817779268;
    dvec log2 = e + s * horner(s * s, dvec(c / 13), c / 11, c / 9, c / 7, c / 5, c / 3, c);
    log2 = xsimd::select(a == dvec(0.0), dvec(-inf), log2);
    log2 = xsimd::select(a == dvec(inf), dvec(inf), log2);
    dvec y = b * log2;
    y = xsimd::select(y > dvec(300.0), dvec(300.0), y);
    y = xsimd::select(y < dvec(-300.0), dvec(-300.0), y);
    const dvec magic(0x1.8p52), rounded = y + magic, r = (y - (rounded - magic)) * dvec(0.69314718055994531);
    const dvec p = horner(r, dvec(1.0 / 3628800), 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24,
                          1.0 / 6, 0.5, 1.0, 1.0);
    return xsimd::bitwise_cast<dvec>(xsimd::bitwise_cast<uvec64>(p) + (xsimd::bitwise_cast<uvec64>(rounded) << 52));
}

/// a^b with the C library's special cases.
LIVEN_INLINE vec pow_of(vec a, vec b) {
    const vec size = abs_of(a), exponent = abs_of(b), one = splat(1.0f);
    vec y =
        narrow(power_of_magnitude(widen_low(size), widen_low(b)), power_of_magnitude(widen_high(size), widen_high(b)));
    const ivec whole = round_to_int(b);
    const mask huge = exponent >= splat(0x1p24f);  // even, infinity included
    const mask integral = huge | (to_float(whole) == b);
    const mask odd = (to_float(whole & ivec(1)) == one) & integral & (exponent < splat(0x1p24f));
    y = select(odd, with_sign(y, a), y);
    y = select((a < zero()) & (a > splat(-infinity)) & !integral, splat(not_a_number), y);
    y = select(is_nan(a) | is_nan(b), splat(not_a_number), y);
    y = select((size == one) & (exponent == splat(infinity)), one, y);
    return select((a == one) | (b == zero()), one, y);
}

}  // namespace
}  // namespace liven::kernels
