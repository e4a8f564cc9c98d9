#include "shell.hpp"

#include <algorithm>

namespace liven {

std::string shell_quoted(std::string_view word) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%";
    const bool plain = !word.empty() && std::all_of(word.begin(), word.end(),
                                                    [&](char c) { return kPlain.find(c) != std::string_view::npos; });
    if (plain) return std::string(word);
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + '\'';
}

}  // namespace liven
