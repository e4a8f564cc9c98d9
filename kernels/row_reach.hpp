#pragma once

#include <algorithm>
#include <cstdint>

namespace liven::kernels {

/// Step::Stage::reach of units of `unit_rows` rows of a result: `end(y)` is the end of the rows, of a map of `height`
/// rows, that the result's rows before y need; maps of the result's own height are read with them.
template <class End>
double row_reach(int64_t result_rows, int64_t unit_rows, int64_t height, const End& end) {
    const int64_t units = (result_rows + unit_rows - 1) / unit_rows;
    double reach = 0;
    for (int64_t u = 1; u <= units; ++u) {
        const int64_t made = std::min(result_rows, u * unit_rows), read = end(made);
        const double share = std::max(static_cast<double>(made) / static_cast<double>(result_rows),
                                      static_cast<double>(read) / static_cast<double>(height));
        reach = std::max(reach, share - static_cast<double>(u) / static_cast<double>(units));
    }
    return reach;
}

}  // namespace liven::kernels
