#include <algorithm>
#include <cmath>
#include <numbers>

#include "liven/core/error.hpp"
#include "liven/report/chart.hpp"
#include "src/report/axes.hpp"

namespace liven::report {
namespace {

constexpr double kRadarWidth = 560, kMiddle = kRadarWidth / 2, kCentre = 222, kRadius = 160;

Point place(size_t spoke, size_t spokes, double value) {
    const double turn = 2 * std::numbers::pi * static_cast<double>(spoke) / static_cast<double>(spokes);
    const double r = kRadius * std::clamp(value, 0.0, 1.0);
    return {kMiddle + r * std::sin(turn), kCentre - r * std::cos(turn)};
}

void draw_spokes(Canvas& canvas, const Radar& radar) {
    const size_t count = radar.spokes.size();
    for (const double ring : {0.25, 0.5, 0.75, 1.0}) {
        for (size_t i = 0; i < count; ++i) {
            const Point a = place(i, count, ring), b = place((i + 1) % count, count, ring);
            canvas.line(a.x, a.y, b.x, b.y, "grid");
        }
    }
    for (size_t i = 0; i < count; ++i) {
        const Point end = place(i, count, 1);
        canvas.line(kMiddle, kCentre, end.x, end.y, "grid");
        const double x = kMiddle + (end.x - kMiddle) * 1.1, y = kCentre + (end.y - kCentre) * 1.1;
        const Anchor anchor = std::abs(x - kMiddle) < 10 ? Anchor::middle : x < kMiddle ? Anchor::end : Anchor::start;
        canvas.text(x, y + 4, radar.spokes[i], anchor);
    }
}

/// Above the lines, since these cross them.
void draw_rings(Canvas& canvas) {
    for (const double ring : {0.25, 0.5, 0.75, 1.0})
        canvas.text(kMiddle + 4, kCentre - kRadius * ring + 12, number(ring), Anchor::start, "soft");
}

}  // namespace

std::string svg(const Radar& radar) {
    const size_t count = radar.spokes.size();
    if (count < 3) throw Error("chart", "'" + radar.title + "' needs three spokes, got " + std::to_string(count));
    for (const BarSeries& series : radar.series)
        if (series.bars.size() != count)
            throw Error("chart", "'" + series.name + "' has " + std::to_string(series.bars.size()) + " values for " +
                                     std::to_string(count) + " spokes");
    constexpr double left = 60, below = kCentre + kRadius + 24;
    std::vector<std::string> names;
    for (const BarSeries& series : radar.series) names.push_back(series.name);
    const double rows = static_cast<double>(legend_rows(kRadarWidth - 2 * left, names));
    Canvas canvas(kRadarWidth, below + legend_line * rows, radar.title);
    draw_spokes(canvas, radar);
    // Several bands lie on each other.
    const double opacity = std::max(0.07, 0.22 / std::sqrt(static_cast<double>(radar.series.size())));
    for (size_t s = 0; s < radar.series.size(); ++s) {
        const Look look = look_of(s);
        std::vector<Point> path, outer, inner;
        for (size_t i = 0; i < count; ++i) {
            const Bar& bar = radar.series[s].bars[i];
            if (!bar.value) continue;
            const double value = bar.value.value();
            require_finite(radar.title, value);
            path.push_back(place(i, count, value));
            outer.push_back(place(i, count, bar.interval ? bar.interval->second : value));
            inner.push_back(place(i, count, bar.interval ? bar.interval->first : value));
        }
        if (path.empty()) continue;
        outer.push_back(outer.front());
        outer.insert(outer.end(), inner.rbegin(), inner.rend());
        outer.push_back(inner.back());
        canvas.polygon(outer, look.colour, opacity);
        path.push_back(path.front());
        canvas.polyline(path, look);
        for (size_t i = 0; i < count; ++i) {
            const Bar& bar = radar.series[s].bars[i];
            if (!bar.value) continue;
            const Point at = place(i, count, bar.value.value());
            std::string title = radar.series[s].name + ", " + radar.spokes[i] + ": " + number(bar.value.value());
            if (bar.interval) title += " [" + number(bar.interval->first) + ", " + number(bar.interval->second) + "]";
            canvas.mark(at.x, at.y, look, title);
        }
    }
    draw_rings(canvas);
    canvas.legend(left, below + 10, kRadarWidth - 2 * left, names, Swatch::marked_line);
    return canvas.str();
}

}  // namespace liven::report
