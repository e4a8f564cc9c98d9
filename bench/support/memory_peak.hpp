#pragma once

#include <vector>

#include "bench/support/team.hpp"
#include "kernels/memory_peak.hpp"
#include "liven/core/buffer.hpp"

namespace liven::bench {

using kernels::MemoryRates;

/// Reads and copies blocks that fit into no cache.
class MemoryProbe {
public:
    explicit MemoryProbe(Team& team);
    /// The rates now, the best of three passes each: some tens of milliseconds.
    MemoryRates measure();
    /// One reading pass: a few milliseconds.
    double read_rate();

private:
    double rate(kernels::MemoryPass pass);

    Team& team_;
    std::vector<Buffer> src_, dst_;  ///< one of each a thread
};

}  // namespace liven::bench
