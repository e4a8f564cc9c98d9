#pragma once

#include <cstdint>

#include "liven/core/isa.hpp"

/// Matrix products: what one ISA offers (register tiles and the packing they need); kernels/gemm/gemm.cpp cuts the
/// problem and walks it.
namespace liven::kernels {

/// A block of a matrix as it lies in memory.
struct GemmBlock {
    const float* data = nullptr;
    int64_t row = 0;                 ///< elements from one row to the next
    const uint16_t* bf16 = nullptr;  ///< instead of data when the elements are bf16
};

/// One register tile: c (rows x columns) = a (rows x depth) b (depth x columns) [+ add].
struct GemmTile {
    /// Element (r, k) of a is a[r * a_row + k], or a[k * a_row + r] when `a_turned`.
    const float* a = nullptr;
    int64_t a_row = 0;
    bool a_turned = false;
    /// Row k of b starts at b + k * b_row and can be read up to a whole number of vectors.
    const float* b = nullptr;
    int64_t b_row = 0;
    float* c = nullptr;
    int64_t c_row = 0;
    const float* add = nullptr;  ///< may be c; null: nothing to add
    int64_t add_row = 0;
    /// Memory to bring into the cache meanwhile, `ahead_step` floats a step of k.
    const float* ahead = nullptr;
    int64_t ahead_step = 0;
    /// Memory to bring into L2 meanwhile, whatever will be needed after this product: `fetch_step` bytes a step of k,
    /// and `fetch_jump` more behind every `fetch_steps` of them. null: nothing.
    const char* fetch = nullptr;
    int64_t fetch_step = 0, fetch_jump = 0;
    static constexpr int64_t fetch_steps = 16;
    int64_t rows = 0;     ///< 1 .. GemmKernels::rows
    int64_t columns = 0;  ///< 1 .. GemmKernels::columns
    int64_t depth = 0;
    bool stream = false;  ///< stores past the caches; c and c_row are then multiples of a vector
};

/// The tiles and helpers of one ISA.
struct GemmKernels {
    int64_t rows = 0;     ///< most rows of a tile
    int64_t columns = 0;  ///< columns of a tile that strips of `a` are packed for: two vectors
    int64_t lanes = 0;
    void (*tile)(const GemmTile&) = nullptr;
    /// A tile of fewer rows and more columns, for an `a` that is not turned and whose rows may lie any distance apart.
    int64_t flat_rows = 0, flat_columns = 0;
    void (*flat_tile)(const GemmTile&) = nullptr;
    /// The same over pairs of bf16 instead of floats, twice the depth, by dot products (AVX512_BF16); null: none.
    void (*flat_tile_dots)(const GemmTile&) = nullptr;
    /// `tile` likewise, for an `a` that is turned; null: none.
    void (*tile_dots)(const GemmTile&) = nullptr;
    /// Rows 2 r and 2 r + 1 (`width` values each, at any place) as row r of dst, pairs filled up to whole vectors.
    void (*pair_rows)(const uint16_t* const* rows, int64_t pairs, int64_t width, float* dst, int64_t dst_row) = nullptr;
    /// Rounds rows 2 r and 2 r + 1 of src (2 rows x width) to row r of dst, pairs of bf16 filled up to whole vectors.
    void (*pack_pairs)(const float* src, int64_t src_row, int64_t rows, int64_t width, float* dst,
                       int64_t dst_row) = nullptr;
    /// Rounds `count` values to bf16 by the CPU's own instruction (AVX512_BF16); null: none.
    void (*round_bf16)(const float* src, int64_t count, uint16_t* dst) = nullptr;
    int64_t row_columns = 0;  ///< columns of `row`: eight vectors
    /// A tile of one row and `row_columns` columns: b, read once and never again, comes as one stream.
    void (*row)(const GemmTile&) = nullptr;
    /// The same with b in bf16, at `b`; the tile's own is ignored.
    void (*row_bf16)(const GemmTile&, const uint16_t* b) = nullptr;
    /// Cuts src (rows x panels * width) into panels: row r of panel p goes to dst + p * pitch + r * dst_row. Whole
    /// vectors are written, filled up with zeros, so up to a vector behind the last row of every panel is overwritten.
    void (*pack)(const float* src, int64_t src_row, int64_t rows, int64_t panels, int64_t width, float* dst,
                 int64_t dst_row, int64_t pitch) = nullptr;
    /// The same from bf16, widened.
    void (*pack_bf16)(const uint16_t* src, int64_t src_row, int64_t rows, int64_t panels, int64_t width, float* dst,
                      int64_t dst_row, int64_t pitch) = nullptr;
    /// dst (columns x rows) = src (rows x columns) turned, with the same freedom behind the last row. More than one
    /// vector of rows need a dst_row of whole vectors.
    void (*pack_turned)(const float* src, int64_t src_row, int64_t rows, int64_t columns, float* dst,
                        int64_t dst_row) = nullptr;
    /// dst (columns x rows) = src (rows x columns) turned, nothing else touched.
    void (*transpose)(const float* src, int64_t src_row, int64_t rows, int64_t columns, float* dst,
                      int64_t dst_row) = nullptr;
    /// dst = the sum of `count` arrays of `size` floats that lie `apart` floats apart, added in their order.
    void (*sum)(const float* src, int64_t apart, int64_t count, int64_t size, float* dst) = nullptr;
    /// Orders streamed stores before whatever follows.
    void (*fence)() = nullptr;
};

const GemmKernels& gemm_kernels(Isa isa);

}  // namespace liven::kernels
