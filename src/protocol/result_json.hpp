#pragma once

#include "liven/io/json.hpp"
#include "liven/protocol/cell.hpp"

namespace liven::protocol {

Json json_of(const CellResult& result);
/// Throws Error naming what is missing or of another kind.
CellResult result_from(const Json& json);

}  // namespace liven::protocol
