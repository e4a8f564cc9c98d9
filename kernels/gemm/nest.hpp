#pragma once

#include <algorithm>

#include "kernels/gemm/fetches.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/rounding.hpp"

namespace liven::kernels {

/// A block of the result: all strips of a against all panels of b, panel by panel.
struct GemmNest {
    GemmTile
        tile;  ///< the first one: a, b, c and add are where the block's begin; rows and columns are set by the nest
    int64_t rows = 0, columns = 0;
    int64_t strip = 0;               ///< most rows of a tile; all have nearly as many
    int64_t row_step = 0;            ///< floats from where a strip that starts with one row lies to the next row's
    int64_t panel_pitch = 0;         ///< floats from one panel of b to the next
    bool b_packed = false;           ///< in panels of this layout: rows of whole vectors, the last panel's narrower
    int64_t first_step = 0;          ///< of the depth of packed panels
    bool a_is_new = false;           ///< a comes from memory: the first panel asks for the strips ahead
    GemmFetches* fetches = nullptr;  ///< what comes after this product

    int64_t tiles(const GemmKernels& kernels) const {
        return ceil_div(rows, strip) * ceil_div(columns, kernels.columns);
    }

    void run(const GemmKernels& kernels) const {
        const int64_t strips = ceil_div(rows, strip), depth = std::max<int64_t>(tile.depth, 1);
        GemmTile t = tile;
        for (int64_t n = 0, p = 0; n < columns; n += kernels.columns, ++p) {
            t.columns = std::min(kernels.columns, columns - n);
            if (b_packed) t.b_row = round_up(t.columns, kernels.lanes);
            t.b = tile.b + p * panel_pitch + first_step * t.b_row;
            // Meanwhile the next panel comes into L2, or the next strip.
            const bool asks_for_a = a_is_new && p == 0;
            const int64_t step = asks_for_a ? strip * row_step / depth + 1 : kernels.columns / strips + 1;
            for (int64_t m = 0, s = 0; s < strips; m += t.rows, ++s) {
                t.rows = rows * (s + 1) / strips - m;
                t.a = tile.a + m * row_step;
                t.c = tile.c + m * tile.c_row + n;
                t.add = tile.add ? tile.add + m * tile.add_row + n : nullptr;
                t.ahead = asks_for_a ? t.a + t.rows * row_step : t.b + panel_pitch + s * depth * step;
                t.ahead_step = step;
                if (fetches) fetches->next(t);
                kernels.tile(t);
            }
        }
    }
};

}  // namespace liven::kernels
