#include "liven/protocol/tables.hpp"

#include <algorithm>

#include "differences.hpp"
#include "liven/io/file.hpp"
#include "src/core/writing.hpp"
#include "table_parts.hpp"

namespace liven::protocol {

TableReport make_tables(const ProtocolSettings& settings, const Plan& plan) {
    const Results results(settings, plan);
    TableReport report{.tables = {}, .differences = remaining_differences(settings, plan)};
    for (const auto add : {add_set_sizes, add_within, add_cross, add_statistics, add_combined, add_training_cost,
                           add_combined_by_set, add_shifts, add_literature, add_cells})
        add(report.tables, results);
    // The papers' order: K's by number, then A's, then the rest.
    const auto place = [](const ResultTable& table) { return table.id[0] == 'k' ? 0 : table.id[0] == 'a' ? 1 : 2; };
    std::stable_sort(report.tables.begin(), report.tables.end(), [&](const ResultTable& a, const ResultTable& b) {
        return place(a) != place(b) ? place(a) < place(b) : place(a) < 2 && a.id < b.id;
    });
    return report;
}

void write_tables(const TableReport& report, const std::filesystem::path& out) {
    const std::filesystem::path folder = out / "tables";
    make_folders(folder);
    std::string markdown = "# Results\n\n", latex;
    for (const ResultTable& table : report.tables) {
        const std::string md = to_markdown(table), tex = to_latex(table);
        write_file_atomically(folder / (table.id + ".md"), md);
        write_file_atomically(folder / (table.id + ".csv"), to_csv(table));
        write_file_atomically(folder / (table.id + ".tex"), tex);
        markdown += md + "\n";
        latex += tex + "\n";
    }
    markdown += "## What differs from the published protocols\n\n";
    for (const std::string& each : report.differences) markdown += "- " + each + "\n";
    write_file_atomically(folder / "tables.md", markdown);
    write_file_atomically(folder / "tables.tex", latex);
}

}  // namespace liven::protocol
