#include <fmt/format.h>

#include <algorithm>

#include "liven/core/error.hpp"
#include "liven/report/chart.hpp"
#include "src/report/axes.hpp"

namespace liven::report {
namespace {

constexpr double kPanel = 112, kGap = 14;

struct Shares {
    std::vector<double> totals;  ///< of each class
    double most = 0;
};

Shares shares_of(const Histogram& histogram) {
    if (histogram.classes.empty() || histogram.classes.front().second.empty())
        throw Error("chart", "'" + histogram.title + "' has nothing to draw");
    const size_t bins = histogram.classes.front().second.size();
    Shares shares;
    for (const auto& [name, counts] : histogram.classes) {
        if (counts.size() != bins)
            throw Error("chart",
                        "'" + name + "' has " + std::to_string(counts.size()) + " bins, not " + std::to_string(bins));
        double total = 0;
        for (const int64_t count : counts) total += static_cast<double>(count);
        shares.totals.push_back(std::max(1.0, total));
        for (const int64_t count : counts)
            shares.most = std::max(shares.most, static_cast<double>(count) / shares.totals.back());
    }
    if (shares.most == 0) shares.most = 1;
    return shares;
}

void draw_panel(Canvas& canvas, const Plot& plot, const Histogram& histogram, size_t c, double total) {
    const auto& [name, counts] = histogram.classes[c];
    const double bin = (histogram.high - histogram.low) / static_cast<double>(counts.size());
    for (size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        const double low = histogram.low + bin * static_cast<double>(i);
        const double top = plot.y(static_cast<double>(counts[i]) / total);
        canvas.rectangle(
            plot.x(low), top, plot.x(low + bin) - plot.x(low) - 0.6, plot.bottom() - top, look_of(c).colour, 1,
            fmt::format("{}: {} of {} from {} to {}", name, counts[i], total, number(low), number(low + bin)));
    }
}

/// The class's name, on the side where there is less in its way.
void draw_label(Canvas& canvas, const Plot& plot, const std::pair<std::string, std::vector<int64_t>>& named) {
    const auto& [name, counts] = named;
    const auto middle = counts.begin() + static_cast<std::ptrdiff_t>((counts.size() + 1) / 2);
    const bool right =
        middle != counts.end() && *std::max_element(counts.begin(), middle) > *std::max_element(middle, counts.end());
    canvas.text(right ? plot.right() - 6 : plot.left() + 8, plot.top() + 15, name, right ? Anchor::end : Anchor::start,
                "label");
}

/// Lines through all panels, their words above the first.
void draw_panel_rules(Canvas& canvas, const Plot& first, const Plot& last, const std::vector<Rule>& rules) {
    for (const Rule& rule : rules) {
        const double at = first.x(rule.at), third = (first.right() - first.left()) / 3;
        canvas.line(at, first.top(), at, last.bottom(), "rule");
        const Anchor anchor = at < first.left() + third    ? Anchor::start
                              : at > first.right() - third ? Anchor::end
                                                           : Anchor::middle;
        canvas.text(at, first.top() - 5, rule.label, anchor, "rule");
    }
}

}  // namespace

std::string svg(const Histogram& histogram) {
    const Shares shares = shares_of(histogram);
    Frame whole;
    whole.top = histogram.rules.empty() ? 30 : 46;
    const auto panels = static_cast<double>(histogram.classes.size());
    whole.height = whole.top + panels * kPanel + (panels - 1) * kGap + whole.bottom;
    Canvas canvas(whole.width, whole.height, histogram.title);
    std::vector<Plot> plots;
    for (size_t c = 0; c < histogram.classes.size(); ++c) {
        Frame frame = whole;
        frame.top = whole.top + static_cast<double>(c) * (kPanel + kGap);
        frame.bottom = whole.height - frame.top - kPanel;
        const bool lowest = c + 1 == histogram.classes.size();
        Axis x = histogram.x;
        if (!lowest) x.title.clear();
        const Mapping values(x, histogram.low, histogram.high);
        plots.emplace_back(values, Mapping({.title = "share", .low = 0, .ticks = 3}, 0, shares.most), frame);
        const Plot& plot = plots.back();
        if (!lowest)  // the numbers stand below the last panel, the lines go through all
            for (const double tick : values.ticks())
                canvas.line(plot.x(tick), plot.top(), plot.x(tick), plot.bottom(), "grid");
        plot.draw_axes(canvas, lowest);
        draw_panel(canvas, plot, histogram, c, shares.totals[c]);
    }
    draw_panel_rules(canvas, plots.front(), plots.back(), histogram.rules);
    for (size_t c = 0; c < histogram.classes.size(); ++c) draw_label(canvas, plots[c], histogram.classes[c]);
    return canvas.str();
}

}  // namespace liven::report
