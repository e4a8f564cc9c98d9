#pragma once

#include <span>

#include "liven/data/split.hpp"

namespace liven::protocol {

/// Divided sets as one in which all weigh about the same (paper K, section 4.5): of a set larger than the median, whole
/// groups are drawn from each split, classes and attack types in proportion, until it is about as large; smaller sets
/// stay as they are.
data::Dataset equally_represented(std::span<const data::Dataset> sets, const data::SplitOptions& options);

}  // namespace liven::protocol
