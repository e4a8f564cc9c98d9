#pragma once

// The one place where kernels meet xsimd 8.1 and its gaps: fma without an AVX-512 form, no masked loads and stores.
// Include it from kernels/isa/*.cpp only: everything here is compiled once per ISA and lives in an anonymous namespace,
// so that no symbol of one instruction set can be linked into another.

#include <array>
#include <cstdint>
#include <xsimd/xsimd.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define LIVEN_CONCAT_(a, b) a##_##b
#define LIVEN_CONCAT(a, b) LIVEN_CONCAT_(a, b)
/// LIVEN_ISA_NAME(conv2d_table) is conv2d_table_avx512 in the AVX-512 build of a kernel file.
#define LIVEN_ISA_NAME(symbol) LIVEN_CONCAT(symbol, LIVEN_ISA)
#define LIVEN_INLINE inline __attribute__((always_inline))

namespace liven::kernels {
namespace {

#if defined(LIVEN_ISA_avx512)
using Arch = xsimd::avx512bw;
#elif defined(LIVEN_ISA_avx2)
using Arch = xsimd::fma3<xsimd::avx2>;
#else
using Arch = xsimd::sse2;
#endif

using vec = xsimd::batch<float, Arch>;
inline constexpr int64_t lanes = static_cast<int64_t>(vec::size);

LIVEN_INLINE vec zero() { return vec(0.0f); }
LIVEN_INLINE vec splat(float value) { return vec(value); }
LIVEN_INLINE vec load(const float* p) { return vec::load_unaligned(p); }
LIVEN_INLINE void store(float* p, vec v) { v.store_unaligned(p); }

using ivec = xsimd::batch<int32_t, Arch>;
using mask = vec::batch_bool_type;

/// Where the mask is set a, elsewhere b.
LIVEN_INLINE vec select(mask m, vec a, vec b) { return xsimd::select(m, a, b); }
/// Not `a != a`: in xsimd 8.1 that is false for NaN on AVX2 and AVX-512.
LIVEN_INLINE mask is_nan(vec a) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
#elif defined(LIVEN_ISA_avx2)
    return _mm256_cmp_ps(a, a, _CMP_UNORD_Q);
#else
    return _mm_cmpunord_ps(a, a);
#endif
}
/// x86's own order: the second operand when either is NaN or both are zeros.
LIVEN_INLINE vec min_of(vec a, vec b) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_min_ps(a, b);
#elif defined(LIVEN_ISA_avx2)
    return _mm256_min_ps(a, b);
#else
    return _mm_min_ps(a, b);
#endif
}
LIVEN_INLINE vec max_of(vec a, vec b) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_max_ps(a, b);
#elif defined(LIVEN_ISA_avx2)
    return _mm256_max_ps(a, b);
#else
    return _mm_max_ps(a, b);
#endif
}
LIVEN_INLINE vec sqrt_of(vec a) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_sqrt_ps(a);
#elif defined(LIVEN_ISA_avx2)
    return _mm256_sqrt_ps(a);
#else
    return _mm_sqrt_ps(a);
#endif
}

LIVEN_INLINE ivec bits_of(vec a) { return xsimd::bitwise_cast<ivec>(a); }
LIVEN_INLINE vec from_bits(ivec a) { return xsimd::bitwise_cast<vec>(a); }
/// To the nearest integer; INT32_MIN outside its range.
LIVEN_INLINE ivec round_to_int(vec a) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_cvtps_epi32(a);
#elif defined(LIVEN_ISA_avx2)
    return _mm256_cvtps_epi32(a);
#else
    return _mm_cvtps_epi32(a);
#endif
}
LIVEN_INLINE vec to_float(ivec a) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_cvtepi32_ps(a);
#elif defined(LIVEN_ISA_avx2)
    return _mm256_cvtepi32_ps(a);
#else
    return _mm_cvtepi32_ps(a);
#endif
}
LIVEN_INLINE vec abs_of(vec a) { return from_bits(bits_of(a) & ivec(0x7fffffff)); }
/// The magnitude of a with the sign of b; a is not negative.
LIVEN_INLINE vec with_sign(vec a, vec b) { return from_bits(bits_of(a) | (bits_of(b) & ivec(INT32_MIN))); }

