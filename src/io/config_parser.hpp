#pragma once

#include <string_view>

namespace liven::io {

/// The longest dotted key ("a.b.c" has 3 parts) of a TOML text, strings and comments skipped. A parser builds a table
/// a part and destroys them recursively, so hostile keys must be refused before it sees them.
size_t longest_dotted_key(std::string_view toml);

/// The first byte of a TOML text that is not ASCII, a byte order mark, strings and comments skipped; npos without one.
/// No TOML has any, and toml++ is undefined for some.
size_t first_foreign_byte(std::string_view toml);

}  // namespace liven::io
