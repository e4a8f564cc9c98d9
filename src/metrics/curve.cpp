#include "src/metrics/curve.hpp"

#include <algorithm>
#include <numeric>

namespace liven::metrics {

std::vector<CurvePoint> curve(const ScoredSamples& samples) {
    std::vector<size_t> order(samples.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return samples.scores[a] > samples.scores[b]; });
    std::vector<CurvePoint> points;
    int64_t bonafide = 0, attacks = 0;
    for (size_t i : order) {
        ++(samples.labels[i] == bonafide_class ? bonafide : attacks);
        if (points.empty() || points.back().score != samples.scores[i]) points.emplace_back();
        points.back() = {.score = samples.scores[i], .bonafide_accepted = bonafide, .attacks_accepted = attacks};
    }
    return points;
}

std::string no_curve(const ScoredSamples& samples) {
    check(samples);
    if (samples.size() == 0) return "no samples";
    if (samples.bonafide() == 0) return "no bona fide samples";
    if (samples.attacks() == 0) return "no attack samples";
    const auto [low, high] = std::minmax_element(samples.scores.begin(), samples.scores.end());
    if (*low == *high) return "all scores are equal";
    return "";
}

}  // namespace liven::metrics
