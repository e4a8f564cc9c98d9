#pragma once

#include "liven/io/json.hpp"
#include "liven/protocol/search.hpp"

namespace liven::protocol {

/// A line of search.jsonl.
Json json_of(const SearchSettings& settings, const Trial& trial);
/// Throws Error naming what is missing or of another kind.
Trial trial_from(const SearchSettings& settings, const Json& line);

}  // namespace liven::protocol
