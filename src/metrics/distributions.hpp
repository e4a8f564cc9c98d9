#pragma once

#include <cstdint>

/// Probabilities of test statistics under the hypothesis that there is no difference.
namespace liven::metrics {

/// Probability of |T| >= |t|, T of Student's distribution.
double two_sided_t(double t, double freedom);
/// T of Student's distribution lies within +- this with that probability; 0 < probability < 1.
double student_bound(double probability, double freedom);
/// Probability of F >= f.
double upper_f(double f, double between_freedom, double within_freedom);
/// Probability of |Z| >= |z|, Z standard normal.
double two_sided_normal(double z);
/// Below it lies this share of the standard normal distribution; 0 < share < 1.
double normal_quantile(double share);
/// Probability of a split of `a + b` fair coins at least as uneven as a : b.
double two_sided_coins(int64_t a, int64_t b);

}  // namespace liven::metrics
