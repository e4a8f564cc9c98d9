#pragma once

#include "kernels/simd.hpp"
#include "liven/core/philox.hpp"

/// Dropout whose mask is a function of the element's place alone: Philox4x32-10, several blocks at a time.
///
/// Elements come in groups of 64. Element e of group g takes word (e % 64) / 16 of block 16 g + e % 16, so that one
/// vector of blocks yields four vectors of neighbouring elements.
namespace liven::kernels {
namespace {

struct DropoutKey {
    uint64_t seed = 0;
    uint64_t stream = 0;  ///< layer key << 32 | low half of the forward counter
    float rate = 0, scale = 1;
};

inline constexpr int64_t dropout_group = 64;
inline constexpr int64_t wide_lanes = lanes / 2;

/// The 64-bit products of the low halves.
LIVEN_INLINE uvec64 multiply_low_halves(uvec64 a, uvec64 b) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_mul_epu32(a, b);
#elif defined(LIVEN_ISA_avx2)
    return _mm256_mul_epu32(a, b);
#else
    return _mm_mul_epu32(a, b);
#endif
}

/// The low halves of both, in order.
LIVEN_INLINE ivec low_halves(uvec64 a, uvec64 b) {
#if defined(LIVEN_ISA_avx512)
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(a)), _mm512_cvtepi64_epi32(b), 1);
#elif defined(LIVEN_ISA_avx2)
    const __m256 mixed = _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88);
    return _mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0xd8);
#else
    return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), 0x88));
#endif
}

struct PhiloxWords {
    uvec64 c0, c1, c2, c3;  ///< in the low halves; the high halves are left over from the products
};

/// The blocks first, first + 1, ... of wide_lanes.
LIVEN_INLINE PhiloxWords philox_words(uint64_t first, const DropoutKey& key) {
    // Counted up from a constant: a vector put together by eight stores would wait for all of them.
    alignas(64) static constexpr uint64_t count[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    const uvec64 blocks = uvec64(first) + uvec64::load_aligned(count);
    PhiloxWords c{blocks, blocks >> 32, uvec64(key.stream & 0xffffffffu), uvec64(key.stream >> 32)};
    const uvec64 m0(Philox::multiplier0), m1(Philox::multiplier1);
    uint32_t k0 = static_cast<uint32_t>(key.seed), k1 = static_cast<uint32_t>(key.seed >> 32);
    for (int round = 0; round < 10; ++round, k0 += Philox::weyl0, k1 += Philox::weyl1) {
        const uvec64 p0 = multiply_low_halves(c.c0, m0), p1 = multiply_low_halves(c.c2, m1);
        c = {(p1 >> 32) ^ c.c1 ^ uvec64(k0), p1, (p0 >> 32) ^ c.c3 ^ uvec64(k1), p0};
    }
    return c;
}

LIVEN_INLINE void drop_vector(float* dst, const float* src, ivec words, const DropoutKey& key) {
    const ivec top = (words >> 8) & ivec(0x00ffffff);
    const mask kept = to_float(top) * splat(0x1p-24f) >= splat(key.rate);
    store(dst, select(kept, load(src) * splat(key.scale), zero()));
}

/// A whole group of 64.
inline void drop_group(float* dst, const float* src, uint64_t group, const DropoutKey& key) {
    for (int64_t lane = 0; lane < 16; lane += lanes) {
        const uint64_t block = group * 16 + static_cast<uint64_t>(lane);
        const PhiloxWords a = philox_words(block, key);
        const PhiloxWords b = philox_words(block + static_cast<uint64_t>(wide_lanes), key);
        drop_vector(dst + lane, src + lane, low_halves(a.c0, b.c0), key);
        drop_vector(dst + lane + 16, src + lane + 16, low_halves(a.c1, b.c1), key);
        drop_vector(dst + lane + 32, src + lane + 32, low_halves(a.c2, b.c2), key);
        drop_vector(dst + lane + 48, src + lane + 48, low_halves(a.c3, b.c3), key);
    }
}

/// dst = dropout of src, `count` neighbouring elements of which the first is number `element`.
inline void drop(float* dst, const float* src, int64_t element, int64_t count, const DropoutKey& key) {
    int64_t done = 0;
    while (done < count) {
        const int64_t at = element + done, offset = at % dropout_group, rest = count - done;
        const auto group = static_cast<uint64_t>(at / dropout_group);
        const int64_t take = rest < dropout_group - offset ? rest : dropout_group - offset;
        if (take == dropout_group) {
            drop_group(dst + done, src + done, group, key);
        } else {
            alignas(64) float part[dropout_group] = {};
            for (int64_t i = 0; i < take; ++i) part[offset + i] = src[done + i];
            drop_group(part, part, group, key);
            for (int64_t i = 0; i < take; ++i) dst[done + i] = part[offset + i];
        }
        done += take;
    }
}

}  // namespace
}  // namespace liven::kernels
