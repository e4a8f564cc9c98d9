#pragma once

#include <string>
#include <string_view>

namespace liven::data {

/// ASCII only: names of classes and endings.
std::string lower(std::string_view text);
/// In quotes for a message, cut after 60 bytes, control bytes shown as '?'.
std::string in_quotes(std::string_view text);
/// Shortest text of a number.
std::string number(double value);
/// 12,345
std::string thousands(long long value);

}  // namespace liven::data
