#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "liven/metrics/measure.hpp"

namespace liven::protocol {

/// A figure with how it varies over repetitions, or words.
struct TableCell {
    std::string text;
    std::optional<double> value = {};
    std::optional<double> deviation = {};  ///< standard deviation; only with a value

    // NOLINTNEXTLINE(google-explicit-constructor): a row reads as its cells
    TableCell(std::string words) : text(std::move(words)) {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    TableCell(const char* words) : text(words) {}
    TableCell(double number, int decimals);
    TableCell(const Measure& measure, int decimals);  // "undefined (reason)" where it has none
    /// Mean and standard deviation of repetitions; undefined when one of them is, with its reason.
    TableCell(std::span<const Measure> repetitions, int decimals);
};

/// A table of results in the shape of a paper's.
struct ResultTable {
    std::string id;        ///< "k07": part of file names
    std::string title;     ///< "Within-set performance (K, table 7)"
    std::string positive;  ///< which class is positive; empty where no measure depends on it
    std::vector<std::string> columns;
    struct Row {
        std::vector<TableCell> cells;
        bool published = false;
    };
    std::vector<Row> rows;
    std::vector<std::string> notes;

    /// Throws Error when there is not one cell a column.
    void add(std::vector<TableCell> cells, bool published = false);

    /// Whether a row is published: then a last column, "figures", says of each row whether it was measured.
    bool has_published() const;
};

/// GitHub's Markdown: title, table, notes.
std::string to_markdown(const ResultTable& table);
/// RFC 4180, numbers to six decimals; a column whose figures have deviations is followed by one of these.
std::string to_csv(const ResultTable& table);
/// A table environment that needs no package; where graphicx is loaded, it is shrunk to the width of a line.
std::string to_latex(const ResultTable& table);

}  // namespace liven::protocol
