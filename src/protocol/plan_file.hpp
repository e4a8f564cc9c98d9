#pragma once

#include "liven/protocol/plan.hpp"

namespace liven::protocol {

/// OUT/plan.json and OUT/protocol.toml; read_plan and read_settings give them back.
void write_plan(const Plan& plan, const ProtocolSettings& settings);

}  // namespace liven::protocol
