// The inner loops of copies.
//
// copy: rows of any length, whole vectors and one rest in part; rows of one or two vectors (the 16 or 32 channels of a
// concatenation) thus cost no call. fill: one value a row. turn: squares of lanes x lanes transposed in registers,
// through a 16 KiB tile in L1 when the rows of dst lie far apart; each src line is used whole. Nothing is computed, so
// every case is bound by memory when the tensors are large: 2 x 4 bytes an element, and 4 more for reading dst into the
// cache first, which the streaming stores of memcpy avoid (the result is read next, so it should be in the cache).
// Measured on Zen 4, of memcpy's speed: fill, pad and broadcast 95 %, slices and concatenation 70-80 %, NCHW to NHWC 80
// %, a large transpose 40 %, NHWC to NCHW 25-30 % (its 16 planes lie in the same cache sets).
#include "kernels/move/move.hpp"

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

void turn_squares(const MoveBlock& block) {
    for (int64_t c = 0; c < block.columns; c += lanes)
        for (int64_t r = 0; r < block.rows; r += lanes) turn_square(block, r, c);
}

/// Rows of dst that lie pages apart fall into the same cache sets, so a tile is turned in L1 first and leaves it in
/// runs of at least 256 bytes a row.
void turn_by_tiles(const MoveBlock& block) {
    constexpr int64_t most_rows = 64, tile_floats = 4096, gap = 16;
    const int64_t height = block.rows < most_rows ? (block.rows + lanes - 1) / lanes * lanes : most_rows;
    const int64_t width = tile_floats / height / lanes * lanes < 256 ? tile_floats / height / lanes * lanes : 256;
    alignas(64) float tile[tile_floats + most_rows * gap];
    for (int64_t r = 0; r < block.rows; r += height) {
        for (int64_t c = 0; c < block.columns; c += width) {
            MoveBlock part = block;
            part.src += r + c * block.src_column;
            part.rows = block.rows - r < height ? block.rows - r : height;
            part.columns = block.columns - c < width ? block.columns - c : width;
            part.dst = tile;
            part.dst_row = width + gap;
            turn_squares(part);
            copy({.src = tile,
                  .src_row = part.dst_row,
                  .src_column = 1,
                  .dst = block.dst + r * block.dst_row + c,
                  .dst_row = block.dst_row,
                  .rows = part.rows,
                  .columns = part.columns});
        }
    }
}

void turn(const MoveBlock& block) {
    const bool rows_far_apart = block.dst_row >= 256 && block.columns > lanes;
    rows_far_apart ? turn_by_tiles(block) : turn_squares(block);
}

}  // namespace

const MoveKernels& LIVEN_ISA_NAME(move_kernels)();

const MoveKernels& LIVEN_ISA_NAME(move_kernels)() {
    static constexpr MoveKernels kernels{.copy = copy, .fill = fill, .turn = turn};
    return kernels;
}

}  // namespace liven::kernels
