#include <fmt/format.h>

#include <algorithm>

#include "liven/core/error.hpp"
#include "liven/report/chart.hpp"
#include "src/report/axes.hpp"

namespace liven::report {
namespace {

constexpr double kCellWidth = 84, kCellHeight = 34;
constexpr double kStrongest = 0.5;  // of a cell's colour, on which text can be read in the light and in the dark

double widest(const std::vector<std::string>& words) {
    size_t most = 0;
    for (const std::string& word : words) most = std::max(most, word.size());
    return letter_width * static_cast<double>(most);
}

void validate(const HeatMap& map) {
    if (map.rows.empty() || map.columns.empty()) throw Error("chart", "'" + map.title + "' has nothing to draw");
    if (!(map.low < map.high)) throw Error("chart", "'" + map.title + "' has no range of colours");
    const auto is_whole = [&](const auto& table) {
        bool whole = table.size() == map.rows.size();
        for (const auto& row : table) whole = whole && row.size() == map.columns.size();
        return whole;
    };
    const bool fits = is_whole(map.values) && (map.texts.empty() || is_whole(map.texts));
    if (!fits)
        throw Error("chart", "'" + map.title + "' expects " + std::to_string(map.rows.size()) + " rows of " +
                                 std::to_string(map.columns.size()) + " values");
}

}  // namespace

std::string svg(const HeatMap& map) {
    validate(map);
    const double left = 40 + widest(map.rows), top = 64, cell = std::max(kCellWidth, widest(map.columns) + 12);
    const double width = std::max(left + cell * static_cast<double>(map.columns.size()) + 12,
                                  24 + letter_width * static_cast<double>(map.title.size()));
    const double rows = kCellHeight * static_cast<double>(map.rows.size());
    // The rows' title stands upright beside them.
    const double beside = std::max(rows, 9 * static_cast<double>(map.row_title.size()));
    const double height = top + beside + 12;
    Canvas canvas(width, height, map.title);
    canvas.text(left + cell * static_cast<double>(map.columns.size()) / 2, 36, map.column_title, Anchor::middle,
                "soft");
    canvas.upright_text(14, top + beside / 2, map.row_title, "soft");
    for (size_t c = 0; c < map.columns.size(); ++c)
        canvas.text(left + cell * (static_cast<double>(c) + 0.5), top - 8, map.columns[c], Anchor::middle);
    for (size_t r = 0; r < map.rows.size(); ++r) {
        const double y = top + kCellHeight * static_cast<double>(r);
        canvas.text(left - 7, y + kCellHeight / 2 + 4, map.rows[r], Anchor::end);
        for (size_t c = 0; c < map.columns.size(); ++c) {
            const Measure& value = map.values[r][c];
            const double x = left + cell * static_cast<double>(c);
            const double share = value ? std::clamp((value.value() - map.low) / (map.high - map.low), 0.0, 1.0) : 0.0;
            canvas.rectangle(x, y, cell - 1.5, kCellHeight - 1.5, map.errors ? "var(--c2)" : "var(--c1)",
                             value ? 0.05 + kStrongest * share : 0.0,
                             fmt::format("{}, {}: {}", map.rows[r], map.columns[c], value.str(map.decimals)));
            const std::string words = !map.texts.empty() ? map.texts[r][c]
                                      : value            ? fmt::format("{:.{}f}", value.value(), map.decimals)
                                                         : "–";
            canvas.text(x + cell / 2, y + kCellHeight / 2 + 4, words, Anchor::middle);
        }
    }
    return canvas.str();
}

}  // namespace liven::report
