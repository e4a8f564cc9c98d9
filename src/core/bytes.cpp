#include "liven/core/bytes.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "liven/core/error.hpp"

namespace liven {
namespace {

/// The factor a unit stands for; 0 when it is none.
double unit_from(std::string unit) {
    for (char& c : unit) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!unit.empty() && unit.back() == 'b') unit.pop_back();
    const bool binary = unit.size() == 2 && unit.back() == 'i';
    if (binary) unit.pop_back();
    if (unit.empty()) return 1;
    const size_t power = std::string_view("kmgt").find(unit);
    return unit.size() == 1 && power != std::string_view::npos
               ? std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(power + 1))
               : 0;
}

}  // namespace

int64_t bytes_from(std::string_view where, std::string_view text) {
    double number = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string unit(end, text.data() + text.size());
    while (!unit.empty() && unit.front() == ' ') unit.erase(0, 1);
    const double bytes = status == std::errc() ? number * unit_from(unit) : 0;
    if (!(bytes >= 1) || bytes > 9e18)
        throw Error(std::string(where), "expected an amount of memory, got '" + std::string(text) + "'",
                    "for example 4GB, 512MB or 1.5GiB");
    return static_cast<int64_t>(bytes);
}

std::string megabytes(double bytes, int decimals) {
    char text[40];
    std::snprintf(text, sizeof text, "%.*f MB", decimals, bytes * 1e-6);
    return text;
}

}  // namespace liven
