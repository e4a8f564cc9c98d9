#include "liven/protocol/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>

#include "liven/core/error.hpp"

namespace liven::protocol {
namespace {

std::string fixed(double value, int decimals) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

std::string join(const std::vector<std::string>& parts, std::string_view between) {
    std::string out;
    for (size_t i = 0; i < parts.size(); ++i) out.append(i ? between : "").append(parts[i]);
    return out;
}

std::string replaced(std::string_view text, std::span<const std::pair<std::string_view, std::string_view>> pairs) {
    std::string out;
    for (size_t at = 0; at < text.size();) {
        const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) {
            return text.substr(at, pair.first.size()) == pair.first;
        });
        out += found == pairs.end() ? text.substr(at, 1) : found->second;
        at += found == pairs.end() ? 1 : found->first.size();
    }
    return out;
}

std::string markdown_text(std::string_view text) {
    static constexpr std::pair<std::string_view, std::string_view> pairs[] = {
        {"|", "\\|"}, {"\n", " "}, {"<", "&lt;"}, {"*", "\\*"}};
    return replaced(text, pairs);
}

std::string latex_text(std::string_view text) {
    static constexpr std::pair<std::string_view, std::string_view> pairs[] = {{"\\", "\\textbackslash{}"},
                                                                              {"&", "\\&"},
                                                                              {"%", "\\%"},
                                                                              {"$", "\\$"},
                                                                              {"#", "\\#"},
                                                                              {"_", "\\_"},
                                                                              {"{", "\\{"},
                                                                              {"}", "\\}"},
                                                                              {"~", "\\textasciitilde{}"},
                                                                              {"^", "\\textasciicircum{}"},
                                                                              {"<", "$<$"},
                                                                              {">", "$>$"},
                                                                              {"\n", " "},
                                                                              {"±", "$\\pm$"},
                                                                              {"→", "$\\to$"},
                                                                              {"≈", "$\\approx$"},
                                                                              {"κ", "$\\kappa$"}};
    return replaced(text, pairs);
}

std::string csv_field(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    static constexpr std::pair<std::string_view, std::string_view> quote[] = {{"\"", "\"\""}};
    return '"' + replaced(text, quote) + '"';
}

bool has_deviations(const ResultTable& table, size_t column) {
    return std::any_of(table.rows.begin(), table.rows.end(),
                       [&](const ResultTable::Row& row) { return row.cells[column].deviation.has_value(); });
}

/// The last cell of a row behind what parts it from the others, and the head above; nothing where all was measured.
struct OriginColumn {
    explicit OriginColumn(const ResultTable& table, std::string_view between)
        : shown(table.has_published()), before(between) {}
    std::string head(std::string_view text = "figures") const { return shown ? before + std::string(text) : ""; }
    std::string of(const ResultTable::Row& row) const { return head(row.published ? "published" : "measured"); }

    bool shown;
    std::string before;
};

}  // namespace

TableCell::TableCell(double number, int decimals) : text(fixed(number, decimals)), value(number) {}

TableCell::TableCell(const Measure& measure, int decimals)
    : text(measure ? fixed(measure.value(), decimals) : measure.str()) {
    if (measure) value = measure.value();
}

TableCell::TableCell(std::span<const Measure> repetitions, int decimals) {
    if (repetitions.empty()) {
        text = Measure::undefined("nothing was measured").str();
        return;
    }
    double sum = 0, squares = 0;
    for (const Measure& each : repetitions) {
        if (!each) {
            text = each.str();
            return;
        }
        sum += each.value();
    }
    const auto count = static_cast<double>(repetitions.size());
    value = sum / count;
    for (const Measure& each : repetitions) squares += (each.value() - *value) * (each.value() - *value);
    text = fixed(*value, decimals);
    if (repetitions.size() < 2) return;
    deviation = std::sqrt(squares / (count - 1));
    if (decimals > 0 || *deviation > 0) text += " ± " + fixed(*deviation, decimals);
}

