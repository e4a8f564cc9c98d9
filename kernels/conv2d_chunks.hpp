#pragma once

#include <algorithm>
#include <cstdint>

namespace liven::kernels {

/// How the output rows of a sample are cut into units: by shape alone. About 16 units a sample, so that sixteen threads
/// can work through one sample together, but none so small that handing it out would show.
struct RowChunks {
    int64_t rows = 1;   ///< of a unit
    int64_t count = 1;  ///< units of a sample

    int64_t begin(int64_t chunk) const { return chunk * rows; }
    int64_t end(int64_t chunk, int64_t height) const { return std::min(height, (chunk + 1) * rows); }
};

inline RowChunks cut_rows(int64_t height, int64_t least_rows) {
    const int64_t rows = std::clamp<int64_t>(std::max((height + 15) / 16, least_rows), 1, height);
    return {.rows = rows, .count = (height + rows - 1) / rows};
}

}  // namespace liven::kernels
