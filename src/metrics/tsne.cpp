#include "src/metrics/tsne.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "liven/core/error.hpp"
#include "src/metrics/gram.hpp"
#include "src/metrics/quadtree.hpp"

namespace liven {
namespace metrics {
namespace {

/// Weights exp(-beta d) over the distances, of sum 1, with beta such that their entropy is log(perplexity).
std::vector<double> weights_of(const std::vector<double>& squared, double perplexity) {
    const double target = std::log(perplexity), nearest = *std::min_element(squared.begin(), squared.end());
    double low = 0, high = 0, beta = 1;
    std::vector<double> weights(squared.size());
    for (int step = 0; step < 200; ++step) {
        double sum = 0, moment = 0;
        for (size_t i = 0; i < squared.size(); ++i) {
            weights[i] = std::exp(-beta * (squared[i] - nearest));
            sum += weights[i];
            moment += weights[i] * (squared[i] - nearest);
        }
        const double entropy = std::log(sum) + beta * moment / sum;
        for (double& weight : weights) weight /= sum;
        if (std::abs(entropy - target) < 1e-10) break;
        (entropy > target ? low : high) = beta;
        beta = high == 0 ? 2 * beta : (low + high) / 2;
    }
    return weights;
}

/// The rows nearest to row i, itself left out.
std::vector<int64_t> nearest_rows(const Matrix& squared, int64_t i, int64_t count) {
    std::vector<int64_t> rows;
    for (int64_t j = 0; j < squared.rows(); ++j)
        if (j != i) rows.push_back(j);
    const auto closer = [&](int64_t a, int64_t b) {
        return squared(a, i) != squared(b, i) ? squared(a, i) < squared(b, i) : a < b;
    };
    std::partial_sort(rows.begin(), rows.begin() + count, rows.end(), closer);
    rows.resize(static_cast<size_t>(count));
    return rows;
}

}  // namespace

Affinities affinities(const Features& features, double perplexity, int64_t neighbours) {
    const Matrix squared = squared_distances(features);
    const int64_t rows = features.rows;
    std::vector<std::map<int64_t, double>> entries(static_cast<size_t>(rows));
    for (int64_t i = 0; i < rows; ++i) {
        const std::vector<int64_t> near = nearest_rows(squared, i, std::min(neighbours, rows - 1));
        std::vector<double> distances;
        for (const int64_t j : near) distances.push_back(squared(j, i));
        const std::vector<double> weights = weights_of(distances, perplexity);
        for (size_t k = 0; k < near.size(); ++k) {
            const double half = weights[k] / (2 * static_cast<double>(rows));
            entries[static_cast<size_t>(i)][near[k]] += half;
            entries[static_cast<size_t>(near[k])][i] += half;
        }
    }
    Affinities out;
    for (const auto& row : entries) {
        out.begin.push_back(out.column.size());
        for (const auto& [column, value] : row) {
            out.column.push_back(column);
            out.value.push_back(value);
        }
    }
    out.begin.push_back(out.column.size());
    return out;
}

double gradient_of(const Affinities& p, const std::vector<Point>& points, double exaggeration, double theta,
                   std::vector<Point>& gradient) {
    const Quadtree tree(points);
    double kernels = 0;
    std::vector<Point> repulsion(points.size(), Point{0, 0});
    for (size_t i = 0; i < points.size(); ++i) kernels += tree.repel(i, theta, repulsion[i]);
    for (size_t i = 0; i < points.size(); ++i) {
        Point attraction{0, 0};
        for (size_t k = p.begin[i]; k < p.begin[i + 1]; ++k) {
            const Point& other = points[static_cast<size_t>(p.column[k])];
            const double dx = points[i][0] - other[0], dy = points[i][1] - other[1];
            const double pull = exaggeration * p.value[k] / (1 + dx * dx + dy * dy);
            attraction[0] += pull * dx, attraction[1] += pull * dy;
        }
        for (size_t axis = 0; axis < 2; ++axis)
            gradient[i][axis] = 4 * (attraction[axis] - repulsion[i][axis] / kernels);
    }
    return kernels;
}

}  // namespace metrics

namespace {

using metrics::Affinities;
using metrics::Point;

/// Gradient descent with momentum and a gain for each coordinate, as the paper has it.
class Descent {
public:
    Descent(std::vector<Point> points, double rate)
        : points_(std::move(points)),
          speed_(points_.size(), Point{0, 0}),
          gain_(points_.size(), Point{1, 1}),
          rate_(rate) {}

