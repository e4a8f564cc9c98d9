#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "liven/core/buffer.hpp"
#include "liven/core/dtype.hpp"
#include "liven/core/shape.hpp"

namespace liven {

/// Values in memory with their shape, row-major: what files hold and loaders hand over. Copying shares the memory.
struct HostTensor {
    Shape shape;
    DType dtype = DType::f32;
    Buffer data;

    HostTensor() = default;
    /// Uninitialised values. Throws Error when the machine has not the memory.
    HostTensor(Shape extents, DType type);
    /// A copy of `values`. Throws Error when their number is not the shape's count.
    HostTensor(Shape extents, std::span<const float> values);
    HostTensor(Shape extents, std::span<const int32_t> values);
    HostTensor(Shape extents, std::span<const int64_t> values);
    HostTensor(Shape extents, std::span<const uint8_t> values);

    int64_t count() const { return shape.count(); }
    /// Bytes of the values; the buffer behind them may be larger.
    size_t bytes() const { return static_cast<size_t>(count()) * size_of(dtype); }

    /// The values as T: float, int32_t, int64_t or uint8_t. Throws Error when the tensor holds another type.
    template <class T>
    std::span<T> values() {
        expect(dtype_of<T>);
        return {data.as<T>(), static_cast<size_t>(count())};
    }
    template <class T>
    std::span<const T> values() const {
        expect(dtype_of<T>);
        return {data.as<const T>(), static_cast<size_t>(count())};
    }

    /// Throws Error when the tensor does not hold `type`.
    void expect(DType type) const;
};

/// Tensors by name, in the order of their names.
using NamedTensors = std::map<std::string, HostTensor>;

}  // namespace liven
