#include "src/metrics/distributions.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unsupported/Eigen/SpecialFunctions>

#include "src/metrics/real.hpp"

namespace liven::metrics {
namespace {

/// The regularised incomplete beta function.
double incomplete_beta(double a, double b, double x) { return Eigen::numext::betainc(a, b, x); }

}  // namespace

double two_sided_t(double t, double freedom) {
    if (std::isinf(t)) return 0;
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
}

double student_bound(double probability, double freedom) {
    double low = 0, high = 1;
    while (two_sided_t(high, freedom) > 1 - probability && high < 1e300) high *= 2;
    for (int i = 0; i < 100; ++i) {
        const double middle = (low + high) / 2;
        (two_sided_t(middle, freedom) > 1 - probability ? low : high) = middle;
    }
    return high;
}

double upper_f(double f, double between_freedom, double within_freedom) {
    if (std::isinf(f)) return 0;
    if (f <= 0) return 1;
    return incomplete_beta(within_freedom / 2, between_freedom / 2,
                           within_freedom / (within_freedom + between_freedom * f));
}

double two_sided_normal(double z) { return std::erfc(std::abs(z) / std::numbers::sqrt2); }

double normal_quantile(double share) { return Eigen::numext::ndtri(share); }

double two_sided_coins(int64_t a, int64_t b) {
    if (a == b) return 1;
    const int64_t fewer = std::min(a, b), all = a + b;
    return std::min(1.0, 2 * incomplete_beta(real(all - fewer), real(fewer + 1), 0.5));
}

}  // namespace liven::metrics
