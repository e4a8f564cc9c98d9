#include "liven/metrics/scores.hpp"

#include <algorithm>
#include <cmath>

#include "liven/core/error.hpp"

namespace liven {
namespace {

constexpr double kLargest = 1e300;  // so that differences of scores stay finite

}  // namespace

int64_t ScoredSamples::bonafide() const { return std::count(labels.begin(), labels.end(), bonafide_class); }
int64_t ScoredSamples::attacks() const { return std::count(labels.begin(), labels.end(), attack_class); }

void check(const ScoredSamples& samples) {
    const size_t n = samples.scores.size();
    if (samples.labels.size() != n || (!samples.attack_types.empty() && samples.attack_types.size() != n))
        throw Error("metrics", "got " + std::to_string(n) + " scores, " + std::to_string(samples.labels.size()) +
                                   " labels and " + std::to_string(samples.attack_types.size()) + " attack types");
    for (size_t i = 0; i < n; ++i) {
        if (samples.labels[i] != bonafide_class && samples.labels[i] != attack_class)
            throw Error("metrics", "label " + std::to_string(i) + " is " + std::to_string(samples.labels[i]) +
                                       ", expected 0 (bona fide) or 1 (attack)");
        if (!(std::abs(samples.scores[i]) <= kLargest))
            throw Error("metrics", "score " + std::to_string(i) + " is " + std::to_string(samples.scores[i]) +
                                       ", expected a number");
    }
}

}  // namespace liven