/// a * b + c, rounded once where the ISA has FMA.
LIVEN_INLINE vec madd(vec a, vec b, vec c) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_fmadd_ps(a, b, c);
#elif defined(LIVEN_ISA_avx2)
    return _mm256_fmadd_ps(a, b, c);
#else
    return a * b + c;
#endif
}

/// c - a * b.
LIVEN_INLINE vec nmadd(vec a, vec b, vec c) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_fnmadd_ps(a, b, c);
#elif defined(LIVEN_ISA_avx2)
    return _mm256_fnmadd_ps(a, b, c);
#else
    return c - a * b;
#endif
}

/// The first `count` (0 .. lanes) lanes from memory, the others zero; nothing beyond them is touched.
LIVEN_INLINE vec load_part(const float* p, int64_t count) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1u), p);
#elif defined(LIVEN_ISA_avx2)
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane));
#else
    alignas(16) float part[4] = {0, 0, 0, 0};
    for (int64_t i = 0; i < count; ++i) part[i] = p[i];
    return load(part);
#endif
}

/// Bytes as floats.
LIVEN_INLINE vec load_u8(const uint8_t* p) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#elif defined(LIVEN_ISA_avx2)
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
#else
    int32_t four = 0;
    __builtin_memcpy(&four, p, sizeof(four));
    const __m128i zeros = _mm_setzero_si128();
    return _mm_cvtepi32_ps(_mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zeros), zeros));
#endif
}

/// bf16 values, the upper halves of floats, widened.
LIVEN_INLINE vec load_bf16(const uint16_t* p) {
#if defined(LIVEN_ISA_avx512)
    const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
#elif defined(LIVEN_ISA_avx2)
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
#else
    const __m128i halves = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), halves));
#endif
}
LIVEN_INLINE vec load_bf16_part(const uint16_t* p, int64_t count) {
    uint16_t part[lanes] = {};
    for (int64_t i = 0; i < count; ++i) part[i] = p[i];
    return load_bf16(part);
}

/// Rounded to bf16 as to_bf16 (liven/core/bf16.hpp) does it, except that denormal numbers become zeros: what the
/// AVX512_BF16 instruction does, which `native` stands for. Both ways give the same bits.
template <bool native>
LIVEN_INLINE void store_bf16(uint16_t* p, vec v) {
#if defined(LIVEN_ISA_avx512)
    __m256i halves;
    if constexpr (native) {
        // Not the intrinsic: these files are compiled for CPUs without it too.
        asm("vcvtneps2bf16 %1, %0" : "=v"(halves) : "v"(static_cast<__m512>(v)));
    } else {
        const __m512i bits = _mm512_castps_si512(v), upper = _mm512_srli_epi32(bits, 16);
        const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
        __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
        rounded = _mm512_srli_epi32(rounded, 16);
        const __mmask16 tiny = _mm512_testn_epi32_mask(bits, _mm512_set1_epi32(0x7f800000));
        rounded = _mm512_mask_and_epi32(rounded, tiny, upper, _mm512_set1_epi32(0x8000));
        rounded = _mm512_mask_or_epi32(rounded, is_nan(v), upper, _mm512_set1_epi32(0x40));
        halves = _mm512_cvtepi32_epi16(rounded);
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), halves);
#elif defined(LIVEN_ISA_avx2)
    const __m256i bits = _mm256_castps_si256(v), upper = _mm256_srli_epi32(bits, 16);
    const __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    rounded = _mm256_srli_epi32(rounded, 16);
    const __m256i exponent = _mm256_and_si256(bits, _mm256_set1_epi32(0x7f800000));
    const __m256i tiny = _mm256_cmpeq_epi32(exponent, _mm256_setzero_si256());
    rounded = _mm256_blendv_epi8(rounded, _mm256_and_si256(upper, _mm256_set1_epi32(0x8000)), tiny);
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    rounded = _mm256_blendv_epi8(rounded, _mm256_or_si256(upper, _mm256_set1_epi32(0x40)), nan);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(rounded, rounded), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
#else
    const __m128i bits = _mm_castps_si128(v), upper = _mm_srli_epi32(bits, 16);
    const __m128i odd = _mm_and_si128(upper, _mm_set1_epi32(1));
    __m128i rounded = _mm_add_epi32(bits, _mm_add_epi32(odd, _mm_set1_epi32(0x7fff)));
    rounded = _mm_srli_epi32(rounded, 16);
    const auto where = [](__m128i set, __m128i a, __m128i b) {
        return _mm_or_si128(_mm_and_si128(set, a), _mm_andnot_si128(set, b));
    };
    const __m128i exponent = _mm_and_si128(bits, _mm_set1_epi32(0x7f800000));
    const __m128i tiny = _mm_cmpeq_epi32(exponent, _mm_setzero_si128());
    rounded = where(tiny, _mm_and_si128(upper, _mm_set1_epi32(0x8000)), rounded);
    const __m128i nan = _mm_castps_si128(_mm_cmpunord_ps(v, v));
    rounded = where(nan, _mm_or_si128(upper, _mm_set1_epi32(0x40)), rounded);
    // SSE2 packs with signed saturation only.
    const __m128i halves = _mm_srai_epi32(_mm_slli_epi32(rounded, 16), 16);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi32(halves, halves));
