#pragma once

#include <functional>

#include "kernels/conv2d/measured_costs.hpp"
#include "kernels/tuning.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/graph.hpp"

namespace liven::detail {

struct TuneOptions {
    int rounds = 7;  ///< of every kernel over a problem, by turns; the median counts
    /// As at inference, packing weights is not timed.
    bool keeps_weights = false;
    /// Problems done and to do; may be empty.
    std::function<void(int64_t done, int64_t total)> progress;
};

/// Times every kernel that accepts a problem of the plan, where there is more than one, and sets their times in
/// `table`. In CPU time of one thread: what else the machine does disturbs little, and the choice must not depend on
/// the number of threads. The problems are those of the plan as it is made now; run it on a plan made by estimates.
void tune(const Graph& traced, const EngineOptions& options, const TuneOptions& how, kernels::TuningTable& table);

/// Times every kernel that takes a convolution of the plan, by itself and without programs, and sets their shares of
/// the FMA peak, which is probed in between. Over a single sample packing weights is not timed: that is inference.
void measure_costs(const Graph& traced, const EngineOptions& options, const TuneOptions& how,
                   kernels::MeasuredCosts& costs);

}  // namespace liven::detail
