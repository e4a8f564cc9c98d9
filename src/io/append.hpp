#pragma once

#include <filesystem>
#include <string_view>

namespace liven::io {

/// Appends to an open file in one write, so that a killed process leaves whole pieces. When the disk takes only a part,
/// that is taken back. Throws Error.
void append_whole(int descriptor, const std::filesystem::path& path, std::string_view bytes);

}  // namespace liven::io
