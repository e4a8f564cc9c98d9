#include "kernels/move/part.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace liven::kernels {
namespace {

using Axis = MovePart::Axis;

/// Calls `visit(src offset, dst offset)` for every position of the first `outer` axes.
template <class Visit>
void each_outer(const std::array<Axis, MovePart::max_axes>& axes, size_t outer, int64_t src, int64_t dst, Visit visit) {
    std::array<int64_t, MovePart::max_axes> at{};
    while (true) {
        visit(src, dst);
        size_t axis = outer;
        while (axis > 0) {
            --axis;
            src += axes[axis].src;
            dst += axes[axis].dst;
            if (++at[axis] < axes[axis].extent) break;
            src -= axes[axis].src * axes[axis].extent;
            dst -= axes[axis].dst * axes[axis].extent;
            at[axis] = 0;
            if (axis == 0) return;
        }
        if (outer == 0) return;
    }
}

template <class T>
void move_any(const T* src, T* dst, const Axis& rows, const Axis& columns) {
    for (int64_t r = 0; r < rows.extent; ++r) {
        const T* from = src + r * rows.src;
        T* to = dst + r * rows.dst;
        if (columns.src == 1 && columns.dst == 1)
            std::memcpy(to, from, static_cast<size_t>(columns.extent) * sizeof(T));
        else
            for (int64_t c = 0; c < columns.extent; ++c) to[c * columns.dst] = from[c * columns.src];
    }
}

void move_bytes(const std::byte* src, std::byte* dst, size_t bytes, const Axis& rows, const Axis& columns) {
    switch (bytes) {
        case 8:
            return move_any(reinterpret_cast<const uint64_t*>(src), reinterpret_cast<uint64_t*>(dst), rows, columns);
        case 4:
            return move_any(reinterpret_cast<const uint32_t*>(src), reinterpret_cast<uint32_t*>(dst), rows, columns);
        case 2:
            return move_any(reinterpret_cast<const uint16_t*>(src), reinterpret_cast<uint16_t*>(dst), rows, columns);
        default:
            return move_any(reinterpret_cast<const uint8_t*>(src), reinterpret_cast<uint8_t*>(dst), rows, columns);
    }
}

bool run_together(const Axis& outer, const Axis& inner) {
    return outer.src == inner.src * inner.extent && outer.dst == inner.dst * inner.extent;
}

}  // namespace

void MovePart::simplify(bool words) {
    const auto begin = axes.begin();
    for (size_t i = 0; i < rank; ++i)
        if (axes[i].extent == 0) {
            kind = Kind::nothing;
            return;
        }
    rank = static_cast<size_t>(
        std::remove_if(begin, begin + static_cast<std::ptrdiff_t>(rank), [](const Axis& a) { return a.extent == 1; }) -
        begin);
    std::stable_sort(begin, begin + static_cast<std::ptrdiff_t>(rank),
                     [](const Axis& a, const Axis& b) { return a.dst > b.dst; });
    size_t kept = 0;
    for (size_t i = 0; i < rank; ++i) {
        if (kept > 0 && run_together(axes[kept - 1], axes[i]))
            axes[kept - 1] = {axes[kept - 1].extent * axes[i].extent, axes[i].src, axes[i].dst};
        else
            axes[kept++] = axes[i];
    }
    rank = kept;
    // At least two loops, so that the innermost two are always there.
    while (rank < 2) {
        std::move_backward(begin, begin + static_cast<std::ptrdiff_t>(rank),
                           begin + static_cast<std::ptrdiff_t>(rank) + 1);
        axes[0] = rank == 0 ? Axis{1, 1, 1} : Axis{1, 0, 0};
        ++rank;
    }
    kind = Kind::any;
    if (!words || axes[rank - 1].dst != 1) return;
    if (axes[rank - 1].src == 1) kind = Kind::copy;
    if (axes[rank - 1].src == 0) kind = Kind::fill;
    if (kind != Kind::any) return;
    for (size_t i = 0; i + 1 < rank; ++i) {
        if (axes[i].src != 1) continue;
        std::rotate(begin + static_cast<std::ptrdiff_t>(i), begin + static_cast<std::ptrdiff_t>(i) + 1,
                    begin + static_cast<std::ptrdiff_t>(rank) - 1);
        kind = Kind::turn;
        return;
    }
}

void MovePart::run(const std::byte* src, std::byte* dst, size_t element_bytes, int64_t index, int64_t count,
                   const MoveKernels& kernels) const noexcept {
    if (kind == Kind::nothing) return;
    // The longest of the loops is shared out, but never the innermost when there is another one worth it.
    std::array<Axis, max_axes> loops = axes;
    size_t shared = 0;
    for (size_t i = 1; i + 1 < rank; ++i)
        if (loops[shared].extent < count && loops[i].extent > loops[shared].extent) shared = i;
    if (loops[shared].extent < count && loops[rank - 1].extent > 16 * loops[shared].extent) shared = rank - 1;
    const int64_t first = loops[shared].extent * index / count, last = loops[shared].extent * (index + 1) / count;
    if (first == last) return;
    loops[shared].extent = last - first;
    const int64_t from = src_offset + first * loops[shared].src, to = dst_offset + first * loops[shared].dst;
    const Axis &rows = loops[rank - 2], &columns = loops[rank - 1];
    each_outer(loops, rank - 2, from, to, [&](int64_t src_at, int64_t dst_at) {
        const std::byte* in = src + src_at * static_cast<int64_t>(element_bytes);
        std::byte* out = dst + dst_at * static_cast<int64_t>(element_bytes);
        if (kind == Kind::any) return move_bytes(in, out, element_bytes, rows, columns);
        const MoveBlock block{.src = reinterpret_cast<const float*>(in),
                              .src_row = rows.src,
                              .src_column = columns.src,
                              .dst = reinterpret_cast<float*>(out),
                              .dst_row = rows.dst,
                              .rows = rows.extent,
                              .columns = columns.extent};
        (kind == Kind::copy ? kernels.copy : kind == Kind::fill ? kernels.fill : kernels.turn)(block);
    });
}

}  // namespace liven::kernels
