#pragma once

#include <string>
#include <vector>

#include "liven/protocol/table.hpp"
#include "published.hpp"
#include "results.hpp"

/// The tables, one function each; each appends none, one or several.
namespace liven::protocol {

using Tables = std::vector<ResultTable>;

void add_set_sizes(Tables& tables, const Results& results);        // A II
void add_within(Tables& tables, const Results& results);           // K 7
void add_cross(Tables& tables, const Results& results);            // K 8, and every source -> target
void add_statistics(Tables& tables, const Results& results);       // K 9
void add_combined(Tables& tables, const Results& results);         // K 11, 12, 14; A IV
void add_training_cost(Tables& tables, const Results& results);    // K 13
void add_combined_by_set(Tables& tables, const Results& results);  // K 15 to 18; A III
void add_literature(Tables& tables, const Results& results);       // K 19
void add_shifts(Tables& tables, const Results& results);           // W's protocols
void add_cells(Tables& tables, const Results& results);            // every cell with intervals

/// "AttackNet V2.2"
std::string title_of(const std::string& model);
/// "attack (TP: attacks rejected, FN: attacks accepted)"
extern const char* const kAttackPositive;

/// Adds, as a published row, the row of the paper's table that begins with these keys, if there is one.
void add_published(ResultTable& table, const PublishedTable& published, const std::vector<std::string>& keys);
/// Adds where published rows are from, where they contradict themselves and what else to know; nothing without such a
/// row.
void add_source(ResultTable& table, const PublishedTable& published);

}  // namespace liven::protocol
