#include <fmt/format.h>

#include <algorithm>

#include "liven/core/error.hpp"
#include "liven/report/chart.hpp"
#include "src/report/axes.hpp"

namespace liven::report {
namespace {

constexpr Frame kBarFrame{.height = 320};
constexpr size_t kMostLetters = 26;  // of a category that is written aslant

void validate(const BarChart& chart) {
    if (chart.categories.empty() || chart.series.empty())
        throw Error("chart", "'" + chart.title + "' has nothing to draw");
    for (const BarSeries& series : chart.series)
        if (series.bars.size() != chart.categories.size())
            throw Error("chart", "'" + series.name + "' has " + std::to_string(series.bars.size()) + " bars for " +
                                     std::to_string(chart.categories.size()) + " categories");
}

double highest(const BarChart& chart) {
    double most = 0;
    for (const BarSeries& series : chart.series)
        for (const Bar& bar : series.bars) {
            if (!bar.value) continue;
            require_finite(chart.title, bar.value.value());
            most = std::max(most, bar.interval ? bar.interval->second : bar.value.value());
        }
    return most > 0 ? most : 1;
}

void draw_bar(Canvas& canvas, const Plot& plot, const Bar& bar, double x, double width, const std::string& name,
              const Look& look) {
    if (!bar.value) {
        canvas.text(x + width / 2, plot.bottom() - 4, "?", Anchor::middle);
        canvas.hover(x + width / 2, plot.bottom() - 8, 8, name + ": " + bar.value.str());
        return;
    }
    const double value = bar.value.value(), top = plot.y(value);
    std::string title = name + ": " + number(value);
    if (bar.interval) title += fmt::format(" [{}, {}]", number(bar.interval->first), number(bar.interval->second));
    canvas.rectangle(x, top, width, std::max(0.5, plot.bottom() - top), look.colour, 1, title);
    if (!bar.interval) return;
    const double middle = x + width / 2, low = plot.y(bar.interval->first), high = plot.y(bar.interval->second);
    canvas.line(middle, low, middle, high, "error");
    canvas.line(middle - 4, low, middle + 4, low, "error");
    canvas.line(middle - 4, high, middle + 4, high, "error");
}

/// Whether the categories fit below their bars.
bool fits(const BarChart& chart, double room) {
    return std::all_of(chart.categories.begin(), chart.categories.end(),
                       [&](const std::string& name) { return letter_width * static_cast<double>(name.size()) < room; });
}

/// As much of it as is shown where room is short.
std::string shortened(const std::string& name) {
    return name.size() <= kMostLetters ? name : name.substr(0, kMostLetters - 1) + "…";
}

/// What slanted names need below the axis.
double slanted_height(const BarChart& chart) {
    size_t most = 0;
    for (const std::string& name : chart.categories) most = std::max(most, shortened(name).size());
    return 0.5 * letter_width * static_cast<double>(most);
}

}  // namespace

std::string svg(const BarChart& chart) {
    validate(chart);
    const double room = kBarFrame.inner_width() / static_cast<double>(chart.categories.size());
    const bool straight = fits(chart, room);
    Frame frame = kBarFrame;
    frame.bottom = 30;
    if (!straight) frame.height += slanted_height(chart), frame.bottom += slanted_height(chart);
    std::vector<std::string> names;
    for (const BarSeries& series : chart.series) names.push_back(series.name);
    Canvas canvas(frame.width, frame.height + legend_height(frame, names), chart.title);
    Axis y = chart.y;
    y.low = y.low.value_or(0);
    const Plot plot(Mapping({.title = ""}, 0, 1), Mapping(y, 0, highest(chart)), frame);
    plot.draw_axes(canvas, false);
    const double width = std::min(48.0, 0.8 * room / static_cast<double>(chart.series.size()));
    for (size_t c = 0; c < chart.categories.size(); ++c) {
        const double middle = plot.left() + room * (static_cast<double>(c) + 0.5);
        double x = middle - width * static_cast<double>(chart.series.size()) / 2;
        for (size_t s = 0; s < chart.series.size(); ++s, x += width)
            draw_bar(canvas, plot, chart.series[s].bars[c], x, width * 0.92,
                     chart.series[s].name + (chart.series[s].name.empty() ? "" : ", ") + chart.categories[c],
                     look_of(chart.first_look + s));
        if (straight)
            canvas.text(middle, plot.bottom() + 19, chart.categories[c], Anchor::middle);
        else
            canvas.slanted_text(middle + 4, plot.bottom() + 15, shortened(chart.categories[c]));
    }
    if (names.size() > 1)
        canvas.legend(frame.left, frame.height + 10, frame.inner_width(), names, Swatch::box, chart.first_look);
    return canvas.str();
}

}  // namespace liven::report
