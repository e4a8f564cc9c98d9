#pragma once

#include <string>
#include <vector>

#include "liven/graph/profile.hpp"
#include "workload.hpp"

namespace liven::cli {

/// What the steps of a workload's plan take, and what the machine could do meanwhile.
struct WorkProfile {
    std::vector<ProfileEntry> steps = {};
    Timeline timeline = {};   ///< of the fastest run: what else the machine did disturbed it least
    double milliseconds = 0;  ///< of a whole run, tracing included: the median
    int runs = 0, threads = 0;
    double fma_peak = 0;     ///< FLOP/s of all threads, probed between the runs
    double memory_peak = 0;  ///< bytes a second of all threads, probed before and after them

    /// Throws Error, in the name of the option that asks for times, under the reference executor, which keeps none.
    static void require_times(const std::string& option);
    /// Up to 20 runs in about ten seconds.
    static WorkProfile measure(Workload& work, int threads);
    /// A line for each step that counts, the longest first, then the sums by kind of work.
    std::string table() const;
};

}  // namespace liven::cli
