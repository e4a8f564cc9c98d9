#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "liven/core/error.hpp"
#include "liven/metrics/pad.hpp"
#include "src/metrics/curve.hpp"

namespace liven {
namespace {

using metrics::CurvePoint;

Threshold undefined(const std::string& reason) {
    return {.threshold = Measure::undefined(reason), .value = Measure::undefined(reason)};
}

/// The curve with the point that accepts nothing in front.
std::vector<CurvePoint> whole_curve(const ScoredSamples& samples) {
    std::vector<CurvePoint> points = metrics::curve(samples);
    // Not the next double: above zero that is a denormal, which flush-to-zero takes for zero.
    const double highest = points.front().score;
    const double above = highest + std::max(1.0, std::abs(highest)) * 0x1p-40;
    points.insert(points.begin(), CurvePoint{.score = above, .bonafide_accepted = 0, .attacks_accepted = 0});
    return points;
}

/// No samples at all are undefined in what follows.
void refuse_one_set(const std::string& what, const ScoredSamples& samples) {
    if (samples.size() == 0) return;
    throw Error("metrics",
                what + " needs a threshold from other samples than the " + std::to_string(samples.size()) +
                    " it judges, but both sets are the same",
                "choose it on validation samples, or say in words that a within-set optimum is meant");
}

/// A number in (below, at]: the middle, unless rounding puts it on the wrong side.
double middle(double below, double at) {
    const double mid = below + (at - below) / 2;
    return mid > below && mid <= at ? mid : at;
}

}  // namespace

Threshold minimum_acer(const ScoredSamples& samples) {
    if (const std::string reason = metrics::no_curve(samples); !reason.empty()) return undefined(reason);
    const std::vector<CurvePoint> points = whole_curve(samples);
    const int64_t bonafide = points.back().bonafide_accepted, attacks = points.back().attacks_accepted;
    // Errors times both class sizes are whole numbers, so that ties are ties; a better candidate is a smaller tuple.
    using Quality = std::tuple<int64_t, int64_t, double, double>;
    Quality best{};
    for (size_t i = 0; i < points.size(); ++i) {
        const int64_t accepted = points[i].attacks_accepted * bonafide;
        const int64_t rejected = (bonafide - points[i].bonafide_accepted) * attacks;
        const bool inner = i > 0 && i + 1 < points.size();  // the ends reject all and accept all
        const double width = inner ? points[i].score - points[i + 1].score : 0;
        const double threshold = inner ? middle(points[i + 1].score, points[i].score) : points[i].score;
        const Quality quality{accepted + rejected, std::abs(accepted - rejected), -width, threshold};
        if (i == 0 || quality < best) best = quality;
    }
    const double pairs = static_cast<double>(bonafide) * static_cast<double>(attacks);
    return {.threshold = std::get<3>(best), .value = static_cast<double>(std::get<0>(best)) / pairs / 2};
}

Threshold equal_error_rate(const ScoredSamples& samples) {
    if (const std::string reason = metrics::no_curve(samples); !reason.empty()) return undefined(reason);
    const std::vector<CurvePoint> points = whole_curve(samples);
    const double bonafide = static_cast<double>(points.back().bonafide_accepted);
    const double attacks = static_cast<double>(points.back().attacks_accepted);
    const auto false_accepts = [attacks](const CurvePoint& p) {
        return static_cast<double>(p.attacks_accepted) / attacks;
    };
    const auto false_rejects = [bonafide](const CurvePoint& p) {
        return 1 - static_cast<double>(p.bonafide_accepted) / bonafide;
    };
    // From point to point false accepts grow from 0 to 1 and false rejects fall from 1 to 0: they cross in one segment.
    size_t i = 1;
    while (false_accepts(points[i]) < false_rejects(points[i])) ++i;
    const double before = false_rejects(points[i - 1]) - false_accepts(points[i - 1]);
    const double after = false_rejects(points[i]) - false_accepts(points[i]);
    const double t = before / (before - after);
    return {.threshold = points[i - 1].score + t * (points[i].score - points[i - 1].score),
            .value = false_accepts(points[i - 1]) + t * (false_accepts(points[i]) - false_accepts(points[i - 1]))};
}

Threshold bpcer_at_apcer(const ScoredSamples& samples, double limit) {
    if (!(limit >= 0 && limit <= 1)) throw Error("metrics", "the APCER limit is " + std::to_string(limit));
    if (const std::string reason = metrics::no_curve(samples); !reason.empty()) return undefined(reason);
    const std::vector<CurvePoint> points = whole_curve(samples);
    const double bonafide = static_cast<double>(points.back().bonafide_accepted);
    const double attacks = static_cast<double>(points.back().attacks_accepted);
    // Further down the curve more is accepted of both classes: the last point within the limit is the best. The slack
    // makes 29 of 100 no more than 0.29, whose product with 100 rounds to less than 29.
    const double most = limit * attacks + 1e-9;
    const auto end = std::find_if(points.begin(), points.end(),
                                  [&](const CurvePoint& p) { return static_cast<double>(p.attacks_accepted) > most; });
    const CurvePoint& best = *std::prev(end);
    return {.threshold = best.score, .value = 1 - static_cast<double>(best.bonafide_accepted) / bonafide};
}

Threshold half_total_error_rate(const ScoredSamples& development, const ScoredSamples& test) {
    if (development == test) refuse_one_set("the half total error rate", development);
    const Threshold fixed = equal_error_rate(development);
    if (!fixed.threshold) return undefined("development set: " + fixed.threshold.reason());
    return {.threshold = fixed.threshold, .value = acer(confusion(test, fixed.threshold.value()))};
}

PadReport pad_report(const ScoredSamples& validation, const ScoredSamples& test, const ThresholdChoice& choice) {
    if (validation == test && choice.within_set_optimum.empty()) refuse_one_set("a report", test);
    const Threshold chosen =
        choice.rule == ThresholdRule::minimum_acer ? minimum_acer(validation) : equal_error_rate(validation);
    if (!chosen.threshold)
        throw Error("metrics", "no threshold can be chosen on the validation samples: " + chosen.threshold.reason());
    return pad_report(test, chosen.threshold.value());
}

ScoreHistogram score_histogram(const ScoredSamples& samples, int bins) {
    check(samples);
    if (bins < 1) throw Error("metrics", "a histogram needs at least one bin, got " + std::to_string(bins));
    ScoreHistogram out;
    if (samples.size() != 0) {
        const auto [low, high] = std::minmax_element(samples.scores.begin(), samples.scores.end());
        if (*low < 0 || *high > 1) {
            out.low = *low;
            out.high = *high;
        }
    }
    const size_t count = static_cast<size_t>(bins);
    out.bonafide.resize(count);
    out.attack.resize(count);
    for (size_t i = 0; i < samples.size(); ++i) {
        const double span = out.high - out.low;  // zero when all scores are equal: all go to the first bin
        const double place = span > 0 ? (samples.scores[i] - out.low) / span * bins : 0;
        const size_t bin = std::min(static_cast<size_t>(std::max(place, 0.0)), count - 1);
        ++(samples.labels[i] == bonafide_class ? out.bonafide : out.attack)[bin];
    }
    return out;
}

}  // namespace liven
