#pragma once

#include <string>

#include "liven/data/prepare.hpp"

namespace liven::report {

/// A page about prepared data: samples by stage, class and attack type, why others were left out, how quality spread
/// before and after, and some faces as they were and as they became. Pictures that cannot be read any more are left
/// out. Throws Error when the report has no stages.
std::string preparation_page(const data::PreparationReport& report);

}  // namespace liven::report