    void step(const std::vector<Point>& gradient, double momentum) {
        for (size_t i = 0; i < points_.size(); ++i)
            for (size_t axis = 0; axis < 2; ++axis) {
                const bool onward = gradient[i][axis] * speed_[i][axis] < 0;
                double& gain = gain_[i][axis];
                gain = std::max(0.01, onward ? gain + 0.2 : gain * 0.8);
                speed_[i][axis] = momentum * speed_[i][axis] - rate_ * gain * gradient[i][axis];
                points_[i][axis] += speed_[i][axis];
            }
        centre();
    }
    const std::vector<Point>& points() const { return points_; }

private:
    void centre() {
        for (size_t axis = 0; axis < 2; ++axis) {
            double mean = 0;
            for (const Point& point : points_) mean += point[axis];
            mean /= static_cast<double>(points_.size());
            for (Point& point : points_) point[axis] -= mean;
        }
    }

    std::vector<Point> points_, speed_, gain_;
    double rate_;
};

void validate(const Features& features, const TsneOptions& o) {
    check(features);
    if (features.rows < 4) throw Error("tsne", "expected four rows or more, got " + std::to_string(features.rows));
    if (!(o.perplexity > 1)) throw Error("tsne", "expected a perplexity above 1, got " + std::to_string(o.perplexity));
    if (!(o.theta >= 0 && o.theta <= 2))
        throw Error("tsne", "expected 0 <= theta <= 2, got " + std::to_string(o.theta));
    if (o.iterations < 1 || !(o.early_exaggeration >= 1) || !(o.learning_rate >= 0))
        throw Error("tsne", "expected an iteration or more, an exaggeration from 1 and a learning rate from 0");
}

/// Small, so that all samples begin among each other.
std::vector<Point> first_points(const Features& features) {
    const PrincipalComponents first = principal_components(features, 2);
    double squares = 0;
    const auto at = [&](int64_t row, int64_t axis) {
        return axis < first.scores.columns
                   ? static_cast<double>(first.scores.values[static_cast<size_t>(row * first.scores.columns + axis)])
                   : 0;
    };
    for (int64_t row = 0; row < features.rows; ++row) squares += at(row, 0) * at(row, 0);
    const double deviation = std::sqrt(squares / static_cast<double>(features.rows));
    const double scale = deviation > 0 ? 1e-4 / deviation : 0;
    std::vector<Point> points;
    for (int64_t row = 0; row < features.rows; ++row) points.push_back({scale * at(row, 0), scale * at(row, 1)});
    return points;
}

double divergence_of(const Affinities& p, const std::vector<Point>& points, double kernels) {
    double sum = 0;
    for (size_t i = 0; i < points.size(); ++i)
        for (size_t k = p.begin[i]; k < p.begin[i + 1]; ++k) {
            const Point& other = points[static_cast<size_t>(p.column[k])];
            const double dx = points[i][0] - other[0], dy = points[i][1] - other[1];
            if (p.value[k] > 0) sum += p.value[k] * std::log(p.value[k] * kernels * (1 + dx * dx + dy * dy));
        }
    return sum;
}

}  // namespace

Tsne tsne(const Features& features, const TsneOptions& options) {
    validate(features, options);
    const auto rows = static_cast<double>(features.rows);
    const double perplexity = std::min(options.perplexity, (rows - 1) / 3);
    const auto neighbours = options.theta > 0 ? static_cast<int64_t>(3 * perplexity) : features.rows - 1;
    const Affinities p = metrics::affinities(features, perplexity, std::max<int64_t>(1, neighbours));
    const double rate = options.learning_rate > 0 ? options.learning_rate
                                                  : std::max(std::min(50.0, rows / options.early_exaggeration),
                                                             rows / options.early_exaggeration / 4);
    Descent descent(first_points(features), rate);
    std::vector<Point> gradient(static_cast<size_t>(features.rows));
    for (int64_t i = 0; i < options.iterations; ++i) {
        const bool early = i < options.iterations / 4;
        metrics::gradient_of(p, descent.points(), early ? options.early_exaggeration : 1, options.theta, gradient);
        descent.step(gradient, early ? 0.5 : 0.8);
        if (options.progress) options.progress(i + 1, options.iterations);
    }
    const double kernels = metrics::gradient_of(p, descent.points(), 1, options.theta, gradient);
    Tsne out{.points = {.values = {}, .rows = features.rows, .columns = 2},
             .divergence = divergence_of(p, descent.points(), kernels)};
    for (const Point& point : descent.points())
        for (const double coordinate : point) out.points.values.push_back(static_cast<float>(coordinate));
    return out;
}

}  // namespace liven
