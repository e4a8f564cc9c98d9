#include "table_parts.hpp"

#include <algorithm>

#include "liven/models/registry.hpp"

namespace liven::protocol {

const char* const kAttackPositive = "attack (true positives are attacks rejected, false negatives attacks accepted)";

std::string title_of(const std::string& model) { return std::string(model_info(model).title); }

void add_published(ResultTable& table, const PublishedTable& published, const std::vector<std::string>& keys) {
    const std::vector<std::string>* row = published.row(keys);
    if (!row) return;
    std::vector<TableCell> cells(row->begin(), row->end());
    cells.resize(table.columns.size(), TableCell(""));
    table.add(std::move(cells), true);
}

void add_source(ResultTable& table, const PublishedTable& published) {
    if (std::none_of(table.rows.begin(), table.rows.end(), [](const ResultTable::Row& row) { return row.published; }))
        return;
    table.notes.push_back("Published figures: " + published.source + ".");
    for (const std::string& each : published.contradictions)
        table.notes.push_back("The published figures contradict themselves: " + each + ".");
    for (const std::string& each : published.remarks) table.notes.push_back("Of the published figures: " + each + ".");
}

}  // namespace liven::protocol
