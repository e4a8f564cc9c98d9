#pragma once

#include <cstdint>

#include "liven/graph/tensor.hpp"

/// Losses: each gives one number.
namespace liven {

/// What class weights multiply and what the mean divides by.
enum class ClassWeighting : uint8_t {
    pytorch,  ///< each class's term of the smoothed target; divided by the sum of the samples' own weights
    keras     ///< each sample's loss, by the weight of its class; divided by the number of samples
};

struct CrossEntropyOptions {
    float label_smoothing = 0.0f;  ///< target = (1 - s) * one_hot + s / classes
    Tensor class_weights = {};     ///< C
    ClassWeighting weighting = ClassWeighting::pytorch;
    Tensor mask = {};  ///< N of 0 or 1: which samples count; the loss is 0 when none does
};
/// Mean cross entropy of logits (N x C) against class indices (N, i32), from log_softmax: no overflow, no log(0).
/// Throws Error when the shapes do not fit.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options = {});

}  // namespace liven
