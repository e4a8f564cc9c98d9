#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/rounding.hpp"

namespace liven::kernels {

/// How the output rows of a sample are cut into units: by shape alone. About 16 units a sample, so that sixteen threads
/// can work through one sample together, but none so small that handing it out would show.
struct RowChunks {
    int64_t rows = 1;   ///< of a unit
    int64_t count = 1;  ///< units of a sample

    int64_t begin(int64_t chunk) const { return chunk * rows; }
    int64_t end(int64_t chunk, int64_t height) const { return std::min(height, (chunk + 1) * rows); }
};

/// Units of about `wanted` rows (never less than half of them), as even as units of one height can be.
inline RowChunks cut_rows(int64_t height, int64_t wanted) {
    const int64_t most = std::clamp<int64_t>(std::max((height + 15) / 16, wanted), 1, height);
    const int64_t rows = ceil_div(height, ceil_div(height, most));
    return {.rows = rows, .count = ceil_div(height, rows)};
}

/// What the number of partial sums of a weight gradient depends on.
struct WeightGradSums {
    int64_t samples = 1;
    int64_t most = 1;           ///< slots that there is memory for
    int64_t units_of_slot = 1;  ///< parts of the channels that make units of their own
    int64_t slot_floats = 0, sample_floats = 0;
};

/// How many slots hold whole samples; `samples`, or the most there is memory for, when a slot is small beside a
/// sample's maps. Partial sums as large as these would be written and read for nothing: then slots are as few as still
/// give enough units, and hold nearly the same number of samples.
inline int64_t weight_grad_slots(const WeightGradSums& sums) {
    constexpr int64_t enough_units = 16;
    const int64_t most = std::min(sums.most, sums.samples);
    if (sums.slot_floats < sums.sample_floats / 2) return most;
    const int64_t least = std::min(ceil_div(enough_units, sums.units_of_slot), most);
    const auto places = [&](int64_t slots) { return ceil_div(sums.samples, slots) * slots; };
    int64_t best = most;
    for (int64_t slots = most; slots >= least; --slots)
        if (places(slots) <= places(best)) best = slots;
    return best;
}

}  // namespace liven::kernels
