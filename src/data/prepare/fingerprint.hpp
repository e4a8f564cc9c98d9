#pragma once

#include <string>
#include <vector>

#include "liven/data/prepare.hpp"

namespace liven::data {

/// 16 hexadecimal digits that change with the options, the samples, and the sizes and times of their files.
std::string fingerprint_of(const PrepareOptions& options, const std::vector<Sample>& samples);

}  // namespace liven::data
