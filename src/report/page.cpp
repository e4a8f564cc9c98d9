#include "liven/report/page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "liven/core/error.hpp"
#include "liven/report/chart.hpp"
#include "src/core/markup.hpp"
#include "src/report/style.hpp"

namespace liven::report {
namespace {

std::string base64(std::span<const uint8_t> bytes) {
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t three = 0;
        for (size_t k = 0; k < 3; ++k) three = three << 8 | (i + k < bytes.size() ? bytes[i + k] : 0u);
        for (size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? kLetters[three >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

std::string_view picture_type(std::span<const uint8_t> bytes) {
    const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 8));
    if (head.substr(0, 8) == "\x89PNG\r\n\x1a\n") return "image/png";
    if (head.substr(0, 3) == "\xff\xd8\xff") return "image/jpeg";
    throw Error("page", "expected a picture, PNG or JPEG");
}

/// A reason or a sentence, which may be broken where a figure may not.
bool has_words(const std::string& cell) { return cell.size() > 40; }

/// Its lines below each other.
std::string cell_markup(const std::string& cell) {
    std::string text = escaped_markup(cell);
    for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) text.replace(at, 1, "<br>");
    return text;
}

std::string cells(const std::vector<std::string>& row, std::string_view tag, bool quoted = false) {
    std::string text = quoted ? "<tr class=\"quoted\">" : "<tr>";
    for (const std::string& cell : row)
        text += fmt::format("<{0}{1}>{2}</{0}>", tag, has_words(cell) ? " class=\"words\"" : "", cell_markup(cell));
    return text + "</tr>\n";
}

std::string caption_of(std::string_view caption) {
    return caption.empty() ? std::string() : fmt::format("<figcaption>{}</figcaption>", escaped_markup(caption));
}

}  // namespace

Page::Page(std::string_view title, std::string_view subtitle) : title_(title), subtitle_(subtitle) {}

Page& Page::section(std::string_view heading) {
    unfold();
    headings_.emplace_back(heading);
    body_ += fmt::format("<h2 id=\"s{}\">{}</h2>\n", headings_.size(), escaped_markup(heading));
    return *this;
}

Page& Page::text(std::string_view paragraph) {
    body_ += fmt::format("<p>{}</p>\n", escaped_markup(paragraph));
    return *this;
}

Page& Page::note(std::string_view paragraph) {
    body_ += fmt::format("<p class=\"note\">{}</p>\n", escaped_markup(paragraph));
    return *this;
}

Page& Page::figure(std::string_view svg, std::string_view caption) {
    body_ += fmt::format("<figure>{}{}</figure>\n", svg, caption_of(caption));
    return *this;
}

Page& Page::figures(std::span<const std::string> svgs) {
    return beside([&] {
        for (const std::string& svg : svgs) figure(svg);
    });
}

Page& Page::picture(std::span<const uint8_t> bytes, std::string_view caption) {
    // Where the window is narrow, it is scrolled: what is written into it could not be read when it is made smaller.
    body_ += fmt::format("<figure><div class=\"wide\"><img alt=\"{}\" src=\"data:{};base64,{}\"></div>{}</figure>\n",
                         escaped_markup(caption), picture_type(bytes), base64(bytes), caption_of(caption));
    return *this;
}

Page& Page::table(const Table& table) {
    std::string text = "<div class=\"wide\"><table>";
    if (!table.caption.empty()) text += fmt::format("<caption>{}</caption>", escaped_markup(table.caption));
    text += "\n<thead>" + cells(table.columns, "th") + "</thead><tbody>\n";
    for (size_t i = 0; i < table.rows.size(); ++i) {
        const auto& row = table.rows[i];
        if (row.size() != table.columns.size())
            throw Error("page", "a row of the table has " + std::to_string(row.size()) + " cells for " +
                                    std::to_string(table.columns.size()) + " columns");
        text += cells(row, "td", std::find(table.quoted.begin(), table.quoted.end(), i) != table.quoted.end());
    }
    body_ += text + "</tbody></table></div>\n";
    return *this;
}

Page& Page::beside(const std::function<void()>& figures) {
    body_ += "<div class=\"side\">\n";
    figures();
    body_ += "</div>\n";
    return *this;
}

Page& Page::code(std::string_view text) {
    body_ += fmt::format("<pre>{}</pre>\n", escaped_markup(text));
    return *this;
}

Page& Page::fold(std::string_view heading) {
    unfold();
    body_ += fmt::format("<details><summary>{}</summary>\n", escaped_markup(heading));
    folded_ = true;
    return *this;
}

Page& Page::unfold() {
    if (folded_) body_ += "</details>\n";
    folded_ = false;
    return *this;
}

std::string standalone(std::string_view svg) {
    const size_t name = svg.find("<svg"), body = svg.find('>');
    if (name != 0 || body == std::string_view::npos) throw Error("chart", "expected an SVG");
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\"{}>\n<style>{}</style>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"var(--back)\"/>{}",
        svg.substr(4, body - 4), kStyle, svg.substr(body + 1));
}

std::string Page::str() const {
    std::string links;
    for (size_t i = 0; i < headings_.size(); ++i)
        links += fmt::format("<a href=\"#s{}\">{}</a>", i + 1, escaped_markup(headings_[i]));
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n<style>{1}</style></head>\n<body>\n"
        "<h1>{0}</h1>\n<p class=\"subtitle\">{2}</p>\n<nav>{3}</nav>\n{4}{5}</body></html>\n",
        escaped_markup(title_), kStyle, escaped_markup(subtitle_), links, body_, folded_ ? "</details>\n" : "");
}

}  // namespace liven::report
