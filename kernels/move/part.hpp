#pragma once

#include <array>
#include <cstdint>

#include "kernels/move/move.hpp"
#include "liven/core/shape.hpp"

namespace liven::kernels {

/// A copy as nested loops: axis i takes `extent` steps of `src` and `dst` elements. After `simplify`, axes are ordered
/// from the largest step of dst to the smallest, none has extent 1, and axes that run through memory together are one.
struct MovePart {
    struct Axis {
        int64_t extent = 1, src = 0, dst = 0;
    };
    enum class Kind { nothing, copy, fill, turn, any };

    static constexpr size_t max_axes = Shape::max_rank + 2;

    int input = -1;  ///< operand that is read; -1: the step's constant
    int64_t src_offset = 0, dst_offset = 0;
    std::array<Axis, max_axes> axes{};
    size_t rank = 0;
    Kind kind = Kind::any;

    void add(const Axis& axis) { axes[rank++] = axis; }
    /// Orders and merges the axes and chooses the kind; `words`: elements have four bytes, so that the ISA's loops can
    /// be used.
    void simplify(bool words);
    /// Moves the share `index` of `count` of the outermost axis. The pointers are those of the operands.
    void run(const std::byte* src, std::byte* dst, size_t element_bytes, int64_t index, int64_t count,
             const MoveKernels& kernels) const noexcept;
};

}  // namespace liven::kernels
