#pragma once

#include <string>
#include <vector>

#include "liven/nn/module.hpp"

namespace liven::saliency {

/// A named result: a map with a height and a width, or rows of numbers.
struct ObservedMap {
    std::string layer;
    bool convolution = false;
    Tensor result;
};

/// One forward, with all maps and all rows that the output depends on, in the order of computation. Of one name, the
/// last.
struct Observed {
    std::vector<ObservedMap> maps;  ///< N x H x W x C, of more than a pixel
    std::vector<ObservedMap> rows;  ///< N x D
    Tensor output;
};
Observed observe(Module& model, const Tensor& sample);

/// The map of that name, or the last convolutional one when it is empty. Throws Error naming the nearest.
const ObservedMap& chosen(const Observed& observed, const std::string& layer);

/// Frames of a sample: 1, or a clip's. Throws Error unless it is one sample.
int64_t frames_of(const Shape& sample);

}  // namespace liven::saliency
