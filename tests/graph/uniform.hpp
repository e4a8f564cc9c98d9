#pragma once

#include <span>
#include <vector>

#include "liven/core/philox.hpp"
#include "liven/graph/tensor.hpp"

namespace liven::testing {

/// Values from -1 to 1.
inline Tensor uniform(const Shape& shape, uint64_t seed) {
    std::vector<float> values(static_cast<size_t>(shape.count()));
    Random random(seed);
    for (float& value : values) value = random.uniform(-1.0f, 1.0f);
    return Tensor::from(std::span<const float>(values), shape);
}

}  // namespace liven::testing