#endif
}
#if defined(LIVEN_ISA_avx512)
/// c + a[2 i] * b[2 i] + a[2 i + 1] * b[2 i + 1] with a and b pairs of bf16: AVX512_BF16.
LIVEN_INLINE vec dot_bf16(vec a, vec b, vec c) {
    __m512 sum = c;
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(static_cast<__m512>(a)), "v"(static_cast<__m512>(b)));
    return sum;
}
/// The same with the pair at `a` in every lane, read as an operand of the instruction.
LIVEN_INLINE vec dot_bf16(const float* a, vec b, vec c) {
    __m512 sum = c;
    asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(static_cast<__m512>(b)), "m"(*a));
    return sum;
}
/// 32 numbers of `even` and of `odd`, of which the first `begin` in each are left out, by turns: 16 pairs.
template <int begin>
LIVEN_INLINE __m512i pairs_of(__m512i even, __m512i odd) {
    alignas(64) static constexpr auto order = [] {
        std::array<uint16_t, 32> places{};
        for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<uint16_t>(begin + i / 2 + i % 2 * 32);
        return places;
    }();
    return _mm512_permutex2var_epi16(even, _mm512_load_si512(order.data()), odd);
}
/// Pairs of bf16: `even` in the lower halves, `odd` in the upper.
LIVEN_INLINE vec pairs_bf16(vec even, vec odd) {
    __m512i both;  // even's in the lower half, odd's in the upper
    asm("vcvtne2ps2bf16 %2, %1, %0" : "=v"(both) : "v"(static_cast<__m512>(odd)), "v"(static_cast<__m512>(even)));
    alignas(64) static constexpr auto order = [] {
        std::array<uint16_t, 32> places{};
        for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<uint16_t>(i / 2 + i % 2 * 16);
        return places;
    }();
    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(_mm512_load_si512(order.data()), both));
}
#endif
/// sum + a b, lane by lane or, with dots, pairs of bf16 by pairs (AVX512_BF16 alone).
template <bool dots>
LIVEN_INLINE vec add_product(vec a, vec b, vec sum) {
#if defined(LIVEN_ISA_avx512)
    if constexpr (dots) return dot_bf16(a, b, sum);
#endif
    return madd(a, b, sum);
}
/// The same with the value, or pair, at `a` in every lane.
template <bool dots>
LIVEN_INLINE vec add_product(const float* a, vec b, vec sum) {
#if defined(LIVEN_ISA_avx512)
    if constexpr (dots) return dot_bf16(a, b, sum);
#endif
    return madd(splat(*a), b, sum);
}

template <bool native>
LIVEN_INLINE void store_bf16_part(uint16_t* p, vec v, int64_t count) {
    uint16_t part[lanes];
    store_bf16<native>(part, v);
    for (int64_t i = 0; i < count; ++i) p[i] = part[i];
}

/// Stores the first `count` lanes only.
LIVEN_INLINE void store_part(float* p, vec v, int64_t count) {
#if defined(LIVEN_ISA_avx512)
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1u), v);
#elif defined(LIVEN_ISA_avx2)
    // In pieces: a masked AVX store is microcode on AMD, some forty operations.
    if (count == 8) return store(p, v);
    const __m256 all = v;
    __m128 rest = _mm256_castps256_ps128(all);
    if (count & 4) {
        _mm_storeu_ps(p, rest);
        rest = _mm256_extractf128_ps(all, 1);
        p += 4;
    }
    if (count & 2) {
        _mm_storel_pi(reinterpret_cast<__m64*>(p), rest);
        rest = _mm_movehl_ps(rest, rest);
        p += 2;
    }
    if (count & 1) _mm_store_ss(p, rest);
