#pragma once

#include <functional>

#include "kernels/tuning.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/graph.hpp"

namespace liven::detail {

struct TuneOptions {
    int rounds = 7;  ///< of every kernel over a problem, by turns; the median counts
    /// Problems done and to do; may be empty.
    std::function<void(int64_t done, int64_t total)> progress;
};

/// Times every kernel that accepts a problem of the plan, where there is more than one, and sets their times in
/// `table`. In CPU time of one thread: what else the machine does disturbs little, and the choice must not depend on
/// the number of threads. The problems are those of the plan as it is made now; run it on a plan made by estimates.
void tune(const Graph& traced, const EngineOptions& options, const TuneOptions& how, kernels::TuningTable& table);

}  // namespace liven::detail
