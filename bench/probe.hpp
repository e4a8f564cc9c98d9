#pragma once

#include <algorithm>
#include <ctime>
#include <vector>

#include "kernels/peak.hpp"
#include "liven/core/buffer.hpp"
#include "liven/core/philox.hpp"

/// What the benchmarks measure with.
namespace liven::bench {

/// Processor time of this thread: on a shared machine a kernel of 5 ms is put aside more often than a probe of 50 us.
inline double seconds_now() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// FLOP/s of this core now: the best of three short probes.
inline double probe_peak(Isa isa) {
    double best = 0;
    for (int i = 0; i < 3; ++i) {
        const double start = seconds_now(), flops = kernels::fma_probe(isa, 400'000);
        best = std::max(best, flops / (seconds_now() - start));
    }
    return best;
}

inline double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

/// Random numbers from -1 to 1.
inline Buffer filled(int64_t count) {
    Buffer out(static_cast<size_t>(count) * sizeof(float));
    Random random(1);
    for (int64_t i = 0; i < count; ++i) out.as<float>()[i] = random.uniform(-1.0f, 1.0f);
    return out;
}

}  // namespace liven::bench
