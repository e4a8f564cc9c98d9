#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "liven/data/prepare.hpp"

namespace liven::data {

/// The stages that can leave samples out, in their order, by the names that the report has.
namespace stage {
inline constexpr const char *listed = "listed", *sampled = "sampled", *readable = "readable", *face = "face",
                            *quality = "quality", *sources = "equal sources", *balanced = "balanced";
}

/// Counts samples through the stages.
class StageCounter {
public:
    /// Only stages that the options ask for appear.
    explicit StageCounter(const PrepareOptions& options);

    /// A row of the set as it was given.
    void list(const Sample& sample);
    /// A sample and the stage that left it out; empty: none did.
    void count(const Sample& sample, std::string_view lost_at, const std::string& reason);
    std::vector<StageCount> take() { return std::move(counts_); }

private:
    std::vector<StageCount> counts_;
};

}  // namespace liven::data
