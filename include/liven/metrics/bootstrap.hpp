#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "liven/metrics/measure.hpp"
#include "liven/metrics/scores.hpp"

namespace liven {

/// Samples of one unit (a video, a subject) as one: the mean of their scores. Samples of different class or attack type
/// stay apart, so that a subject gives one bona fide score and one for each attack on it. In the order in which units
/// first appear. Throws Error when `units` is of another length.
struct UnitScores {
    ScoredSamples samples;
    std::vector<std::string> units;  ///< of each of `samples`
};
UnitScores mean_by_unit(const ScoredSamples& samples, std::span<const std::string> units);

/// A confidence interval, by the percentiles of a bootstrap.
struct Interval {
    Measure low, high;
    double level = 0.95;
    int64_t undefined = 0;  ///< resamples on which the measure had no value; left out
    /// "[0.0312, 0.0521]", or "undefined (...)".
    std::string str(int decimals = 4) const;
};
struct BootstrapOptions {
    int64_t resamples = 2000;
    double level = 0.95;
    uint64_t seed = 42;
};
/// Groups, not samples, are drawn with replacement (Field and Welsh 2007): frames of one video say nearly the same, and
/// drawing them one by one would make the interval far too narrow. Groups are drawn within what they hold (bona fide
/// samples, attacks, both), so that no resample loses a class; where only one holds what it holds, all are drawn
/// together, and resamples on which the measure has no value are left out. The same seed gives the same interval.
/// Undefined for less than two groups, where one group holds all samples of a class, and when the measure is undefined
/// on half of the resamples or more. Throws Error when `groups` is of another length or an option cannot be.
Interval bootstrap_interval(const ScoredSamples& samples, std::span<const std::string> groups,
                            const std::function<Measure(const ScoredSamples&)>& measure,
                            const BootstrapOptions& options = {});

}  // namespace liven
