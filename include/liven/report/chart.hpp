#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "liven/metrics/measure.hpp"

/// Charts as inline SVG: nothing to fetch, sharp on paper, in the colours of the page around them (light or dark). What
/// is plotted is told apart by colour, dash and mark, so that it can be without colours; every point, bar and cell
/// tells its numbers when it is hovered over. Text is escaped.
namespace liven::report {

struct Point {
    double x = 0, y = 0;
    std::string label = {};  ///< what hovering adds to the numbers
};

/// probit: by the quantiles of the normal distribution, as detection error trade-offs are drawn (Martin et al. 1997);
/// values are clipped to [0.0005, 0.9995].
enum class Scale : uint8_t { linear, logarithmic, probit };
struct Axis {
    std::string title;
    Scale scale = Scale::linear;
    std::optional<double> low = {}, high = {};  ///< by default from the data
    bool counts = false;                        ///< marks of a linear axis at whole numbers alone: epochs, samples
    int ticks = 6;                              ///< about so many on a linear axis
};

struct Series {
    std::string name;
    std::vector<Point> points;
    std::vector<std::pair<double, double>> band = {};  ///< lowest and highest y of each point, drawn behind
    bool joined = true;                                ///< by a line; otherwise points by themselves
    bool marked = false;                               ///< also by a mark a point, where they are joined
    std::optional<size_t> like = {};                   ///< looks like that series, and is not in the legend
};

/// A line across the chart at one x or one y, with words.
struct Rule {
    double at = 0;
    std::string label;
    bool vertical = true;
};

/// Lines or points over two axes. Throws Error when there is no point, a number is not finite, or one of a logarithmic
/// axis is not above 0.
struct LineChart {
    std::string title;
    Axis x, y;
    std::vector<Series> series;
    std::vector<Rule> rules = {};
    bool square = false;    ///< as high as wide: for curves whose axes measure the same
    bool diagonal = false;  ///< with the line y = x, for what would be chance or perfect
};
std::string svg(const LineChart& chart);

/// A value with an interval, if there is one. What is undefined leaves its place empty and says why.
struct Bar {
    Measure value;
    std::optional<std::pair<double, double>> interval = {};
};
struct BarSeries {
    std::string name;
    std::vector<Bar> bars;  ///< one a category
};
/// Bars from zero, side by side for each category. Throws Error when a series has not one bar a category, or nothing is
/// to be drawn.
struct BarChart {
    std::string title;
    Axis y;
    std::vector<std::string> categories;
    std::vector<BarSeries> series;
    size_t first_look = 0;  ///< how many looks are passed over: the first two are those of the classes
};
std::string svg(const BarChart& chart);

/// How often values fall into equal parts of [low, high]: a panel a class, one below the other, each as a share of its
/// class. Throws Error for counts of different length or none.
struct Histogram {
    std::string title;
    Axis x;
    double low = 0, high = 1;
    std::vector<std::pair<std::string, std::vector<int64_t>>> classes;
    std::vector<Rule> rules = {};
};
std::string svg(const Histogram& histogram);

/// Values by row and column, the stronger a colour the more, the number (or a text) written in each. Throws Error when
/// the rows are not of one length.
struct HeatMap {
    std::string title;
    std::string row_title = {}, column_title = {};
    std::vector<std::string> rows, columns;
    std::vector<std::vector<Measure>> values;
    double low = 0, high = 1;  ///< what the lightest and the darkest cell stand for
    int decimals = 3;
    bool errors = false;                               ///< less is better: drawn in another colour
    std::vector<std::vector<std::string>> texts = {};  ///< instead of the numbers, where there are any
};
std::string svg(const HeatMap& map);

/// Values from 0 to 1 along spokes. Throws Error for less than three spokes or a series that has not one value each.
struct Radar {
    std::string title;
    std::vector<std::string> spokes;
    std::vector<BarSeries> series;
    size_t first_look = 0;  ///< how many looks are passed over: the first two are those of the classes
};
std::string svg(const Radar& radar);

/// A chart as a file of its own, in the colours that a page gives it.
std::string standalone(std::string_view svg);

}  // namespace liven::report
