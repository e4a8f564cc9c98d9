#include "liven/train/report.hpp"

#include "folder_names.hpp"
#include "liven/core/error.hpp"
#include "report_parts.hpp"

namespace liven {

const char* const report_subtitle =
    "Presentation attack detection by the measures of ISO/IEC 30107-3. A score is higher the more a face looks bona "
    "fide; thresholds come from validation samples alone.";

void add_runs(report::Page& page, std::span<const std::filesystem::path> runs, const ReportOptions& options) {
    std::vector<RunEvidence> evidence;
    const std::vector<std::string> called = names_of(runs);
    for (size_t i = 0; i < runs.size(); ++i) evidence.push_back(gather_evidence(runs[i], called[i]));
    const reporting::Runs all(evidence);
    reporting::add_measures(page, all, options.bootstrap);
    reporting::add_curves(page, all);
    reporting::add_confusion(page, all);
    reporting::add_attack_types(page, all, options.bootstrap);
    reporting::add_comparisons(page, all);
    reporting::add_sets(page, all);
    reporting::add_training(page, all);
    reporting::add_pictures(page, all);
    reporting::add_errors(page, all);
    reporting::add_explanations(page, all);
    reporting::add_feature_maps(page, all);
    reporting::add_data(page, all);
    reporting::add_how(page, all);
}

std::string html_report(std::span<const std::filesystem::path> runs, const ReportOptions& options) {
    if (runs.empty()) throw Error("report", "expected the folder of a run", "liven report runs/first");
    std::string names;
    for (const std::string& name : names_of(runs)) names += (names.empty() ? "" : ", ") + name;
    report::Page page(options.title.empty() ? "Liveness detection: " + names : options.title, report_subtitle);
    add_runs(page, runs, options);
    reporting::add_command(page, runs);
    return page.str();
}

}  // namespace liven
