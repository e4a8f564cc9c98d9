#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace liven {

/// Element types. Arithmetic is f32; i32 holds class indices, i64 seeds and counters, u8 images.
enum class DType : uint8_t { f32, bf16, i32, i64, u8 };

constexpr size_t size_of(DType type) {
    switch (type) {
        case DType::f32:
        case DType::i32:
            return 4;
        case DType::bf16:
            return 2;
        case DType::i64:
            return 8;
        case DType::u8:
            return 1;
    }
    return 0;
}

constexpr std::string_view name_of(DType type) {
    switch (type) {
        case DType::f32:
            return "f32";
        case DType::bf16:
            return "bf16";
        case DType::i32:
            return "i32";
        case DType::i64:
            return "i64";
        case DType::u8:
            return "u8";
    }
    return "?";
}

template <class T>
inline constexpr DType dtype_of = DType::f32;
template <>
inline constexpr DType dtype_of<int32_t> = DType::i32;
template <>
inline constexpr DType dtype_of<int64_t> = DType::i64;
template <>
inline constexpr DType dtype_of<uint8_t> = DType::u8;

}  // namespace liven
