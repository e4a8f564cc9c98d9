#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "liven/metrics/measure.hpp"
#include "liven/metrics/scores.hpp"

/// Is a difference more than chance? Tests over numbers (one per seed, fold or pair of data sets) and over the
/// decisions and scores of two models on the same samples. Where a test says nothing (too few numbers, no variance) its
/// results are undefined with the reason.
namespace liven {

/// One-way analysis of variance: do all groups have one mean?
struct Anova {
    Measure f, p;
    Measure eta_squared;                              ///< share of the variance that the groups explain
    int64_t between_freedom = 0, within_freedom = 0;  ///< degrees of freedom
};
/// Throws Error for less than two groups or a number that is not finite.
Anova one_way_anova(std::span<const std::vector<double>> groups);

/// paired: the numbers come in pairs (the same seed, fold, cell); pooled: Student's, one variance for both; welch: each
/// its own variance.
enum class TTestKind : uint8_t { paired, pooled, welch };
struct TTest {
    Measure t, p;           ///< two-sided
    double freedom = 0;     ///< degrees of freedom, not whole with welch
    double difference = 0;  ///< mean of a less mean of b
    Measure effect;  ///< Cohen's d: the difference by the pooled standard deviation; paired: by that of the differences
};
/// Throws Error when paired groups differ in length or a number is not finite.
TTest t_test(std::span<const double> a, std::span<const double> b, TTestKind kind);

/// Holm's step-down adjustment (1979): each p-value as it may be compared with the level of the whole family. In the
/// order given. Throws Error for a value outside [0, 1].
std::vector<double> holm_adjusted(std::span<const double> p);

/// Each pair of groups, first < second.
struct PairwiseTest {
    size_t first = 0, second = 0;
    TTest test;
    Measure adjusted_p;  ///< by Holm, over the pairs whose p is defined
};
std::vector<PairwiseTest> pairwise_t_tests(std::span<const std::vector<double>> groups, TTestKind kind);

/// McNemar's exact test: two models that decide on the same samples, looking at those where just one is right.
struct McNemar {
    int64_t only_first_right = 0, only_second_right = 0;
    Measure p;  ///< two-sided; undefined when the models are right and wrong together
};
/// Each model at its own threshold. Throws Error when the samples are not the same.
McNemar mcnemar_test(const ScoredSamples& a, double threshold_a, const ScoredSamples& b, double threshold_b);

/// DeLong's test of two correlated areas under the ROC curve (DeLong et al. 1988, by the midranks of Sun and Xu 2014).
struct DeLong {
    Measure auc_a, auc_b;
    Measure variance_a, variance_b, covariance;
    Measure z, p;  ///< two-sided
};
/// Throws Error when the samples are not the same.
DeLong delong_test(const ScoredSamples& a, const ScoredSamples& b);

}  // namespace liven
