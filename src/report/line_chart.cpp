#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "liven/core/error.hpp"
#include "liven/report/chart.hpp"
#include "src/report/axes.hpp"

namespace liven::report {
namespace {

constexpr size_t kMostHovers = 400;  // of a line; every so manieth of more

struct Reach {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    void include(double value) { low = std::min(low, value), high = std::max(high, value); }
    /// Points by themselves shall not lie on the frame.
    void widen() {
        const double room = 0.03 * (high - low);
        low -= room, high += room;
    }
};

std::string told(const LineChart& chart, const Series& series, const Point& point) {
    return fmt::format("{}{}{}: {}\n{}: {}{}{}", series.name, series.name.empty() ? "" : "\n", chart.x.title,
                       number(point.x), chart.y.title, number(point.y), point.label.empty() ? "" : "\n", point.label);
}

void draw_band(Canvas& canvas, const Plot& plot, const Series& series, const Look& look) {
    if (series.band.size() != series.points.size()) return;
    std::vector<Point> outline;
    for (size_t i = 0; i < series.points.size(); ++i)
        outline.push_back({plot.x(series.points[i].x), plot.y(series.band[i].second)});
    for (size_t i = series.points.size(); i-- > 0;)
        outline.push_back({plot.x(series.points[i].x), plot.y(series.band[i].first)});
    canvas.polygon(outline, look.colour, 0.15);
}

void draw(Canvas& canvas, const Plot& plot, const LineChart& chart, const Series& series, const Look& look) {
    draw_band(canvas, plot, series, look);
    std::vector<Point> path;
    for (const Point& point : series.points) path.push_back({plot.x(point.x), plot.y(point.y)});
    if (series.joined) canvas.polyline(path, look);
    const size_t step = series.joined ? path.size() / kMostHovers + 1 : 1;
    for (size_t i = 0; i < path.size(); i += step) {
        const std::string title = told(chart, series, series.points[i]);
        if (series.joined && !series.marked)
            canvas.hover(path[i].x, path[i].y, 5, title);
        else
            canvas.mark(path[i].x, path[i].y, look, title);
    }
}

}  // namespace

std::string svg(const LineChart& chart) {
    Reach x, y;
    for (const Series& series : chart.series) {
        for (const Point& point : series.points) {
            require_finite(chart.title, point.x);
            require_finite(chart.title, point.y);
            x.include(point.x);
            y.include(point.y);
        }
        for (const auto& [low, high] : series.band) y.include(low), y.include(high);
    }
    if (x.high < x.low) throw Error("chart", "'" + chart.title + "' has no point");
    if (!chart.series.front().joined && chart.x.scale == Scale::linear) x.widen();
    if (!chart.series.front().joined && chart.y.scale == Scale::linear) y.widen();
    const Frame frame{.height = chart.square ? 548.0 : 360.0};
    std::vector<std::string> names;
    for (const Series& series : chart.series)
        if (!series.like) names.push_back(series.name);
    Canvas canvas(frame.width, frame.height + legend_height(frame, names), chart.title);
    const Plot plot(Mapping(chart.x, x.low, x.high), Mapping(chart.y, y.low, y.high), frame);
    plot.draw_axes(canvas);
    if (chart.diagonal) canvas.line(plot.left(), plot.bottom(), plot.right(), plot.top(), "rule");
    plot.draw_rules(canvas, chart.rules);
    for (size_t i = 0; i < chart.series.size(); ++i)
        draw(canvas, plot, chart, chart.series[i], look_of(chart.series[i].like.value_or(i)));
    const Series& first = chart.series.front();
    if (names.size() > 1)
        canvas.legend(frame.left, frame.height + 10, frame.inner_width(), names,
                      !first.joined  ? Swatch::mark
                      : first.marked ? Swatch::marked_line
                                     : Swatch::line);
    return canvas.str();
}

}  // namespace liven::report
