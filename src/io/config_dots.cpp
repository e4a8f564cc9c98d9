#include <algorithm>

#include "src/io/config_parser.hpp"

namespace liven::io {
namespace {

/// The position behind the string that starts at `at` with one or three equal quotes.
size_t skip_string(std::string_view text, size_t at) {
    const char quote = text[at];
    const bool triple = text.substr(at, 3) == std::string_view(quote == '"' ? "\"\"\"" : "'''");
    at += triple ? 3 : 1;
    while (at < text.size()) {
        if (quote == '"' && text[at] == '\\') {
            at += 2;
        } else if (!triple && (text[at] == quote || text[at] == '\n')) {
            return at + 1;
        } else if (triple && text.substr(at, 3) == std::string_view(quote == '"' ? "\"\"\"" : "'''")) {
            return at + 3;
        } else {
            ++at;
        }
    }
    return text.size();
}

/// Calls `visit` with the position of every character outside strings and comments.
template <class Visit>
void walk_outside_strings(std::string_view toml, const Visit& visit) {
    for (size_t at = 0; at < toml.size();) {
        const char c = toml[at];
        if (c == '"' || c == '\'') {
            at = skip_string(toml, at);
        } else if (c == '#') {
            at = std::min(toml.find('\n', at), toml.size());
        } else {
            visit(at);
            ++at;
        }
    }
}

}  // namespace

size_t longest_dotted_key(std::string_view toml) {
    size_t longest = 1, parts = 1;
    walk_outside_strings(toml, [&](size_t at) {
        const char c = toml[at];
        if (c == '.') longest = std::max(longest, ++parts);
        if (c == '\n' || c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') parts = 1;
    });
    return longest;
}

size_t first_foreign_byte(std::string_view toml) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    const size_t start = toml.substr(0, 3) == byte_order_mark ? 3 : 0;
    size_t first = std::string_view::npos;
    walk_outside_strings(toml.substr(start), [&](size_t at) {
        if (first == std::string_view::npos && static_cast<unsigned char>(toml[start + at]) >= 0x80) first = start + at;
    });
    return first;
}

}  // namespace liven::io
