#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace liven::protocol {

/// FNV-1a, as 16 hexadecimal digits.
std::string hash_of(std::string_view text);

/// Of a manifest and of size and time of change of every file that it names: changes when one of them is replaced.
/// Throws Error when the manifest cannot be read.
std::string hash_of_manifest(const std::filesystem::path& manifest);

}  // namespace liven::protocol
