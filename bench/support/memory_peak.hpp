#pragma once

#include <algorithm>
#include <vector>

#include "bench/support/team.hpp"
#include "liven/core/buffer.hpp"

namespace liven::bench {

/// Bytes a second between memory and all threads of a team.
struct MemoryRates {
    double read = 0;    ///< loads alone
    double copy = 0;    ///< loads and stores of equally much, each counted once
    double stream = 0;  ///< the same with stores that go past the caches
    double best() const { return std::max({read, copy, stream}); }
};

/// Reads and copies blocks that fit into no cache.
class MemoryProbe {
public:
    explicit MemoryProbe(Team& team);
    /// The rates now, the best of three passes each: some tens of milliseconds.
    MemoryRates measure();
    /// One reading pass: a few milliseconds.
    double read_rate();

private:
    template <class Pass>
    double rate(double bytes, const Pass& pass);

    Team& team_;
    std::vector<Buffer> src_, dst_;  ///< one of each a thread
};

}  // namespace liven::bench
