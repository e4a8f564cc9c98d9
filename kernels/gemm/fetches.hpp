#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/gemm/gemm.hpp"
#include "kernels/rounding.hpp"

namespace liven::kernels {

/// What a product's tiles bring into L2 while they multiply, since memory is idle then: rows of the maps that the
/// epilogue will read or write, or the next block read. Evenly spread over the tiles; what does not fit is left out.
class GemmFetches {
public:
    /// `rows` rows of `row_bytes`, `pitch` bytes apart.
    void add(const void* data, int64_t rows, int64_t row_bytes, int64_t pitch) {
        const auto* first = static_cast<const char*>(data);
        if (rows <= 0 || row_bytes <= 0) return;
        if (pitch == row_bytes) {  // one piece
            const int64_t bytes = rows * row_bytes;
            row_bytes = pitch = std::min(bytes, longest);
            rows = ceil_div(bytes, row_bytes);
        }
        for (int64_t at = 0; at < row_bytes && count_ < pieces_.size(); at += longest) {
            pieces_[count_++] = {first + at, rows, std::min(longest, row_bytes - at), pitch};
            total_ += rows;
        }
    }
    /// The pieces are to be spread over this many tiles.
    void spread(int64_t tiles) { tiles_ = tiles; }

    /// Gives the next tile its share.
    void next(GemmTile& tile) {
        ++tile_;
        tile.fetch = nullptr;
        tile.fetch_step = tile.fetch_jump = 0;
        if (current_ == count_ || done_ * tiles_ >= total_ * tile_) return;
        Piece& piece = pieces_[current_];
        tile.fetch = piece.data;
        tile.fetch_step = piece.row_bytes / GemmTile::fetch_steps;
        tile.fetch_jump = piece.pitch - tile.fetch_step * GemmTile::fetch_steps;
        const int64_t rows = std::min(std::max<int64_t>(tile.depth / GemmTile::fetch_steps, 1), piece.rows);
        done_ += rows;
        piece.rows -= rows;
        piece.data += rows * piece.pitch;
        if (piece.rows == 0) ++current_;
    }

private:
    static constexpr int64_t longest = 64 * GemmTile::fetch_steps;  ///< bytes of a row: a line a step
    struct Piece {
        const char* data = nullptr;
        int64_t rows = 0, row_bytes = 0, pitch = 0;
    };
    std::array<Piece, 64> pieces_;
    size_t count_ = 0, current_ = 0;
    int64_t total_ = 0, done_ = 0;  ///< rows
    int64_t tiles_ = 1, tile_ = 0;
};

}  // namespace liven::kernels
