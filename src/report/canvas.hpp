#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "liven/report/chart.hpp"

namespace liven::report {

/// The look of the i-th of several things: a colour that colour-blind eyes keep apart from its neighbours' (Okabe and
/// Ito 2008; a custom property of the page), a dash pattern and a mark.
struct Look {
    std::string colour;
    const char* dash;
    int mark;
};
Look look_of(size_t i);

inline constexpr double legend_line = 18;  ///< from one row of a legend to the next
inline constexpr double letter_width = 8;  ///< at most about, of the font charts are written in

/// What a legend shows before a name.
enum class Swatch : uint8_t { line, marked_line, mark, box };

/// Rows that a legend of these names takes.
size_t legend_rows(double width, const std::vector<std::string>& names);

enum class Anchor : uint8_t { start, middle, end };

/// An SVG being written. Shapes take a title that is shown when they are hovered over.
class Canvas {
public:
    Canvas(double width, double height, std::string_view title);

    void text(double x, double y, std::string_view words, Anchor anchor = Anchor::start, std::string_view kind = "");
    /// Ends at the place, climbing to it from the lower left.
    void slanted_text(double x, double y, std::string_view words);
    /// Turned by a quarter, reading upwards.
    void upright_text(double x, double y, std::string_view words, std::string_view kind = "");
    void line(double x1, double y1, double x2, double y2, std::string_view kind);
    void polyline(const std::vector<Point>& points, const Look& look);
    void polygon(const std::vector<Point>& points, std::string_view colour, double opacity);
    void rectangle(double x, double y, double width, double height, std::string_view colour, double opacity,
                   std::string_view title);
    void mark(double x, double y, const Look& look, std::string_view title);
    /// A place that shows the title and nothing else.
    void hover(double x, double y, double radius, std::string_view title);
    /// One entry a name, in rows from (x, y).
    void legend(double x, double y, double width, const std::vector<std::string>& names, Swatch swatch,
                size_t first_look = 0);

    std::string str() const { return text_ + "</svg>\n"; }

private:
    std::string text_;
};

}  // namespace liven::report
