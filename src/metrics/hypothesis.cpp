#include "liven/metrics/hypothesis.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "liven/core/error.hpp"
#include "src/metrics/distributions.hpp"
#include "src/metrics/real.hpp"

namespace liven {
namespace {

using metrics::two_sided_t;

double mean_of(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double squares_of(std::span<const double> values) {
    return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
}

/// What is left of a sum of `squares` when equal numbers are taken from each other is rounding.
double without_rounding(double spread, double squares) { return spread <= 1e-28 * squares ? 0 : spread; }

/// Sum of squared deviations from the mean.
double spread_of(std::span<const double> values) {
    const double mean = mean_of(values);
    const double spread = std::accumulate(values.begin(), values.end(), 0.0, [mean](double sum, double value) {
        return sum + (value - mean) * (value - mean);
    });
    return without_rounding(spread, squares_of(values));
}

void require_finite(std::string_view where, std::span<const double> values) {
    for (const double value : values)
        if (!std::isfinite(value)) throw Error(where, "expected numbers, got " + std::to_string(value));
}

/// t and p of a difference with this standard error.
void judge(TTest& test, double error) {
    if (error > 0) {
        test.t = test.difference / error;
        test.p = two_sided_t(test.t.value(), test.freedom);
    } else {
        test.t = test.p = Measure::undefined("the numbers do not vary");
    }
}

TTest undefined_test(double difference, const char* reason) {
    const Measure none = Measure::undefined(reason);
    return {.t = none, .p = none, .freedom = 0, .difference = difference, .effect = none};
}

TTest paired_test(std::span<const double> a, std::span<const double> b) {
    if (a.size() != b.size())
        throw Error("t_test", "expected pairs, got " + std::to_string(a.size()) + " and " + std::to_string(b.size()) +
                                  " numbers");
    if (a.size() < 2) return undefined_test(a.empty() ? 0 : a[0] - b[0], "less than two pairs");
    std::vector<double> differences(a.size());
    std::transform(a.begin(), a.end(), b.begin(), differences.begin(), std::minus<>());
    const auto n = static_cast<double>(a.size());
    const double variance = without_rounding(spread_of(differences), squares_of(a) + squares_of(b)) / (n - 1);
    TTest test = undefined_test(mean_of(differences), "the numbers do not vary");
    test.freedom = n - 1;
    judge(test, std::sqrt(variance / n));
    if (variance > 0) test.effect = test.difference / std::sqrt(variance);
    return test;
}

TTest unpaired_test(std::span<const double> a, std::span<const double> b, bool welch) {
    if (a.size() < 2 || b.size() < 2) {
        const bool both = !a.empty() && !b.empty();
        return undefined_test(both ? mean_of(a) - mean_of(b) : 0, "a group of less than two numbers");
    }
    const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
    const double spread_a = spread_of(a), spread_b = spread_of(b);
    const double pooled = (spread_a + spread_b) / (n + m - 2);
    TTest test = undefined_test(mean_of(a) - mean_of(b), "the numbers do not vary");
    if (welch) {
        // Satterthwaite's degrees of freedom
        const double u = spread_a / (n - 1) / n, v = spread_b / (m - 1) / m;
        test.freedom = u + v > 0 ? (u + v) * (u + v) / (u * u / (n - 1) + v * v / (m - 1)) : 0;
        judge(test, std::sqrt(u + v));
    } else {
        test.freedom = n + m - 2;
        judge(test, std::sqrt(pooled * (1 / n + 1 / m)));
    }
    if (pooled > 0) test.effect = test.difference / std::sqrt(pooled);
    return test;
}

void require_same_samples(std::string_view where, const ScoredSamples& a, const ScoredSamples& b) {
    check(a);
    check(b);
    if (a.labels != b.labels)
        throw Error(where, "expected two models' scores of the same samples in the same order",
                    "the classes of the two differ");
}

/// Half the share of equal values counts: DeLong's placement of each of `values` among `others`, 0 to 1.
std::vector<double> placements(const std::vector<double>& values, std::vector<double> others) {
    std::sort(others.begin(), others.end());
    std::vector<double> placed;
    for (const double value : values) {
        const auto [low, high] = std::equal_range(others.begin(), others.end(), value);
        const auto below = static_cast<double>(low - others.begin()), equal = static_cast<double>(high - low);
        placed.push_back((below + equal / 2) / static_cast<double>(others.size()));
    }
    return placed;
}

/// Of one model: where bona fide scores lie among the attacks', and attacks' among the bona fide.
struct Placed {
    std::vector<double> bonafide, attacks;
    double auc = 0;

    explicit Placed(const ScoredSamples& samples) {
        std::vector<double> live, spoof;
        for (size_t i = 0; i < samples.size(); ++i)
            (samples.labels[i] == bonafide_class ? live : spoof).push_back(samples.scores[i]);
        bonafide = placements(live, spoof);
        attacks = placements(spoof, live);
        auc = mean_of(bonafide);
    }
};

double covariance_of(const std::vector<double>& a, const std::vector<double>& b) {
    const double mean_a = mean_of(a), mean_b = mean_of(b);
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
    return sum / static_cast<double>(a.size() - 1);
}

double auc_covariance(const Placed& a, const Placed& b) {
    return covariance_of(a.bonafide, b.bonafide) / static_cast<double>(a.bonafide.size()) +
           covariance_of(a.attacks, b.attacks) / static_cast<double>(a.attacks.size());
}

}  // namespace

Anova one_way_anova(std::span<const std::vector<double>> groups) {
    if (groups.size() < 2)
        throw Error("one_way_anova", "expected two groups or more, got " + std::to_string(groups.size()));
    std::vector<double> all;
    double within = 0;
    for (const std::vector<double>& group : groups) {
        require_finite("one_way_anova", group);
        all.insert(all.end(), group.begin(), group.end());
        if (!group.empty()) within += spread_of(group);
    }
    const auto undefined = [](const char* reason) {
        const Measure none = Measure::undefined(reason);
        return Anova{.f = none, .p = none, .eta_squared = none};
    };
    for (const std::vector<double>& group : groups)
        if (group.empty()) return undefined("a group without numbers");
    if (all.size() <= groups.size()) return undefined("no more numbers than groups");
    const double total = spread_of(all), between = std::max(0.0, total - within);
    Anova anova = undefined("the numbers do not vary");
    anova.between_freedom = static_cast<int64_t>(groups.size()) - 1;
    anova.within_freedom = static_cast<int64_t>(all.size() - groups.size());
    if (total > 0) anova.eta_squared = between / total;
    if (within > 0) {
        anova.f = between / real(anova.between_freedom) / (within / real(anova.within_freedom));
        anova.p = metrics::upper_f(anova.f.value(), real(anova.between_freedom), real(anova.within_freedom));
    } else {
        anova.f = anova.p = Measure::undefined("the numbers do not vary within their groups");
    }
    return anova;
}

TTest t_test(std::span<const double> a, std::span<const double> b, TTestKind kind) {
    require_finite("t_test", a);
    require_finite("t_test", b);
    return kind == TTestKind::paired ? paired_test(a, b) : unpaired_test(a, b, kind == TTestKind::welch);
}

std::vector<double> holm_adjusted(std::span<const double> p) {
    for (const double value : p)
        if (!(value >= 0 && value <= 1))
            throw Error("holm_adjusted", "expected probabilities, got " + std::to_string(value));
    std::vector<size_t> order(p.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t i, size_t j) { return p[i] < p[j]; });
    std::vector<double> adjusted(p.size());
    double highest = 0;
    for (size_t rank = 0; rank < order.size(); ++rank) {
        highest = std::max(highest, std::min(1.0, static_cast<double>(p.size() - rank) * p[order[rank]]));
        adjusted[order[rank]] = highest;
    }
    return adjusted;
}

std::vector<PairwiseTest> pairwise_t_tests(std::span<const std::vector<double>> groups, TTestKind kind) {
    std::vector<PairwiseTest> tests;
    std::vector<double> p;
    for (size_t i = 0; i < groups.size(); ++i)
        for (size_t j = i + 1; j < groups.size(); ++j) {
            const TTest test = t_test(groups[i], groups[j], kind);
            tests.push_back({.first = i, .second = j, .test = test, .adjusted_p = test.p});
            if (test.p) p.push_back(test.p.value());
        }
    const std::vector<double> adjusted = holm_adjusted(p);
    size_t next = 0;
    for (PairwiseTest& pair : tests)
        if (pair.test.p) pair.adjusted_p = adjusted[next++];
    return tests;
}

McNemar mcnemar_test(const ScoredSamples& a, double threshold_a, const ScoredSamples& b, double threshold_b) {
    require_same_samples("mcnemar_test", a, b);
    McNemar test{.p = Measure::undefined("the models are right and wrong together")};
    const auto right = [](const ScoredSamples& samples, size_t i, double threshold) {
        return (samples.scores[i] >= threshold) == (samples.labels[i] == bonafide_class);
    };
    for (size_t i = 0; i < a.size(); ++i) {
        const bool first = right(a, i, threshold_a), second = right(b, i, threshold_b);
        test.only_first_right += first && !second;
        test.only_second_right += second && !first;
    }
    if (test.only_first_right + test.only_second_right > 0)
        test.p = metrics::two_sided_coins(test.only_first_right, test.only_second_right);
    return test;
}

DeLong delong_test(const ScoredSamples& a, const ScoredSamples& b) {
    require_same_samples("delong_test", a, b);
    const Measure none = Measure::undefined(a.bonafide() < 2 || a.attacks() < 2 ? "less than two samples of a class"
                                                                                : "the two curves do not differ");
    DeLong test{
        .auc_a = none, .auc_b = none, .variance_a = none, .variance_b = none, .covariance = none, .z = none, .p = none};
    if (a.bonafide() < 2 || a.attacks() < 2) return test;
    const Placed first(a), second(b);
    const double variance_a = auc_covariance(first, first), variance_b = auc_covariance(second, second),
                 covariance = auc_covariance(first, second);
    test.auc_a = first.auc;
    test.auc_b = second.auc;
    test.variance_a = variance_a;
    test.variance_b = variance_b;
    test.covariance = covariance;
    const double variance = variance_a + variance_b - 2 * covariance;
    // What remains of equal terms is rounding.
    if (variance <= 1e-14 * (variance_a + variance_b)) return test;
    test.z = (first.auc - second.auc) / std::sqrt(variance);
    test.p = metrics::two_sided_normal(test.z.value());
    return test;
}

}  // namespace liven
