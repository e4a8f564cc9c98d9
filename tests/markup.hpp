#pragma once

#include <string>
#include <vector>

#include "tests/occurrences.hpp"

namespace liven::testing {

/// Elements open and close in order, with quoted attributes: enough of XML for a picture.
inline bool is_well_formed(const std::string& xml) {
    std::vector<std::string> open;
    for (size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
        const size_t end = xml.find('>', at);
        if (end == std::string::npos || xml.find('<', at + 1) < end) return false;
        const std::string tag = xml.substr(at + 1, end - at - 1), name = tag.substr(0, tag.find_first_of(" \n/", 1));
        if (count(tag, "\"") % 2 != 0) return false;
        if (tag.front() == '/') {
            if (open.empty() || open.back() != name.substr(1)) return false;
            open.pop_back();
        } else if (tag.back() != '/') {
            open.push_back(name);
        }
    }
    return open.empty();
}

}  // namespace liven::testing
