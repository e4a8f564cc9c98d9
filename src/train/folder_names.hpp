#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace liven {

/// Paths by as much of their ends as tells them apart: "run", or "a/run" and "b/run". Throws Error when one comes
/// twice.
std::vector<std::string> names_of(std::span<const std::filesystem::path> paths);

}  // namespace liven
