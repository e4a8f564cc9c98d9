#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "src/io/config_parser.hpp"

namespace liven::io {
namespace {

/// The position behind the string that starts at `at` with a quote, or three equal ones where it is a value; nothing
/// when it lacks its end, and so is no string. One or two more quotes before the last three belong to the string.
std::optional<size_t> skip_string(std::string_view text, size_t at, bool is_value) {
    const char quote = text[at];
    const std::string three(3, quote);
    const bool triple = is_value && text.substr(at, 3) == three;
    at += triple ? 3 : 1;
    while (at < text.size()) {
        if (!triple && text[at] == '\n') {
            return {};
        } else if (quote == '"' && text[at] == '\\') {
            at += triple || text.substr(at + 1, 1) != "\n" ? 2 : 1;
        } else if (!triple && text[at] == quote) {
            return at + 1;
        } else if (triple && text.substr(at, 3) == three) {
            at += 3;
            for (int more = 0; more < 2 && at < text.size() && text[at] == quote; ++more) ++at;
            return at;
        } else {
            ++at;
        }
    }
    return {};
}

/// Where a string has a letter beyond ASCII as the first thing behind a backslash and the white space that follows it:
/// toml++ looks there for the end of a line where it sees three quotes, which it does at the place of a key, too. TOML
/// has no such escape in any string.
size_t letter_behind_backslash(std::string_view string) {
    constexpr size_t none = std::string_view::npos;
    if (string.front() != '"') return none;
    for (size_t at = string.find('\\', 1); at != none; at = string.find('\\', at)) {
        const size_t next = string.find_first_not_of(" \t\r\n\v\f", at + 1);
        if (next == none) return none;
        if (static_cast<unsigned char>(string[next]) >= 0x80) return next;
        at += next == at + 1 ? 2 : 1;  // what was escaped
    }
    return none;
}

/// Where in a TOML text a quote opens a string. In the middle of a word toml++ takes it for a part of the word, and
/// brackets and = too where the word stands for a value; it is then no value, but is read to its end all the same.
class StringStarts {
public:
    bool here() const { return !in_word_; }
    bool in_value() const { return in_value_; }
    void pass(char c) {
        const bool in_word = std::exchange(in_word_, false);
        if (std::string_view(" \t\r").find(c) != std::string_view::npos) return;
        if (c == '\n') {
            if (open_.empty()) in_value_ = false;
        } else if (c == ',') {
            if (!open_.empty()) in_value_ = open_.back() == '[';
        } else if (c == '=' && !in_value_) {
            in_value_ = true;
        } else if ((c == '[' || c == '{') && !in_word) {
            if (!in_value_) return;  // a table's head
            open_.push_back(c);
            in_value_ = c == '[';
        } else if (c == ']' || c == '}') {
            if (open_.empty()) return;
            open_.pop_back();
            in_value_ = true;
        } else {
            in_word_ = c != '.' || in_value_;  // a point joins the parts of a key, but belongs to a number
        }
    }

private:
    bool in_word_ = false;
    bool in_value_ = false;  ///< behind a key's =, up to the end of its line or the next of its table
    std::string open_;       ///< brackets of values: arrays hold values, tables begin with keys
};

/// Calls `visit` with the position of every character outside strings and comments, and of letters that no string may
/// have where they are.
template <class Visit>
void walk_outside_strings(std::string_view toml, const Visit& visit) {
    StringStarts strings;
    for (size_t at = 0; at < toml.size();) {
        const char c = toml[at];
        const bool opens = (c == '"' || c == '\'') && strings.here();
        if (const auto behind = opens ? skip_string(toml, at, strings.in_value()) : std::nullopt) {
            const size_t letter = letter_behind_backslash(toml.substr(at, *behind - at));
            if (letter != std::string_view::npos) visit(at + letter);
            at = *behind;
        } else if (c == '#') {
            at = std::min(toml.find('\n', at), toml.size());
        } else {
            visit(at);
            strings.pass(c);
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
