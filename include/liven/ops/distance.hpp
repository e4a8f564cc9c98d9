#pragma once

#include "liven/graph/tensor.hpp"

/// Distances between embeddings.
namespace liven {

/// The square root with gradient 0 where a is 0 (the true one is infinite there and would turn into NaN).
Tensor safe_sqrt(const Tensor& a);

/// Rows of N x D made unit length: x / sqrt(sum x^2 + epsilon).
Tensor l2_normalize(const Tensor& x, float epsilon = 1e-10f);

struct DistanceOptions {
    bool squared = false;
};
/// Euclidean distances of all pairs of rows: a N x D, b M x D -> N x M. Differences are taken before they are squared,
/// so that equal rows are at distance 0 exactly. Throws Error on other shapes.
Tensor pairwise_distances(const Tensor& a, const Tensor& b, const DistanceOptions& options = {});

}  // namespace liven
