// The inner loops of copies.
//
// copy: rows of any length, whole vectors and one masked rest; rows of one or two vectors (the 16 or 32 channels of a
// concatenation) thus cost no call. fill: one value a row. turn: squares of lanes x lanes transposed in registers; dst
// rows are written along, each src line is read once and used whole. Nothing is computed, so every case is bound by
// memory when the tensors are large: 2 x 4 bytes an element. Expected: the speed of memcpy for copy and fill, 70 % and
// more of it for turn.
#include "kernels/move.hpp"

#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

void copy(const MoveBlock& block) {
    const int64_t whole = block.columns / lanes * lanes, rest = block.columns - whole;
    const float* src = block.src;
    float* dst = block.dst;
    for (int64_t r = 0; r < block.rows; ++r, src += block.src_row, dst += block.dst_row) {
        for (int64_t c = 0; c < whole; c += lanes) store(dst + c, load(src + c));
        if (rest > 0) store_part(dst + whole, load_part(src + whole, rest), rest);
    }
}

void fill(const MoveBlock& block) {
    const int64_t whole = block.columns / lanes * lanes, rest = block.columns - whole;
    for (int64_t r = 0; r < block.rows; ++r) {
        const vec value = splat(block.src[r * block.src_row]);
        float* dst = block.dst + r * block.dst_row;
        for (int64_t c = 0; c < whole; c += lanes) store(dst + c, value);
        if (rest > 0) store_part(dst + whole, value, rest);
    }
}

/// A square at (r, c) that may hang over the edges.
LIVEN_INLINE void turn_square(const MoveBlock& block, int64_t r, int64_t c) {
    const int64_t rows = block.rows - r < lanes ? block.rows - r : lanes;
    const int64_t columns = block.columns - c < lanes ? block.columns - c : lanes;
    vec square[lanes];
    const float* src = block.src + r + c * block.src_column;
    if (rows == lanes && columns == lanes) {
#pragma GCC unroll 16
        for (int i = 0; i < static_cast<int>(lanes); ++i) square[i] = load(src + i * block.src_column);
    } else {
#pragma GCC unroll 16
        for (int i = 0; i < static_cast<int>(lanes); ++i)
            square[i] = i < columns ? load_part(src + i * block.src_column, rows) : zero();
    }
    transpose(square);
    float* dst = block.dst + r * block.dst_row + c;
    if (rows == lanes && columns == lanes) {
#pragma GCC unroll 16
        for (int i = 0; i < static_cast<int>(lanes); ++i) store(dst + i * block.dst_row, square[i]);
    } else {
#pragma GCC unroll 16
        for (int i = 0; i < static_cast<int>(lanes); ++i)
            if (i < rows) store_part(dst + i * block.dst_row, square[i], columns);
    }
}

void turn(const MoveBlock& block) {
    for (int64_t r = 0; r < block.rows; r += lanes)
        for (int64_t c = 0; c < block.columns; c += lanes) turn_square(block, r, c);
}

}  // namespace

const MoveKernels& LIVEN_ISA_NAME(move_kernels)();

const MoveKernels& LIVEN_ISA_NAME(move_kernels)() {
    static constexpr MoveKernels kernels{.copy = copy, .fill = fill, .turn = turn};
    return kernels;
}

}  // namespace liven::kernels
