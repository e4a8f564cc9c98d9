#pragma once

#include <map>
#include <string>

#include "liven/data/assign_sources.hpp"
#include "liven/io/config.hpp"

namespace liven {

/// The TOML file of combined sources: `[sources]` gives a set's path for each name, `[split]` lists by `train`, `val`
/// and `test` which become what.
struct SourceTable {
    std::map<std::string, std::string> paths;
    data::SourceAssignment assignment;

    /// Throws Error for a file without sources, a value of another kind, and what it does not know. `where` stands in
    /// the first.
    static SourceTable read(const Config& config, const std::string& where);
};

}  // namespace liven
