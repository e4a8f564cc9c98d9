#pragma once

#include "liven/io/json.hpp"
#include "liven/train/callback.hpp"

namespace liven {

/// What the log says of an epoch.
Json line_of(const EpochReport& report);

}  // namespace liven
