#pragma once

#include "liven/graph/tensor.hpp"

namespace liven::saliency {

/// The same value, recorded anew with another rule for its gradient: behind each rectifier only the positive part goes
/// back (Springenberg et al. 2015).
Tensor guided(const Tensor& value);

}  // namespace liven::saliency
