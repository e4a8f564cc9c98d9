#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "liven/protocol/plan.hpp"

namespace liven::protocol {

/// Of the cell's settings, of what it is trained on and of what it is tested on, each manifest by its hash. Where data
/// lie does not matter to it.
std::string key_of(const Cell& cell, const std::function<std::string(const std::filesystem::path&)>& hash_of_data);

}  // namespace liven::protocol
