#include "liven/core/error.hpp"

namespace liven {
namespace {

/// File names and foreign messages may hold line breaks and control bytes; an error stays one printable line.
std::string one_line(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    return out;
}

/// With a full stop, unless it ends as a sentence already.
std::string sentence(std::string_view text) {
    const std::string out = one_line(text);
    return out.empty() || std::string_view(".?!").find(out.back()) == std::string_view::npos ? out + "." : out;
}

std::string message(std::string_view where, std::string_view what, std::string_view hint) {
    std::string out = one_line(where) + ": " + sentence(what);
    if (!hint.empty()) out += " Hint: " + sentence(hint);
    return out;
}

}  // namespace

Error::Error(std::string_view where, std::string_view what, std::string_view hint)
    : std::runtime_error(message(where, what, hint)), where_(one_line(where)), hint_(one_line(hint)) {}

}  // namespace liven
