#include "src/report/canvas.hpp"

#include <fmt/format.h>

#include <array>

#include "src/core/markup.hpp"

namespace liven::report {
namespace {

constexpr std::array<const char*, 6> kDashes{"", "7 3", "2 3", "9 3 2 3", "4 2", "12 4"};
constexpr int kMarks = 4;
constexpr size_t kColours = 7;

std::string titled(std::string_view title) {
    return title.empty() ? std::string() : fmt::format("<title>{}</title>", escaped_markup(title));
}

std::string joined(const std::vector<Point>& points) {
    std::string text;
    for (const Point& point : points) text += fmt::format("{:.1f},{:.1f} ", point.x, point.y);
    return text;
}

}  // namespace

Look look_of(size_t i) {
    return {.colour = fmt::format("var(--c{})", i % kColours + 1),
            .dash = kDashes[i % kDashes.size()],
            .mark = static_cast<int>(i % kMarks)};
}

Canvas::Canvas(double width, double height, std::string_view title)
    : text_(fmt::format("<svg class=\"chart\" viewBox=\"0 0 {0:.0f} {1:.0f}\" style=\"width:{0:.0f}px\" role=\"img\" "
                        "aria-label=\"{2}\">\n",
                        width, height, escaped_markup(title))) {
    if (!title.empty()) text(width / 2, 16, title, Anchor::middle, "title");
}

void Canvas::text(double x, double y, std::string_view words, Anchor anchor, std::string_view kind) {
    constexpr std::array<const char*, 3> kAnchors{"start", "middle", "end"};
    text_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y,
                         kAnchors[static_cast<size_t>(anchor)],
                         kind.empty() ? std::string() : fmt::format(" class=\"{}\"", kind), escaped_markup(words));
}

void Canvas::slanted_text(double x, double y, std::string_view words) {
    text_ += fmt::format(
        "<text x=\"{0:.1f}\" y=\"{1:.1f}\" text-anchor=\"end\" transform=\"rotate(-30 {0:.1f} {1:.1f})\">{2}</text>\n",
        x, y, escaped_markup(words));
}

void Canvas::upright_text(double x, double y, std::string_view words, std::string_view kind) {
    text_ += fmt::format(
        "<text x=\"{0:.1f}\" y=\"{1:.1f}\" text-anchor=\"middle\" transform=\"rotate(-90 {0:.1f} "
        "{1:.1f})\"{3}>{2}</text>\n",
        x, y, escaped_markup(words), kind.empty() ? std::string() : fmt::format(" class=\"{}\"", kind));
}

void Canvas::line(double x1, double y1, double x2, double y2, std::string_view kind) {
    text_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2,
                         y2, kind);
}

void Canvas::polyline(const std::vector<Point>& points, const Look& look) {
    text_ += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\" stroke-dasharray=\"{}\"/>\n",
        joined(points), look.colour, look.dash);
}

void Canvas::polygon(const std::vector<Point>& points, std::string_view colour, double opacity) {
    text_ += fmt::format("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>\n", joined(points), colour, opacity);
}

void Canvas::rectangle(double x, double y, double width, double height, std::string_view colour, double opacity,
                       std::string_view title) {
    text_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" "
        "fill-opacity=\"{:.3f}\">{}</rect>\n",
        x, y, width, height, colour, opacity, titled(title));
}

void Canvas::mark(double x, double y, const Look& look, std::string_view title) {
    constexpr double r = 3.4;
    const std::string inside = titled(title);
    const auto shape = [&](const std::vector<Point>& corners) {
        text_ += fmt::format("<polygon points=\"{}\" fill=\"{}\">{}</polygon>\n", joined(corners), look.colour, inside);
    };
    if (look.mark == 0)
        text_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\">{}</circle>\n", x, y, r,
                             look.colour, inside);
    else if (look.mark == 1)
        shape({{x - r, y - r}, {x + r, y - r}, {x + r, y + r}, {x - r, y + r}});
    else if (look.mark == 2)
        shape({{x, y - r - 1}, {x + r + 1, y + r}, {x - r - 1, y + r}});
    else
        shape({{x, y - r - 1.2}, {x + r + 1.2, y}, {x, y + r + 1.2}, {x - r - 1.2, y}});
}

void Canvas::hover(double x, double y, double radius, std::string_view title) {
    text_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" class=\"hover\">{}</circle>\n", x, y, radius,
                         titled(title));
}

namespace {

double legend_room(const std::string& name) { return 42 + letter_width * static_cast<double>(name.size()); }

}  // namespace

size_t legend_rows(double width, const std::vector<std::string>& names) {
    size_t rows = names.empty() ? 0 : 1;
    double at = 0;
    for (const std::string& name : names) {
        if (at > 0 && at + legend_room(name) > width) at = 0, ++rows;
        at += legend_room(name);
    }
    return rows;
}

void Canvas::legend(double x, double y, double width, const std::vector<std::string>& names, Swatch swatch,
                    size_t first_look) {
    double at = 0;
    for (size_t i = 0; i < names.size(); ++i) {
        if (at > 0 && at + legend_room(names[i]) > width) at = 0, y += legend_line;
        const Look look = look_of(first_look + i);
        const double from = x + at;
        if (swatch == Swatch::box) rectangle(from, y - 9, 22, 10, look.colour, 1, "");
        if (swatch == Swatch::line || swatch == Swatch::marked_line)
            polyline({{from, y - 4}, {from + 22, y - 4}}, look);
        if (swatch == Swatch::mark || swatch == Swatch::marked_line) mark(from + 11, y - 4, look, "");
        text(from + 28, y, names[i]);
        at += legend_room(names[i]);
    }
}

}  // namespace liven::report
