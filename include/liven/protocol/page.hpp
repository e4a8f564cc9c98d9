#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "liven/protocol/plan.hpp"
#include "liven/protocol/tables.hpp"
#include "liven/train/report.hpp"

namespace liven::protocol {

/// One self-contained HTML page about a protocol: heat maps over sources and targets, radar with intervals, seconds and
/// memory per epoch, the tables, settings, and the command that repeats it.
std::string protocol_page(const ProtocolSettings& settings, const Plan& plan, const TableReport& report);

/// The same about trainings and protocols together: what html_report says of the folders that are runs, then of each
/// that liven protocol worked in what protocol_page says, of the cells that are finished. The data of a protocol may be
/// gone. Throws Error as html_report does, and when a plan cannot be read.
std::string report_page(std::span<const std::filesystem::path> folders, const ReportOptions& options = {});

}  // namespace liven::protocol
