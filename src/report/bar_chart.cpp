#include <fmt/format.h>

#include <algorithm>

#include "liven/core/error.hpp"
#include "liven/report/chart.hpp"
#include "src/report/axes.hpp"

namespace liven::report {
namespace {

constexpr Frame kBarFrame{.height = 340};

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

}  // namespace

std::string svg(const BarChart& chart) {
    validate(chart);
    Canvas canvas(kBarFrame.width, kBarFrame.height + legend_height(chart.series.size()), chart.title);
    Axis y = chart.y;
    y.low = y.low.value_or(0);
    const Plot plot(Mapping({.title = ""}, 0, 1), Mapping(y, 0, highest(chart)), kBarFrame);
    plot.draw_axes(canvas, false);
    const double room = (plot.right() - plot.left()) / static_cast<double>(chart.categories.size());
    const double width = std::min(48.0, 0.8 * room / static_cast<double>(chart.series.size()));
    for (size_t c = 0; c < chart.categories.size(); ++c) {
        const double middle = plot.left() + room * (static_cast<double>(c) + 0.5);
        double x = middle - width * static_cast<double>(chart.series.size()) / 2;
        for (size_t s = 0; s < chart.series.size(); ++s, x += width)
            draw_bar(canvas, plot, chart.series[s].bars[c], x, width * 0.92,
                     chart.series[s].name + (chart.series[s].name.empty() ? "" : ", ") + chart.categories[c],
                     look_of(s));
        canvas.text(middle, plot.bottom() + 16, chart.categories[c], Anchor::middle);
    }
    std::vector<std::string> names;
    for (const BarSeries& series : chart.series) names.push_back(series.name);
    if (names.size() > 1)
        canvas.legend(kBarFrame.left, kBarFrame.height + 8, kBarFrame.inner_width(), names, Swatch::box);
    return canvas.str();
}

std::string svg(const Histogram& histogram) {
    if (histogram.classes.empty() || histogram.classes.front().second.empty())
        throw Error("chart", "'" + histogram.title + "' has nothing to draw");
    const size_t bins = histogram.classes.front().second.size();
    std::vector<double> totals;
    double most = 0;
    for (const auto& [name, counts] : histogram.classes) {
        if (counts.size() != bins)
            throw Error("chart",
                        "'" + name + "' has " + std::to_string(counts.size()) + " bins, not " + std::to_string(bins));
        double total = 0;
        for (const int64_t count : counts) total += static_cast<double>(count);
        totals.push_back(std::max(1.0, total));
        for (const int64_t count : counts) most = std::max(most, static_cast<double>(count) / totals.back());
    }
    Canvas canvas(kBarFrame.width, kBarFrame.height + legend_height(histogram.classes.size()), histogram.title);
    const Plot plot(Mapping(histogram.x, histogram.low, histogram.high),
                    Mapping({.title = "share of the class", .low = 0}, 0, most > 0 ? most : 1), kBarFrame);
    plot.draw_axes(canvas);
    const double bin = (histogram.high - histogram.low) / static_cast<double>(bins);
    std::vector<std::string> names;
    for (size_t c = 0; c < histogram.classes.size(); ++c) {
        const auto& [name, counts] = histogram.classes[c];
        names.push_back(name);
        for (size_t i = 0; i < bins; ++i) {
            if (counts[i] == 0) continue;
            const double low = histogram.low + bin * static_cast<double>(i);
            const double share = static_cast<double>(counts[i]) / totals[c], top = plot.y(share);
            canvas.rectangle(
                plot.x(low), top, plot.x(low + bin) - plot.x(low), plot.bottom() - top, look_of(c).colour, 0.55,
                fmt::format("{}: {} of {} from {} to {}", name, counts[i], totals[c], number(low), number(low + bin)));
        }
    }
    plot.draw_rules(canvas, histogram.rules);
    canvas.legend(kBarFrame.left, kBarFrame.height + 8, kBarFrame.inner_width(), names, Swatch::box);
    return canvas.str();
}

}  // namespace liven::report
