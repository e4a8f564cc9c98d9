#include "liven/ops/triplet_loss.hpp"

#include <string>

#include "liven/core/error.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/distance.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/softmax.hpp"

namespace liven {
namespace {

/// N x N ones off the diagonal: a column of zeros before N - 1 columns of ones, cut N + 1 apart, lies on the diagonal.
Tensor off_diagonal(int64_t n) {
    const Tensor rows = pad(Tensor::ones({n, n}), {.low = {0, 1}, .high = {0, 0}});
    return reshape(slice(reshape(rows, Shape{n * (n + 1)}), {.axis = 0, .count = n * n}), Shape{n, n});
}

/// Which pairs (i, j) may be anchor and positive, and which anchor and negative: N x N of 0 and 1.
struct PairMasks {
    Tensor positive, negative;
};
PairMasks pair_masks(const Tensor& labels, const TripletOptions& options) {
    const int64_t n = labels.shape()[0];
    const Tensor hot = one_hot(labels, options.classes);
    const Tensor known = sum(hot, {.axes = {1}, .keep_axes = true});
    Tensor same = matmul(hot, hot, {.transpose_b = true});
    const Tensor other = matmul(known, known, {.transpose_b = true}) - same;
    if (options.anchor_class >= 0) same = same * slice(hot, {.begin = options.anchor_class});
    return {.positive = same * off_diagonal(n), .negative = other};
}

void require_sane(const Tensor& embeddings, const Tensor& labels, const TripletOptions& options) {
    if (embeddings.rank() != 2 || !(labels.shape() == Shape{embeddings.shape()[0]}))
        throw Error("triplet_loss", "expected embeddings N x D and N labels, got " + embeddings.shape().str() +
                                        " and " + labels.shape().str());
    if (options.classes < 1 || options.anchor_class >= options.classes)
        throw Error("triplet_loss", "anchor_class " + std::to_string(options.anchor_class) + " is none of " +
                                        std::to_string(options.classes) + " classes");
}

}  // namespace

Tensor triplet_loss(const Tensor& embeddings, const Tensor& labels, const TripletOptions& options) {
    require_sane(embeddings, labels, options);
    const int64_t n = embeddings.shape()[0];
    const Tensor rows = options.normalize ? l2_normalize(embeddings) : embeddings;
    const Tensor distance = pairwise_distances(rows, rows, {.squared = options.squared});
    const PairMasks pairs = pair_masks(labels, options);
    const Shape with_positive{n, n, 1}, with_negative{n, 1, n};
    const Tensor margins = reshape(shift(distance, options.margin), with_positive) - reshape(distance, with_negative);
    const Tensor counted = reshape(pairs.positive, with_positive) * reshape(pairs.negative, with_negative);
    const Tensor terms = relu(margins) * counted;
    const Tensor active = sum(positive(terms));
    return sum(terms) / maximum(active, Tensor::ones({}));
}

}  // namespace liven
