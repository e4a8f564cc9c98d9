#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "liven/protocol/plan.hpp"
#include "liven/protocol/table.hpp"

namespace liven::protocol {

/// What a protocol found, in the shape of the papers' tables: K's 7-9 and 11-19 and A's II-IV for as far as the
/// questions were asked, W's protocols, and every cell with intervals. A published row stands below the measured one of
/// the same model and data set.
struct TableReport {
    std::vector<ResultTable> tables;
    std::vector<std::string> differences;  ///< from the published protocols, that remain
};

/// Of the cells that are finished; what needs others is undefined and says so.
TableReport make_tables(const ProtocolSettings& settings, const Plan& plan);

/// OUT/tables: one .md, .csv and .tex a table, and all together as tables.md and tables.tex. Each file is replaced
/// whole.
void write_tables(const TableReport& report, const std::filesystem::path& out);

}  // namespace liven::protocol
