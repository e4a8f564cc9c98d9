#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "bench/support/memory_peak.hpp"
#include "bench/support/team.hpp"
#include "liven/core/isa.hpp"

namespace liven::bench {

/// What bounds a piece of work, by its FLOPs a byte: the probe around it is of that.
enum class Roof { fma, memory };

/// What is timed.
struct Work {
    double flops = 0, bytes = 0;
    std::function<void()> prepare;  ///< before each run, not timed; then every run is timed by itself
    std::function<void()> run;
};

/// The rounds of one piece of work.
struct Timing {
    double seconds = 0;  ///< median over the rounds kept
    double share = 0;    ///< median of the rate over the peak of the probes before and after it
    double peak = 0;     ///< median of the probes: FLOP/s or bytes/s
    Roof roof = Roof::fma;
    int kept = 0, dropped = 0;
};

/// How often, and when a round counts.
struct Protocol {
    int rounds = 20;              ///< rounds to keep; three times as many are tried at most
    double tolerance = 0.03;      ///< rounds whose probes differ by more are dropped
    double least_seconds = 2e-3;  ///< a round repeats shorter work
};

/// Times work in rounds of probe, work, probe with a team of one size.
class Stopwatch {
public:
    Stopwatch(int threads, Protocol protocol);

    /// The FMA peak is that of the instruction set.
    Timing time(const Work& work, Isa isa);
    Team& team() { return team_; }
    /// Measured when it is first asked for.
    double fma_peak(Isa isa);
    /// Measured at the beginning.
    const MemoryRates& memory_rates() const { return memory_; }

private:
    double fma_rate(Isa isa);
    double seconds_of(const Work& work, int repeats);

    Team team_;
    Protocol protocol_;
    MemoryProbe memory_probe_;
    MemoryRates memory_;
    std::map<Isa, double> fma_peaks_;
};

/// Flushes a block of memory out of every cache.
void make_cold(const void* data, size_t bytes);

}  // namespace liven::bench
