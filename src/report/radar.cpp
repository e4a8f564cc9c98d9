#include <algorithm>
#include <cmath>
#include <numbers>

#include "liven/core/error.hpp"
#include "liven/report/chart.hpp"
#include "src/report/axes.hpp"

namespace liven::report {
namespace {

constexpr double kRadarWidth = 560, kMiddle = kRadarWidth / 2, kCentre = 235, kRadius = 160;

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
        canvas.text(kMiddle + 3, kCentre - kRadius * ring + 11, number(ring), Anchor::start, "soft");
    }
    for (size_t i = 0; i < count; ++i) {
        const Point end = place(i, count, 1);
        canvas.line(kMiddle, kCentre, end.x, end.y, "grid");
        const double x = kMiddle + (end.x - kMiddle) * 1.1, y = kCentre + (end.y - kCentre) * 1.1;
        const Anchor anchor = std::abs(x - kMiddle) < 10 ? Anchor::middle : x < kMiddle ? Anchor::end : Anchor::start;
        canvas.text(x, y + 4, radar.spokes[i], anchor);
    }
}

}  // namespace

std::string svg(const Radar& radar) {
    const size_t count = radar.spokes.size();
    if (count < 3) throw Error("chart", "'" + radar.title + "' needs three spokes, got " + std::to_string(count));
    for (const BarSeries& series : radar.series)
        if (series.bars.size() != count)
            throw Error("chart", "'" + series.name + "' has " + std::to_string(series.bars.size()) + " values for " +
                                     std::to_string(count) + " spokes");
    Canvas canvas(kRadarWidth, kCentre + kRadius + 40 + legend_height(radar.series.size()), radar.title);
    draw_spokes(canvas, radar);
    std::vector<std::string> names;
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
        names.push_back(radar.series[s].name);
        if (path.empty()) continue;
        outer.push_back(outer.front());
        outer.insert(outer.end(), inner.rbegin(), inner.rend());
        outer.push_back(inner.back());
        canvas.polygon(outer, look.colour, 0.2);
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
    canvas.legend(60, kCentre + kRadius + 44, kRadarWidth - 120, names, Swatch::line);
    return canvas.str();
}

}  // namespace liven::report
