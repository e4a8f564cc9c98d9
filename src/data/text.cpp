#include "src/data/text.hpp"

#include <array>
#include <charconv>

namespace liven::data {

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string in_quotes(std::string_view text) {
    constexpr size_t limit = 60;
    std::string out = "\"";
    for (char c : text.substr(0, limit)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return out + (text.size() > limit ? "...\"" : "\"");
}

std::string number(double value) {
    std::array<char, 32> text{};
    // A float's shortest text, so that 0.1f reads 0.1.
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(value));
    return error == std::errc() ? std::string(text.data(), end) : std::string("?");
}

std::string thousands(long long value) {
    std::string out = std::to_string(value);
    const size_t first = out[0] == '-' ? 1 : 0;
    for (size_t at = out.size(); at > first + 3;) out.insert(at -= 3, ",");
    return out;
}

}  // namespace liven::data
