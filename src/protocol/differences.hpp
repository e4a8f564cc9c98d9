#pragma once

#include <string>
#include <vector>

#include "liven/protocol/plan.hpp"

namespace liven::protocol {

/// In what these trainings and tests differ from those of paper K, one sentence each.
std::vector<std::string> remaining_differences(const ProtocolSettings& settings, const Plan& plan);

}  // namespace liven::protocol
