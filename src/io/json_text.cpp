#include "src/io/json_text.hpp"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace liven::io {
namespace {

template <class T>
std::string shortest_text(T value) {
    std::array<char, 64> buffer{};
    const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    std::string out(buffer.data(), result.ptr);
    if (out.find_first_of(".en") == std::string::npos) out += ".0";  // n: inf and nan stay as they are
    return out;
}

}  // namespace

std::string json_quoted(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool is_utf8(std::string_view text) {
    try {
        (void)nlohmann::json(text).dump();
        return true;
    } catch (const nlohmann::json::exception&) {
        return false;
    }
}

std::string shortest(double value) { return shortest_text(value); }
std::string shortest(float value) { return shortest_text(value); }

}  // namespace liven::io
