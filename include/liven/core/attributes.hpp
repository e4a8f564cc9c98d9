#pragma once

#include <array>
#include <cstdint>

#include "liven/core/shape.hpp"
#include "liven/core/window.hpp"

/// Structural attributes of the primitive operations, as plain data that graph, reference and kernels share.
namespace liven {

using AxisArray = std::array<int64_t, Shape::max_rank>;

/// max_pool, avg_pool and their gradients.
struct PoolAttributes {
    Window2d window{};
    bool count_include_pad = false;  ///< average only: divide by the whole window, padding included
    bool operator==(const PoolAttributes&) const = default;
};

/// permute: output axis i is input axis order[i].
struct PermuteAttributes {
    AxisArray order{};
    bool operator==(const PermuteAttributes&) const = default;
};

/// slice: output element i of an axis is input element begin + i; the extents come from the output's shape.
struct SliceAttributes {
    AxisArray begin{};
    bool operator==(const SliceAttributes&) const = default;
};

/// pad: `low` elements of `value` before and `high` after each axis.
struct PadAttributes {
    AxisArray low{}, high{};
    float value = 0;
    bool operator==(const PadAttributes&) const = default;
};

struct ConcatAttributes {
    int64_t axis = 0;
    bool operator==(const ConcatAttributes&) const = default;
};

/// reduce_sum, reduce_max, moments: bit a of `axes` set means axis a is reduced. Reduced axes stay with extent 1.
struct ReduceAttributes {
    uint32_t axes = 0;
    bool operator==(const ReduceAttributes&) const = default;
};

/// resize of the two middle axes of N x H x W x C; half-pixel centres (pixel i covers [i, i+1)), edges clamped.
struct ResizeAttributes {
    enum class Mode : uint8_t { nearest, bilinear };
    Mode mode = Mode::nearest;
    bool operator==(const ResizeAttributes&) const = default;
};

/// Constants of an elementwise operation: a slope, bounds, an exponent, a dropout rate and scale; `key` tells dropout
/// layers apart.
struct PointwiseAttributes {
    float imm0 = 0, imm1 = 0;
    uint32_t key = 0;
    bool operator==(const PointwiseAttributes&) const = default;
};

}  // namespace liven