#else
    alignas(16) float part[4];
    store(part, v);
    for (int64_t i = 0; i < count; ++i) p[i] = part[i];
#endif
}

/// Asks for a line that will be written. An instruction of its own, which the compiler makes only for CPUs that it
/// knows to have it; others take it for none.
LIVEN_INLINE void prefetch_written(const void* p) {
    asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(p)));
}

/// Stores past the caches. `p` is aligned to a whole vector; end the pass with stream_fence().
LIVEN_INLINE void store_stream(float* p, vec v) {
#if defined(LIVEN_ISA_avx512)
    _mm512_stream_ps(p, v);
#elif defined(LIVEN_ISA_avx2)
    _mm256_stream_ps(p, v);
#else
    _mm_stream_ps(p, v);
#endif
}
LIVEN_INLINE void stream_fence() { _mm_sfence(); }

/// Turns a square of lanes x lanes values by its diagonal, in registers.
LIVEN_INLINE void transpose(vec (&rows)[lanes]) {
#if defined(LIVEN_ISA_avx512)
    __m512 pairs[16], quads[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
        pairs[2 * i] = _mm512_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
        pairs[2 * i + 1] = _mm512_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
    }
    // quads[4 * i + j]: in each 128-bit lane l, column 4 * l + j of the rows 4 * i .. 4 * i + 3.
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        const __m512d p0 = _mm512_castps_pd(pairs[i]), p1 = _mm512_castps_pd(pairs[i + 1]);
        const __m512d p2 = _mm512_castps_pd(pairs[i + 2]), p3 = _mm512_castps_pd(pairs[i + 3]);
        quads[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(p0, p2));
        quads[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(p0, p2));
        quads[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(p1, p3));
        quads[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(p1, p3));
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
        const __m512 low02 = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0x88);
        const __m512 low13 = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0xdd);
        const __m512 high02 = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0x88);
        const __m512 high13 = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0xdd);
        rows[j] = _mm512_shuffle_f32x4(low02, high02, 0x88);
        rows[4 + j] = _mm512_shuffle_f32x4(low13, high13, 0x88);
        rows[8 + j] = _mm512_shuffle_f32x4(low02, high02, 0xdd);
        rows[12 + j] = _mm512_shuffle_f32x4(low13, high13, 0xdd);
    }
#elif defined(LIVEN_ISA_avx2)
    __m256 pairs[8], quads[8];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        pairs[2 * i] = _mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
        pairs[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
        quads[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
        quads[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
        quads[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
        quads[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
        rows[j] = _mm256_permute2f128_ps(quads[j], quads[4 + j], 0x20);
        rows[4 + j] = _mm256_permute2f128_ps(quads[j], quads[4 + j], 0x31);
    }
#else
    __m128 r0 = rows[0], r1 = rows[1], r2 = rows[2], r3 = rows[3];
    _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
    rows[0] = r0;
    rows[1] = r1;
    rows[2] = r2;
    rows[3] = r3;
#endif
}

/// Half as many doubles.
using dvec = xsimd::batch<double, Arch>;
using uvec64 = xsimd::batch<uint64_t, Arch>;

LIVEN_INLINE dvec widen_low(vec a) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_cvtps_pd(_mm512_castps512_ps256(a));
#elif defined(LIVEN_ISA_avx2)
    return _mm256_cvtps_pd(_mm256_castps256_ps128(a));
#else
    return _mm_cvtps_pd(a);
#endif
}
LIVEN_INLINE dvec widen_high(vec a) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1));
#elif defined(LIVEN_ISA_avx2)
    return _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1));
#else
    return _mm_cvtps_pd(_mm_movehl_ps(a, a));
#endif
}
LIVEN_INLINE vec narrow(dvec low, dvec high) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
#elif defined(LIVEN_ISA_avx2)
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(low)), _mm256_cvtpd_ps(high), 1);
#else
    return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
#endif
}

}  // namespace
}  // namespace liven::kernels
