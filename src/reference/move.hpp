#pragma once

#include <cstring>
#include <vector>

#include "liven/core/attributes.hpp"
#include "src/reference/array.hpp"

/// Operations that only move values: concat, slice, pad, permute, broadcast, copy.
namespace liven::reference {

/// Position of flat element `index` of a shape along each axis.
inline AxisArray position_of(const Shape& shape, int64_t index) {
    AxisArray at{};
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        at[static_cast<size_t>(axis)] = index % shape[axis];
        index /= shape[axis];
    }
    return at;
}

/// Flat element of a shape at a position.
inline int64_t index_of(const Shape& shape, const AxisArray& at) {
    int64_t index = 0;
    for (int axis = 0; axis < shape.rank(); ++axis) index = index * shape[axis] + at[static_cast<size_t>(axis)];
    return index;
}

/// dst = the inputs one after the other along `axis`.
template <class T>
void concat(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const int axis =
        outputs[0].shape.normalize(static_cast<int>(static_cast<const ConcatAttributes*>(attributes)->axis));
    int64_t begin = 0;
    for (const Array<T>& src : inputs) {
        for (int64_t i = 0; i < src.count(); ++i) {
            AxisArray at = position_of(src.shape, i);
            at[static_cast<size_t>(axis)] += begin;
            outputs[0].real()[index_of(outputs[0].shape, at)] = src.real()[i];
        }
        begin += src.shape[axis];
    }
}

/// dst[i] = src[begin + i].
template <class T>
void slice(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const auto& begin = static_cast<const SliceAttributes*>(attributes)->begin;
    for (int64_t i = 0; i < outputs[0].count(); ++i) {
        AxisArray at = position_of(outputs[0].shape, i);
        for (size_t axis = 0; axis < at.size(); ++axis) at[axis] += begin[axis];
        outputs[0].real()[i] = inputs[0].real()[index_of(inputs[0].shape, at)];
    }
}

/// dst = src with `low` values before and `high` after it along each axis.
template <class T>
void pad(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const auto& pad = *static_cast<const PadAttributes*>(attributes);
    for (int64_t i = 0; i < outputs[0].count(); ++i) outputs[0].real()[i] = static_cast<T>(pad.value);
    for (int64_t i = 0; i < inputs[0].count(); ++i) {
        AxisArray at = position_of(inputs[0].shape, i);
        for (size_t axis = 0; axis < at.size(); ++axis) at[axis] += pad.low[axis];
        outputs[0].real()[index_of(outputs[0].shape, at)] = inputs[0].real()[i];
    }
}

/// Axis i of dst is axis order[i] of src.
template <class T>
void permute(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const auto& order = static_cast<const PermuteAttributes*>(attributes)->order;
    for (int64_t i = 0; i < outputs[0].count(); ++i) {
        const AxisArray at = position_of(outputs[0].shape, i);
        AxisArray from{};
        for (int axis = 0; axis < outputs[0].shape.rank(); ++axis)
            from[static_cast<size_t>(order[static_cast<size_t>(axis)])] = at[static_cast<size_t>(axis)];
        outputs[0].real()[i] = inputs[0].real()[index_of(inputs[0].shape, from)];
    }
}

/// Axes of extent 1 stretch to those of dst.
template <class T>
void broadcast(const void*, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    for (int64_t i = 0; i < outputs[0].count(); ++i) {
        AxisArray at = position_of(outputs[0].shape, i);
        for (int axis = 0; axis < inputs[0].shape.rank(); ++axis)
            if (inputs[0].shape[axis] == 1) at[static_cast<size_t>(axis)] = 0;
        outputs[0].real()[i] = inputs[0].real()[index_of(inputs[0].shape, at)];
    }
}

/// dst = src.
template <class T>
void copy(const void*, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    std::memcpy(outputs[0].data, inputs[0].data, static_cast<size_t>(inputs[0].count()) * sizeof(T));
}

}  // namespace liven::reference
