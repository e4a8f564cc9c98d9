#pragma once

#include "liven/graph/tensor.hpp"

/// Losses: each gives one number.
namespace liven {

struct CrossEntropyOptions {
    float label_smoothing = 0.0f;  ///< target = (1 - s) * one_hot + s / classes
    Tensor class_weights = {};     ///< C; the mean is then weighted, as PyTorch's
    Tensor mask = {};              ///< N of 0 or 1: which samples count
};
/// Mean cross entropy of logits (N x C) against class indices (N, i32), from log_softmax: no overflow, no log(0).
/// Throws Error when the shapes do not fit.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options = {});

}  // namespace liven
