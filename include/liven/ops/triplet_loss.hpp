#pragma once

#include "liven/graph/tensor.hpp"

namespace liven {

struct TripletOptions {
    float margin = 0.5f;
    bool normalize = true;      ///< rows are made unit length first
    bool squared = false;       ///< squared distances instead of Euclidean ones
    int64_t classes = 2;        ///< labels lie in [0, classes); rows with other labels take no part
    int64_t anchor_class = -1;  ///< only rows of this class are anchors and positives; -1: every class
};
/// Batch-all triplet loss of embeddings (N x D) with class indices (N, i32):
///     sum over a, p, n of max(0, d(a, p) - d(a, n) + margin) / number of terms above 0,
/// a and p two different rows of one class, n a row of another; 0 when no term is above 0. The distance of equal rows
/// has gradient 0. Hermans, Beyer, Leibe 2017; LGSC (Feng et al. 2020) with `anchor_class` the bona fide class: attacks
/// are only ever negatives. Needs N^2 * D + N^3 numbers of memory. Throws Error when the shapes do not fit.
Tensor triplet_loss(const Tensor& embeddings, const Tensor& labels, const TripletOptions& options = {});

}  // namespace liven
