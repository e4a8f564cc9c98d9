#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace liven::data {

/// A picture by the ending of its name.
bool has_image_ending(const std::filesystem::path& path);
/// The number a file's name ends in (-1: none), and what stands before it.
std::pair<std::string, int64_t> frame_of(const std::filesystem::path& path);

}  // namespace liven::data
