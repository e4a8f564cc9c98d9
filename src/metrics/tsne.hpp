#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "liven/metrics/feature_space.hpp"

/// The parts of t-SNE that can be looked at by themselves.
namespace liven::metrics {

using Point = std::array<double, 2>;

/// How much samples belong together: a symmetric matrix of few entries, by rows, whose sum is 1.
struct Affinities {
    std::vector<size_t> begin;  ///< of each row, and the end of the last
    std::vector<int64_t> column;
    std::vector<double> value;
};
/// Gaussian affinities to the `neighbours` nearest rows (all others: rows - 1), whose width gives every row this
/// perplexity; halved and added to their transpose.
Affinities affinities(const Features& features, double perplexity, int64_t neighbours);

/// 4 sum_j (p_ij exaggeration - q_ij) (y_i - y_j) / (1 + |y_i - y_j|^2) for every i; `theta` as in TsneOptions. Returns
/// the sum of the kernel, by which q is normalised.
double gradient_of(const Affinities& affinities, const std::vector<Point>& points, double exaggeration, double theta,
                   std::vector<Point>& gradient);

}  // namespace liven::metrics
