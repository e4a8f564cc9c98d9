#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace liven::data {

/// Writes a file that appears whole or not at all. Throws Error, leaving nothing behind, when it cannot be written: the
/// disk is not to be filled with halves of files.
void write_whole(const std::filesystem::path& path, std::span<const uint8_t> bytes);

/// How the name of a file ends while it is being written.
inline constexpr const char* partial_ending = ".part";

}  // namespace liven::data
