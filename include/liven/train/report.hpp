#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "liven/metrics/bootstrap.hpp"
#include "liven/report/page.hpp"

namespace liven {

struct ReportOptions {
    std::string title = {};  ///< empty: from the runs' names
    BootstrapOptions bootstrap = {.resamples = 1000};
    std::optional<double> threshold = {};  ///< of score files that state none, chosen on validation
};

/// One self-contained HTML file about trained models: measures with intervals, ROC, DET, scores with the threshold,
/// reliability, confusion, errors by attack type, how the models differ and whether that is more than chance, training
/// curves, seconds and memory of each epoch, faces, the worst errors, where the network looks (Grad-CAM, guided
/// gradients), how samples lie in its features, data, settings, and the commands that repeat it. Each model scores its
/// own validation and test samples anew at the threshold stored in its file. Instead of a folder a run may be a file of
/// scores (score_file.hpp), of which the page has what follows from scores alone, behind the trainings. Throws Error
/// when a run has no model yet, is named twice, or its data is gone, and when a score file has no threshold.
std::string html_report(std::span<const std::filesystem::path> runs, const ReportOptions& options = {});

/// Its sections, for a page about more than runs; the title of the options does not count.
void add_runs(report::Page& page, std::span<const std::filesystem::path> runs, const ReportOptions& options = {});
/// What stands below the title.
extern const char* const report_subtitle;

}  // namespace liven
