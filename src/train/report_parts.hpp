#pragma once

#include <filesystem>
#include <optional>
#include <span>

#include "liven/report/page.hpp"
#include "liven/train/report.hpp"
#include "run_evidence.hpp"

/// The sections of a report, in their order.
namespace liven::reporting {

using Runs = std::span<const RunEvidence>;

void add_measures(report::Page& page, Runs runs, const BootstrapOptions& bootstrap);
void add_curves(report::Page& page, Runs runs);
void add_confusion(report::Page& page, Runs runs);
void add_attack_types(report::Page& page, Runs runs, const BootstrapOptions& bootstrap);
void add_comparisons(report::Page& page, Runs runs);
void add_sets(report::Page& page, Runs runs);
void add_training(report::Page& page, Runs runs);
void add_pictures(report::Page& page, Runs runs);
void add_errors(report::Page& page, Runs runs);
void add_explanations(report::Page& page, Runs runs);
void add_feature_maps(report::Page& page, Runs runs);
void add_data(report::Page& page, Runs runs);
void add_how(report::Page& page, Runs runs);

/// The end of a page: the command that writes it again, and what wrote it.
void add_command(report::Page& page, std::span<const std::filesystem::path> folders,
                 std::optional<double> threshold = {});

}  // namespace liven::reporting
