#pragma once

#include <string>

#include "liven/nn/module.hpp"

namespace liven::saliency {

/// What a network makes of samples before its last step.
struct Penultimate {
    Tensor features;    ///< N x D
    std::string layer;  ///< path of the layer or block whose result it is
};
/// The last named result of N x D that the output depends on, the output itself left out; of a network without one the
/// last convolutional map, averaged over its pixels (and, of clips, frames). One forward at rest of N x H x W x C or
/// N x T x H x W x C. Throws Error when there is neither.
Penultimate penultimate(Module& model, const Tensor& samples);

}  // namespace liven::saliency
