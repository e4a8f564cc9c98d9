#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace liven::report {

/// A table: the first column names the row, the others are aligned to the right. A cell may have several lines; a long
/// one is broken. The caption stands below.
struct Table {
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;
    std::string caption = {};
    std::vector<size_t> quoted = {};  ///< rows from elsewhere, set apart from the others
};

/// One self-contained HTML file: nothing is fetched, no script runs. Light or dark as the reader's system is, black on
/// white on paper, as wide as the window down to a telephone's. What is added is text, never markup, but for `figure`.
class Page {
public:
    /// The title stands on top and in the window's.
    explicit Page(std::string_view title, std::string_view subtitle = {});

    Page& section(std::string_view heading);
    Page& text(std::string_view paragraph);
    /// Something to heed: a leak, a figure that contradicts itself.
    Page& note(std::string_view paragraph);
    /// An SVG of chart.hpp.
    Page& figure(std::string_view svg, std::string_view caption = {});
    /// Charts side by side where the window is wide enough.
    Page& figures(std::span<const std::string> svgs);
    /// Figures or pictures that are added meanwhile, side by side where the window is wide enough.
    Page& beside(const std::function<void()>& figures);
    /// A picture file's bytes, PNG or JPEG by their beginning. Throws Error when they are neither.
    Page& picture(std::span<const uint8_t> bytes, std::string_view caption = {});
    /// Throws Error when a row has not as many cells as there are columns.
    Page& table(const Table& table);
    /// Shown as it is: a command, a configuration.
    Page& code(std::string_view text);
    /// What follows stands behind a heading that opens, until `unfold`.
    Page& fold(std::string_view heading);
    Page& unfold();

    std::string str() const;

private:
    std::string title_, subtitle_, body_;
    std::vector<std::string> headings_;
    bool folded_ = false;
};

}  // namespace liven::report
