#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "liven/data/dataset.hpp"
#include "liven/protocol/plan.hpp"

namespace liven::protocol {

/// A source of one fold, written down.
struct WrittenSource {
    Source source;
    int64_t fold = -1;
    std::filesystem::path manifest;
    std::vector<std::string> trained_types;
    int64_t train = 0, val = 0, test = 0;
    std::string hash;  ///< of the manifest and its files
};

struct WrittenSources {
    std::vector<WrittenSource> all;
    std::vector<SetSummary> sets;
    std::vector<std::string> notes;

    /// Throws Error when there is none.
    const WrittenSource& find(const std::string& name, int64_t fold) const;
};

/// Reads and divides the sets of the configuration, makes the sources that its questions need, and writes a manifest of
/// each to OUT/data.
WrittenSources write_sources(const ProtocolSettings& settings, const std::filesystem::path& out);

}  // namespace liven::protocol
