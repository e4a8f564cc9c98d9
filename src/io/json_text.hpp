#pragma once

#include <string>
#include <string_view>

namespace liven::io {

/// `text` in double quotes with JSON's escapes; bytes that are not UTF-8 become U+FFFD.
std::string json_quoted(std::string_view text);
bool is_utf8(std::string_view text);

/// The shortest decimal that reads back as the same number, with a point or exponent: "0.1", "3.0", "1e-07".
std::string shortest(double value);
std::string shortest(float value);

}  // namespace liven::io
