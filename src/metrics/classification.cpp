#include "liven/metrics/classification.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "liven/core/error.hpp"
#include "src/metrics/curve.hpp"
#include "src/metrics/real.hpp"

namespace liven {
Confusion confusion(const ScoredSamples& samples, double threshold) {
    check(samples);
    if (std::isnan(threshold)) throw Error("metrics", "the threshold is not a number");
    Confusion counts;
    for (size_t i = 0; i < samples.size(); ++i) {
        const bool accepted = samples.scores[i] >= threshold;
        if (samples.labels[i] == bonafide_class)
            ++(accepted ? counts.bonafide_accepted : counts.bonafide_rejected);
        else
            ++(accepted ? counts.attacks_accepted : counts.attacks_rejected);
    }
    return counts;
}

Measure accuracy(const Confusion& c) {
    return ratio(real(c.bonafide_accepted + c.attacks_rejected), real(c.total()), "no samples");
}

Measure precision(const Confusion& c, Positive positive) {
    const double tp = real(c.true_positives(positive));
    return ratio(tp, tp + real(c.false_positives(positive)), "nothing was decided to be positive");
}

Measure recall(const Confusion& c, Positive positive) {
    const double tp = real(c.true_positives(positive));
    return ratio(tp, tp + real(c.false_negatives(positive)), "no positive samples");
}

Measure specificity(const Confusion& c, Positive positive) {
    const double tn = real(c.true_negatives(positive));
    return ratio(tn, tn + real(c.false_positives(positive)), "no negative samples");
}

Measure f1(const Confusion& c, Positive positive) {
    const double twice = 2 * real(c.true_positives(positive));
    return ratio(twice, twice + real(c.false_positives(positive)) + real(c.false_negatives(positive)),
                 "no positive samples and none decided to be");
}

Measure matthews_correlation(const Confusion& c) {
    const double tp = real(c.attacks_rejected), fn = real(c.attacks_accepted), tn = real(c.bonafide_accepted),
                 fp = real(c.bonafide_rejected);
    // Two square roots: the product of four counts of millions is beyond a double's 53 bits.
    const double scale = std::sqrt((tp + fp) * (tp + fn)) * std::sqrt((tn + fp) * (tn + fn));
    return ratio(tp * tn - fp * fn, scale, "a class, or a decision, does not occur");
}

Measure cohen_kappa(const Confusion& c) {
    const double n = real(c.total());
    if (n == 0) return Measure::undefined("no samples");
    const double accepted = real(c.bonafide_accepted + c.attacks_accepted);
    const double observed = real(c.bonafide_accepted + c.attacks_rejected) / n;
    const double by_chance = (accepted * real(c.bonafide()) + (n - accepted) * real(c.attacks())) / (n * n);
    return ratio(observed - by_chance, 1 - by_chance, "all samples and all decisions are of one class");
}

Measure roc_auc(const ScoredSamples& samples) {
    if (const std::string reason = metrics::no_curve(samples); !reason.empty()) return Measure::undefined(reason);
    // Pairs in which the bona fide sample wins, counted in halves to stay whole: the result is exact but for one
    // division.
    int64_t half_wins = 0, bonafide = 0, attacks = 0;
    for (const metrics::CurvePoint& point : metrics::curve(samples)) {
        const int64_t new_attacks = point.attacks_accepted - attacks;
        half_wins += new_attacks * (bonafide + point.bonafide_accepted);
        bonafide = point.bonafide_accepted;
        attacks = point.attacks_accepted;
    }
    return real(half_wins) / 2 / real(bonafide) / real(attacks);
}

Measure pr_auc(const ScoredSamples& samples, Positive positive) {
    if (const std::string reason = metrics::no_curve(samples); !reason.empty()) return Measure::undefined(reason);
    ScoredSamples turned = samples;
    if (positive == Positive::attack)  // higher must mean more positive, and "accepted" then counts attacks
        for (size_t i = 0; i < samples.size(); ++i) {
            turned.scores[i] = -samples.scores[i];
            turned.labels[i] = 1 - samples.labels[i];
        }
    double area = 0;
    int64_t found = 0;
    for (const metrics::CurvePoint& point : metrics::curve(turned)) {
        const double at = real(point.bonafide_accepted) / real(point.bonafide_accepted + point.attacks_accepted);
        area += real(point.bonafide_accepted - found) * at;
        found = point.bonafide_accepted;
    }
    return area / real(found);
}

Measure log_loss(const ScoredSamples& samples) {
    check(samples);
    if (samples.size() == 0) return Measure::undefined("no samples");
    constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
    double sum = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
        const double score = samples.scores[i];
        if (score < 0 || score > 1) return Measure::undefined("score " + std::to_string(i) + " is no probability");
        const double p = samples.labels[i] == bonafide_class ? score : 1 - score;
        sum -= std::log(std::clamp(p, kEpsilon, 1 - kEpsilon));
    }
    return sum / real(static_cast<int64_t>(samples.size()));
}

}  // namespace liven
