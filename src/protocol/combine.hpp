#pragma once

#include <cstdint>
#include <span>

#include "liven/data/dataset.hpp"

namespace liven::protocol {

/// Divided sets as one in which all weigh about the same (paper K, section 4.5): `data::equal_sources` over the
/// training samples of all sets, over their validation and over their test samples.
data::Dataset equally_represented(std::span<const data::Dataset> sets, uint64_t seed);

}  // namespace liven::protocol
