#pragma once

#include <string>
#include <vector>

#include "liven/report/chart.hpp"
#include "src/report/canvas.hpp"

namespace liven::report {

/// A number as people write it: as few digits as tell it apart by a thousandth, an exponent below a thousandth and from
/// a million on: 0.0125, 1.5e-4.
std::string number(double value);

/// One axis: from values to 0...1, and where its ticks are.
class Mapping {
public:
    /// `low` and `high` are those of the data; the axis's own come first.
    Mapping(const Axis& axis, double low, double high);

    double at(double value) const;
    const std::vector<double>& ticks() const { return ticks_; }
    double low() const { return low_; }
    double high() const { return high_; }
    const std::string& title() const { return title_; }

private:
    double transformed(double value) const;

    std::string title_;
    Scale scale_;
    double low_, high_;
    std::vector<double> ticks_;
};

/// A chart's size, and the room around what is plotted for numbers and titles.
struct Frame {
    double width = 560, height = 360;
    double left = 76, right = 18, top = 30, bottom = 50;

    double inner_width() const { return width - left - right; }
};

/// The rectangle that data is drawn in, with its axes.
class Plot {
public:
    Plot(Mapping x, Mapping y, const Frame& frame) : x_(std::move(x)), y_(std::move(y)), frame_(frame) {}

    double x(double value) const { return left() + frame_.inner_width() * x_.at(value); }
    double y(double value) const { return bottom() + (top() - bottom()) * y_.at(value); }
    double left() const { return frame_.left; }
    double top() const { return frame_.top; }
    double right() const { return frame_.width - frame_.right; }
    double bottom() const { return frame_.height - frame_.bottom; }

    /// Grid, ticks and titles; `x_ticks` false where the categories are written otherwise, or by a panel below.
    void draw_axes(Canvas& canvas, bool x_ticks = true) const;
    void draw_rules(Canvas& canvas, const std::vector<Rule>& rules) const;

private:
    Mapping x_, y_;
    Frame frame_;
};

/// Room for a legend of these names below the frame; none for one name, which the title says.
double legend_height(const Frame& frame, const std::vector<std::string>& names);

/// Throws Error naming the chart when the number is not finite.
void require_finite(const std::string& chart, double value);

}  // namespace liven::report
