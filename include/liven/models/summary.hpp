#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "liven/nn/module.hpp"

namespace liven {

/// One line of a summary.
struct LayerSummary {
    std::string name, type;
    Shape output;            ///< with N = 1
    int64_t parameters = 0;  ///< running statistics included, as Keras counts
    int64_t trainable = 0;
    double flops = 0;  ///< forward, one image; a multiplication and an addition count as two
    int64_t activation_bytes = 0;
};

/// What a model consists of, for one input size, as it is trained.
struct ModelSummary {
    std::string model;
    Shape input;  ///< H x W x C
    std::vector<LayerSummary> layers;
    int64_t parameters = 0, trainable = 0;
    double flops = 0;
    int64_t activation_bytes = 0;

    std::string table() const;
};

/// Builds the model for the input if it has not been; computes nothing. Work that belongs to no layer (the sum of two
/// branches) has a line of its own under the operation's name.
ModelSummary summarize(Module& model, const std::string& name, const Shape& input);

}  // namespace liven
