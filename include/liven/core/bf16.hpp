#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace liven {

/// A float rounded to bfloat16, its upper sixteen bits: eight bits of precision, the exponents of a float. To nearest,
/// ties to even; NaN stays NaN.
inline uint16_t to_bf16(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40u);
    return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

inline float from_bf16(uint16_t value) { return std::bit_cast<float>(uint32_t{value} << 16); }

}  // namespace liven
