#pragma once

#include <algorithm>
#include <cstdint>

namespace liven::kernels {

/// Adds slots of partial sums, in place, in a pairwise tree whose form depends on their number alone; slot 0 ends up
/// with the sum. A unit takes a stretch of all slots.
class SlotSum {
public:
    struct Options {
        int64_t slots = 1;
        int64_t slot_floats = 0;
    };
    struct Range {
        int64_t begin = 0, end = 0;
    };

    explicit SlotSum(const Options& options) : options_(options) {}

    int64_t units() const { return (options_.slot_floats + stretch - 1) / stretch; }

    /// Returns the stretch of slot 0 that is complete now.
    Range run(int64_t unit, float* slots) const noexcept {
        const Range range = range_of(unit);
        int64_t distance = 1;
        for (; distance < options_.slots; distance *= 2) add_pairs(distance, range, slots);
        return range;
    }

    /// The same, the sum of at least two slots going straight to `dst`.
    void run(int64_t unit, float* slots, float* __restrict dst) const noexcept {
        const Range range = range_of(unit);
        int64_t distance = 1;
        for (; 2 * distance < options_.slots; distance *= 2) add_pairs(distance, range, slots);
        const float *first = slots, *second = slots + distance * options_.slot_floats;
        for (int64_t i = range.begin; i < range.end; ++i) dst[i] = first[i] + second[i];
    }

private:
    Range range_of(int64_t unit) const {
        return {.begin = unit * stretch, .end = std::min(options_.slot_floats, (unit + 1) * stretch)};
    }

    void add_pairs(int64_t distance, const Range& range, float* slots) const noexcept {
        for (int64_t slot = 0; slot + distance < options_.slots; slot += 2 * distance) {
            float* to = slots + slot * options_.slot_floats;
            const float* from = to + distance * options_.slot_floats;
            for (int64_t i = range.begin; i < range.end; ++i) to[i] += from[i];
        }
    }

    static constexpr int64_t stretch = 1024;
    Options options_;
};

}  // namespace liven::kernels
