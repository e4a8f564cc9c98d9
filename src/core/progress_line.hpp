#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace liven {

/// What one line of a progress bar says.
struct ProgressLine {
    std::string title{};
    int64_t done = 0, total = 0;  ///< total 0: unknown
    std::string unit{};
    double items_per_second = 0;  ///< 0: not known yet
    double seconds = 0;           ///< left, or taken when finished; negative: not known yet
    bool finished = false;
    std::vector<std::pair<std::string, double>> values{};
};

/// The line as text. With a bar, at most `width` columns: the bar shrinks first, then the end is cut.
std::string with_bar(const ProgressLine& line, int width, bool unicode);
std::string without_bar(const ProgressLine& line);

/// 41 s is "0:41", 3,725 s is "1:02:05".
std::string clock_text(double seconds);
/// Three significant digits: "98", "9.81", "0.981", "12400".
std::string short_number(double value);

}  // namespace liven
