#include "src/core/progress_line.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>

namespace liven {
namespace {

constexpr int kLongestBar = 28, kShortestBar = 4;

/// UTF-8 continuation bytes take no column. Titles are assumed to have no wide characters.
int columns(const std::string& text) {
    return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string cut(std::string text, int width) {
    int seen = 0;
    for (size_t i = 0; i < text.size(); ++i)
        if ((text[i] & 0xC0) != 0x80 && ++seen > width) {
            text.resize(i);
            break;
        }
    return text;
}

std::string formatted(const char* format, double value) {
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), format, value);
    return buffer.data();
}

std::string value_text(double value) {
    const double size = std::abs(value);
    return formatted(size != 0 && (size < 1e-3 || size >= 1e4) ? "%.2e" : "%.3f", value);
}

double share(const ProgressLine& line) {
    return std::clamp(static_cast<double>(line.done) / static_cast<double>(line.total), 0.0, 1.0);
}

std::string bar_text(double share, int cells, bool unicode) {
    const int full = static_cast<int>(share * cells);
    std::string out;
    for (int i = 0; i < cells; ++i) out += i < full ? (unicode ? "█" : "#") : (unicode ? "░" : "-");
    return out;
}

/// "  71 %  395/557  98 img/s  0:41 left   loss 0.412  acc 0.871"
std::string figures(const ProgressLine& line) {
    std::string out;
    if (line.total > 0) {
        out += formatted("  %3.0f %%", std::floor(100 * share(line)));
        out += "  " + std::to_string(line.done) + "/" + std::to_string(line.total);
    } else {
        out += "  " + std::to_string(line.done);
    }
    if (line.items_per_second > 0) out += "  " + short_number(line.items_per_second) + " " + line.unit + "/s";
    if (line.seconds >= 0) out += "  " + clock_text(line.seconds) + (line.finished ? "" : " left");
    const char* gap = "   ";
    for (const auto& [name, value] : line.values) {
        out.append(gap).append(name).append(" ").append(value_text(value));
        gap = "  ";
    }
    return out;
}

}  // namespace

std::string with_bar(const ProgressLine& line, int width, bool unicode) {
    const std::string tail = figures(line);
    // The last column stays free: some terminals wrap when it is written.
    const int room = width - 1 - columns(line.title) - 2 - columns(tail);
    std::string out = line.title;
    if (line.total > 0 && room >= kShortestBar)
        out += "  " + bar_text(share(line), std::min(room, kLongestBar), unicode);
    return cut(out + tail, width - 1);
}

std::string without_bar(const ProgressLine& line) { return line.title + figures(line); }

std::string clock_text(double seconds) {
    const auto total = static_cast<int64_t>(std::llround(std::clamp(seconds, 0.0, 3.6e8)));
    const int64_t hours = total / 3600, minutes = total / 60 % 60, rest = total % 60;
    const auto two = [](int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
    if (hours > 0) return std::to_string(hours) + ":" + two(minutes) + ":" + two(rest);
    return std::to_string(minutes) + ":" + two(rest);
}

std::string short_number(double value) {
    const double size = std::abs(value);
    if (size >= 99.95) return formatted("%.0f", value);
    return formatted(size >= 9.995 ? "%.1f" : size >= 0.9995 ? "%.2f" : "%.3f", value);
}

}  // namespace liven
