#include "src/io/elements.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "liven/core/error.hpp"

namespace liven::io {
namespace {

float narrow(double value, std::string_view where) {
    constexpr double kLargest = std::numeric_limits<float>::max();
    if (std::isfinite(value) && std::abs(value) > kLargest)
        throw Error(where, "holds " + std::to_string(value) + ", which no 32-bit float can");
    return static_cast<float>(value);
}

/// Reads `count` values of type From through a small buffer and stores what `convert` makes of each.
template <class From, class To, class Convert>
void convert_all(ByteSource& source, void* target, size_t count, Convert convert) {
    std::vector<From> chunk(std::min(count, size_t{16} << 10));
    To* to = static_cast<To*>(target);
    while (count > 0) {
        const size_t now = std::min(count, chunk.size());
        source.read(chunk.data(), now * sizeof(From));
        to = std::transform(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(now), to, convert);
        count -= now;
    }
}

}  // namespace

size_t size_of(Element element) {
    switch (element) {
        case Element::f16:
        case Element::bf16:
            return 2;
        case Element::f32:
        case Element::i32:
            return 4;
        case Element::f64:
        case Element::i64:
            return 8;
        case Element::u8:
        case Element::boolean:
            return 1;
    }
    return 0;
}

DType dtype_of(Element element) {
    switch (element) {
        case Element::i32:
            return DType::i32;
        case Element::i64:
            return DType::i64;
        case Element::u8:
        case Element::boolean:
            return DType::u8;
        default:
            return DType::f32;
    }
}

float half_to_float(uint16_t bits) {
    const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
    const uint32_t exponent = (bits >> 10) & 0x1fu, fraction = bits & 0x3ffu;
    if (exponent == 0) {  // zero and subnormals: fraction * 2^-24
        const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    const uint32_t wide = exponent == 31 ? 0xffu : exponent + 112;  // infinity and NaN stay what they are
    return __builtin_bit_cast(float, sign | wide << 23 | fraction << 13);
}

void read_elements(ByteSource& source, Element element, void* target, size_t count, std::string_view where) {
    switch (element) {
        case Element::f16:
            return convert_all<uint16_t, float>(source, target, count, half_to_float);
        case Element::bf16:
            return convert_all<uint16_t, float>(source, target, count, bfloat_to_float);
        case Element::f64:
            return convert_all<double, float>(source, target, count, [where](double x) { return narrow(x, where); });
        case Element::boolean:
            return convert_all<uint8_t, uint8_t>(source, target, count, [](uint8_t x) { return uint8_t{x != 0}; });
        default:
            return source.read(target, count * size_of(element));
    }
}

}  // namespace liven::io
