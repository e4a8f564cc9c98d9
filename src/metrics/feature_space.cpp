#include "liven/metrics/feature_space.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "liven/core/error.hpp"
#include "src/metrics/gram.hpp"

namespace liven {
namespace {

using metrics::Matrix;

/// Unit vectors have no sign of their own: this gives every run and machine the same picture.
void make_largest_positive(Eigen::VectorXd& component) {
    Eigen::Index at = 0;
    component.cwiseAbs().maxCoeff(&at);
    if (component[at] < 0) component = -component;
}

/// X'u, centred, for u over the rows.
Eigen::VectorXd across_columns(const Features& x, const Eigen::VectorXd& mean, const Eigen::VectorXd& u) {
    Eigen::VectorXd sum = -u.sum() * mean;
    for (int64_t row = 0; row < x.rows; ++row)
        sum += u[row] * Eigen::Map<const Eigen::VectorXf>(x.values.data() + row * x.columns, x.columns).cast<double>();
    return sum;
}

/// The samples along a component.
Eigen::VectorXd along(const Features& x, const Eigen::VectorXd& mean, const Eigen::VectorXd& component) {
    Eigen::VectorXd scores(x.rows);
    for (int64_t row = 0; row < x.rows; ++row)
        scores[row] =
            (Eigen::Map<const Eigen::VectorXf>(x.values.data() + row * x.columns, x.columns).cast<double>() - mean)
                .dot(component);
    return scores;
}

}  // namespace

void check(const Features& features) {
    if (features.rows < 0 || features.columns < 1 ||
        features.rows * features.columns != static_cast<int64_t>(features.values.size()))
        throw Error("features", "expected " + std::to_string(features.rows) + " rows of " +
                                    std::to_string(features.columns) + " numbers, got " +
                                    std::to_string(features.values.size()) + " numbers");
    for (size_t i = 0; i < features.values.size(); ++i)
        if (!std::isfinite(features.values[i]))
            throw Error("features",
                        "row " + std::to_string(static_cast<int64_t>(i) / features.columns) + " holds no number");
}

Measure silhouette(const Features& features, std::span<const int32_t> labels) {
    check(features);
    if (static_cast<int64_t>(labels.size()) != features.rows)
        throw Error("silhouette", "expected a label for each of " + std::to_string(features.rows) + " rows, got " +
                                      std::to_string(labels.size()));
    std::map<int32_t, double> counts;
    for (const int32_t label : labels) ++counts[label];
    if (counts.size() < 2) return Measure::undefined("less than two classes");
    if (counts.size() == labels.size()) return Measure::undefined("every sample is a class of its own");
    const Matrix distances = metrics::squared_distances(features).cwiseSqrt();
    double total = 0;
    for (int64_t i = 0; i < features.rows; ++i) {
        std::map<int32_t, double> sums;
        for (int64_t j = 0; j < features.rows; ++j) sums[labels[static_cast<size_t>(j)]] += distances(j, i);
        const int32_t own = labels[static_cast<size_t>(i)];
        if (counts[own] == 1) continue;
        const double within = sums[own] / (counts[own] - 1);
        double nearest = std::numeric_limits<double>::infinity();
        for (const auto& [label, sum] : sums)
            if (label != own) nearest = std::min(nearest, sum / counts[label]);
        const double larger = std::max(within, nearest);
        total += larger > 0 ? (nearest - within) / larger : 0;
    }
    return total / static_cast<double>(features.rows);
}

PrincipalComponents principal_components(const Features& features, int64_t components) {
    check(features);
    if (features.rows < 2 || components < 1)
        throw Error("principal_components", "expected two rows and one component or more, got " +
                                                std::to_string(features.rows) + " and " + std::to_string(components));
    const Eigen::VectorXd mean = metrics::column_means(features);
    const bool by_rows = features.rows <= features.columns;
    const Eigen::SelfAdjointEigenSolver<Matrix> solved(by_rows ? metrics::gram_of_rows(features, mean)
                                                               : metrics::gram_of_columns(features, mean));
    const Eigen::VectorXd& values = solved.eigenvalues();  // rising
    const double total = std::max(values.cwiseMax(0).sum(), std::numeric_limits<double>::min());
    PrincipalComponents out;
    out.mean.resize(static_cast<size_t>(features.columns));
    Eigen::Map<Eigen::VectorXf>(out.mean.data(), features.columns) = mean.cast<float>();
    out.components.columns = features.columns;
    std::vector<Eigen::VectorXd> scores;
    for (Eigen::Index i = values.size() - 1; i >= 0 && static_cast<int64_t>(scores.size()) < components; --i) {
        if (values[i] <= 1e-12 * total) break;  // rounding: the samples do not reach further
        Eigen::VectorXd component = solved.eigenvectors().col(i);
        if (by_rows) component = across_columns(features, mean, component).normalized();
        make_largest_positive(component);
        scores.push_back(along(features, mean, component));
        out.explained.push_back(values[i] / total);
        for (const double entry : component) out.components.values.push_back(static_cast<float>(entry));
    }
    out.components.rows = static_cast<int64_t>(scores.size());
    out.scores = {.values = {}, .rows = features.rows, .columns = out.components.rows};
    for (int64_t row = 0; row < features.rows; ++row)
        for (const Eigen::VectorXd& score : scores) out.scores.values.push_back(static_cast<float>(score[row]));
    return out;
}

}  // namespace liven
