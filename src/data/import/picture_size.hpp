#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

namespace liven::data {

/// Width and height of a JPEG or PNG from its first bytes, for lists of hundreds of thousands; (0, 0) when they do not
/// say. What lies behind is not looked at.
std::pair<int64_t, int64_t> picture_size(const std::filesystem::path& path);

}  // namespace liven::data
