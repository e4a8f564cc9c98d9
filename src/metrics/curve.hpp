#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "liven/metrics/scores.hpp"

namespace liven::metrics {

/// The decisions when every score >= `score` is accepted.
struct CurvePoint {
    double score = 0;
    int64_t bonafide_accepted = 0, attacks_accepted = 0;
};

/// One point a distinct score, from the highest to the lowest; the last accepts all.
std::vector<CurvePoint> curve(const ScoredSamples& samples);

/// Why no curve can be drawn; empty when there are both classes and two distinct scores. Calls check().
std::string no_curve(const ScoredSamples& samples);

}  // namespace liven::metrics
