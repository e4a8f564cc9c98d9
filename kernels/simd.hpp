#pragma once

// The one place where kernels meet xsimd 8.1 and its gaps: fma without an AVX-512 form, no masked loads and stores.
// Include it from kernels/isa/*.cpp only: everything here is compiled once per ISA and lives in an anonymous namespace,
// so that no symbol of one instruction set can be linked into another.

#include <xsimd/xsimd.hpp>

#include <cstdint>

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

/// Stores the first `count` lanes only.
LIVEN_INLINE void store_part(float* p, vec v, int64_t count) {
#if defined(LIVEN_ISA_avx512)
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1u), v);
#elif defined(LIVEN_ISA_avx2)
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane), v);
#else
    alignas(16) float part[4];
    store(part, v);
    for (int64_t i = 0; i < count; ++i) p[i] = part[i];
#endif
}

}  // namespace
}  // namespace liven::kernels
