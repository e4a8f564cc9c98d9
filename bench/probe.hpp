#pragma once

#include <algorithm>
#include <ctime>
#include <vector>

#include "kernels/peak.hpp"
#include "kernels/step.hpp"
#include "liven/core/bf16.hpp"
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

/// What a benchmark of a step on one thread finds: medians over its rounds.
struct StepTimes {
    double seconds = 0;
    double share = 0;  ///< of the FMA peak probed around every round
};

/// Runs all units of a step in their order, on this thread, as often as the benchmark's state asks for.
template <class State>
StepTimes time_step(State& state, const kernels::Step& step, const kernels::Buffers& buffers, Isa isa, double flops) {
    std::vector<double> times, shares;
    for ([[maybe_unused]] auto _ : state) {
        const double before = probe_peak(isa), start = seconds_now();
        for (size_t stage = 0; stage < step.stages.size(); ++stage)
            for (int64_t unit = 0; unit < step.stages[stage].units; ++unit)
                step.run(static_cast<int>(stage), unit, buffers);
        const double taken = seconds_now() - start, peak = std::max(before, probe_peak(isa));
        state.SetIterationTime(taken);
        times.push_back(taken);
        shares.push_back(flops / taken / peak);
    }
    return {.seconds = median(times), .share = median(shares)};
}

/// Random numbers from -1 to 1, in f32 or bf16.
inline Buffer filled(int64_t count, DType dtype = DType::f32) {
    Buffer out(static_cast<size_t>(count) * size_of(dtype));
    Random random(1);
    for (int64_t i = 0; i < count; ++i) {
        const float value = random.uniform(-1.0f, 1.0f);
        if (dtype == DType::bf16)
            out.as<uint16_t>()[i] = to_bf16(value);
        else
            out.as<float>()[i] = value;
    }
    return out;
}

}  // namespace liven::bench
