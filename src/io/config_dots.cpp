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

}  // namespace

size_t longest_dotted_key(std::string_view toml) {
    size_t longest = 0, parts = 1;
    for (size_t at = 0; at < toml.size();) {
        const char c = toml[at];
        if (c == '"' || c == '\'') {
            at = skip_string(toml, at);
            continue;
        }
        if (c == '#') {
            at = std::min(toml.find('\n', at), toml.size());
            continue;
        }
        if (c == '.') longest = std::max(longest, ++parts);
        if (c == '\n' || c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') parts = 1;
        ++at;
    }
    return std::max(longest, parts);
}

}  // namespace liven::io