void ResultTable::add(std::vector<TableCell> cells, bool published) {
    if (cells.size() != columns.size())
        throw Error(id, "expected " + std::to_string(columns.size()) + " cells, got " + std::to_string(cells.size()));
    rows.push_back({.cells = std::move(cells), .published = published});
}

bool ResultTable::has_published() const {
    return std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.published; });
}

std::string to_markdown(const ResultTable& table) {
    const OriginColumn origin(table, " | ");
    std::string out = "## " + markdown_text(table.title) + "\n\n";
    if (!table.positive.empty()) out += "Positive class: " + table.positive + ".\n\n";
    std::vector<std::string> head, rule;
    for (const std::string& column : table.columns) {
        head.push_back(markdown_text(column));
        rule.emplace_back("---");
    }
    out += "| " + join(head, " | ") + origin.head() + " |\n";
    out += "| " + join(rule, " | ") + origin.head("---") + " |\n";
    for (const ResultTable::Row& row : table.rows) {
        std::vector<std::string> cells;
        for (const TableCell& cell : row.cells) cells.push_back(markdown_text(cell.text));
        out += "| " + join(cells, " | ") + origin.of(row) + " |\n";
    }
    for (const std::string& note : table.notes) out += "\n- " + markdown_text(note);
    return out + (table.notes.empty() ? "" : "\n");
}

std::string to_csv(const ResultTable& table) {
    const OriginColumn origin(table, ",");
    std::vector<std::string> head;
    for (size_t i = 0; i < table.columns.size(); ++i) {
        head.push_back(csv_field(table.columns[i]));
        if (has_deviations(table, i)) head.push_back(csv_field(table.columns[i] + " sd"));
    }
    std::string out = join(head, ",") + origin.head() + "\r\n";
    for (const ResultTable::Row& row : table.rows) {
        std::vector<std::string> cells;
        for (size_t i = 0; i < row.cells.size(); ++i) {
            const TableCell& cell = row.cells[i];
            cells.push_back(cell.value ? fixed(*cell.value, 6) : csv_field(cell.text));
            if (has_deviations(table, i)) cells.push_back(cell.deviation ? fixed(*cell.deviation, 6) : "");
        }
        out += join(cells, ",") + origin.of(row) + "\r\n";
    }
    return out;
}

/// Shrinks what is wider than a line, where graphicx is loaded.
constexpr const char* kFit =
    "\\def\\fit#1{\\leavevmode\\setbox0=\\hbox{#1}\\ifdefined\\resizebox\\ifdim\\wd0>\\linewidth"
    "\\resizebox{\\linewidth}{!}{\\box0}\\else\\box0\\fi\\else\\box0\\fi}\n\\fit{";

std::string to_latex(const ResultTable& table) {
    const OriginColumn origin(table, " & ");
    std::string out = "\\begin{table}\n\\caption{" + latex_text(table.title);
    if (!table.positive.empty()) out += ". Positive class: " + latex_text(table.positive);
    out += ".}\n\\label{tab:" + table.id + "}\n";
    out += kFit;
    out += "\\begin{tabular}{" + std::string(table.columns.size() + (origin.shown ? 1 : 0), 'l') + "}\n\\hline\n";
    std::vector<std::string> head;
    for (const std::string& column : table.columns) head.push_back(latex_text(column));
    out += join(head, " & ") + origin.head() + " \\\\\n\\hline\n";
    for (const ResultTable::Row& row : table.rows) {
        std::vector<std::string> cells;
        for (const TableCell& cell : row.cells) cells.push_back(latex_text(cell.text));
        out += join(cells, " & ") + origin.of(row) + " \\\\\n";
    }
    out += "\\hline\n\\end{tabular}}\n";
    for (const std::string& note : table.notes) out += "\\par\\footnotesize " + latex_text(note) + "\n";
    return out + "\\end{table}\n";
}

}  // namespace liven::protocol
