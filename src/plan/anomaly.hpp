#pragma once

#include <cstdint>

#include "liven/graph/node.hpp"

namespace liven::detail {

/// Throws the Error of --detect-anomaly: which operation, where in the model, which element.
[[noreturn]] void throw_anomaly(const Node& node, double value, int64_t element);

}  // namespace liven::detail
