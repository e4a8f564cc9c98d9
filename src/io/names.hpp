#pragma once

#include <string>
#include <vector>

namespace liven::io {

/// The keys of a map, for suggestions.
template <class Map>
std::vector<std::string> names_of(const Map& map) {
    std::vector<std::string> names;
    for (const auto& [name, value] : map) names.emplace_back(name);
    return names;
}

}  // namespace liven::io
