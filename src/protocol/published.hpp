#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace liven::protocol {

/// A table of a paper, as printed.
struct PublishedTable {
    std::string id;      ///< "K7": paper K, table 7
    std::string source;  ///< "Kuznetsov et al. 2026, table 7"
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> contradictions;  ///< where the figures contradict others of their paper
    std::vector<std::string> remarks;         ///< what else to know about them

    /// The row whose first cells name the same things, or nullptr.
    const std::vector<std::string>* row(const std::vector<std::string>& keys) const;
};

/// Letters and digits alone, in lower case, so that "Replay-Attack" and "replay_attack" are one data set; "own" is the
/// authors' "Our Dataset".
std::string canonical(std::string_view name);

const std::vector<PublishedTable>& published_tables();
/// Throws Error when there is none of that name.
const PublishedTable& published(std::string_view id);

}  // namespace liven::protocol
