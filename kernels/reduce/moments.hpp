#pragma once

#include <cstdint>

namespace liven::kernels {

/// Count, mean and sum of squared deviations of many channels side by side.
struct MomentPlanes {
    double *count, *mean, *m2;
};

/// Merges `from` into `into` (Chan, Golub & LeVeque, 1979). An empty side changes nothing.
inline void merge_moments(const MomentPlanes& into, const double* count, const double* mean, const double* m2,
                          int64_t channels) {
    for (int64_t c = 0; c < channels; ++c) {
        const double delta = mean[c] - into.mean[c], total = into.count[c] + count[c];
        const double share = count[c] / (total > 1.0 ? total : 1.0);
        into.m2[c] += m2[c] + delta * delta * (into.count[c] * share);
        into.mean[c] += delta * share;
        into.count[c] = total;
    }
}

}  // namespace liven::kernels
