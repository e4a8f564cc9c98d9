#pragma once

#include <string>
#include <string_view>

namespace liven {

/// Text as XML and HTML may hold it, in elements and in quoted attributes. Control characters that they cannot hold,
/// even escaped, become spaces; line breaks and tabs stay.
std::string escaped_markup(std::string_view text);

}  // namespace liven
