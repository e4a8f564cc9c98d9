#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "liven/core/dtype.hpp"
#include "liven/core/shape.hpp"

/// The reference: every primitive operation as plain loops that read like its formula, accumulating in double. It is
/// the oracle of all tests and what LIVEN_EXECUTOR=reference runs. T is how f32 tensors are stored: float, or double
/// for the gradient checker.
namespace liven::reference {

/// A dense row-major tensor. f32 tensors are stored as T, all others as they are.
template <class T>
struct Array {
    Shape shape;
    void* data = nullptr;

    T* real() const { return static_cast<T*>(data); }
    int32_t* i32() const { return static_cast<int32_t*>(data); }
    const uint8_t* u8() const { return static_cast<const uint8_t*>(data); }
    int64_t* i64() const { return static_cast<int64_t*>(data); }
    int64_t count() const { return shape.count(); }
};

template <class T>
using Function = void (*)(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs);

}  // namespace liven::reference
