#include "bench/support/rounds.hpp"

#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "bench/probe.hpp"

namespace liven::bench {
namespace {

/// Below this many FLOPs a byte memory is the limit: two cores of the machines we know do six or more.
constexpr double kBalance = 4;

double wall_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Stopwatch::Stopwatch(int threads, Protocol protocol)
    : team_(threads), protocol_(protocol), memory_probe_(team_), memory_(memory_probe_.measure()) {}

double Stopwatch::fma_peak(Isa isa) {
    double& peak = fma_peaks_[isa];
    if (peak == 0)
        for (int i = 0; i < 5; ++i) peak = std::max(peak, fma_rate(isa));
    return peak;
}

/// Each thread's own processor time: what it waits for a core is not the core's rate.
double Stopwatch::fma_rate(Isa isa) {
    std::vector<double> rates(static_cast<size_t>(team_.threads()));
    team_.run([&](int thread) { rates[static_cast<size_t>(thread)] = probe_peak(isa); });
    double total = 0;
    for (const double rate : rates) total += rate;
    return total;
}

/// One thread is timed by its processor time, several by the wall clock.
double Stopwatch::seconds_of(const Work& work, int repeats) {
    const bool alone = team_.threads() == 1;
    const double start = alone ? seconds_now() : wall_now();
    for (int i = 0; i < repeats; ++i) work.run();
    return ((alone ? seconds_now() : wall_now()) - start) / repeats;
}

Timing Stopwatch::time(const Work& work, Isa isa) {
    Timing timing{.roof = work.flops < kBalance * work.bytes ? Roof::memory : Roof::fma};
    const double amount = timing.roof == Roof::fma ? work.flops : work.bytes;
    const auto probe = [&] { return timing.roof == Roof::fma ? fma_rate(isa) : memory_probe_.read_rate(); };
    work.run();
    const double first = seconds_of(work, 1);
    const int repeats = work.prepare ? 1 : std::clamp(static_cast<int>(protocol_.least_seconds / first), 1, 1000);
    std::vector<double> seconds, shares, peaks;
    for (int tried = 0; tried < 3 * protocol_.rounds && timing.kept < protocol_.rounds; ++tried) {
        const double before = probe();
        if (work.prepare) work.prepare();
        const double taken = seconds_of(work, repeats), after = probe();
        if (std::abs(before - after) > protocol_.tolerance * std::max(before, after)) {
            ++timing.dropped;
            continue;
        }
        ++timing.kept;
        seconds.push_back(taken);
        peaks.push_back(0.5 * (before + after));
        shares.push_back(amount / taken / peaks.back());
    }
    if (timing.kept == 0) return timing;
    timing.seconds = median(seconds);
    timing.share = median(shares);
    timing.peak = median(peaks);
    return timing;
}

void make_cold(const void* data, size_t bytes) {
    const auto* at = static_cast<const char*>(data);
    for (size_t i = 0; i < bytes; i += 64) _mm_clflush(at + i);
    _mm_mfence();
}

}  // namespace liven::bench
