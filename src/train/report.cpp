#include "liven/train/report.hpp"

#include <algorithm>

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
    // What only trainings have is asked of the first of them all.
    for (const bool files : {false, true})
        for (size_t i = 0; i < runs.size(); ++i) {
            if (std::filesystem::is_regular_file(runs[i]) != files) continue;
            evidence.push_back(files ? evidence_of_scores(runs[i], called[i], options.threshold)
                                     : gather_evidence(runs[i], called[i]));
        }
    const reporting::Runs all(evidence);
    const auto first_file =
        std::find_if(all.begin(), all.end(), [](const RunEvidence& run) { return run.scores_only.has_value(); });
    const reporting::Runs trained = all.first(static_cast<size_t>(first_file - all.begin()));
    reporting::add_measures(page, all, options.bootstrap);
    reporting::add_curves(page, all);
    reporting::add_confusion(page, all);
    reporting::add_attack_types(page, all, options.bootstrap);
    reporting::add_comparisons(page, all);
    if (!trained.empty()) {
        reporting::add_sets(page, trained);
        reporting::add_training(page, trained);
        reporting::add_pictures(page, trained);
        reporting::add_errors(page, trained);
        reporting::add_explanations(page, trained);
        reporting::add_feature_maps(page, trained);
        reporting::add_data(page, trained);
        reporting::add_how(page, trained);
    }
}

std::string html_report(std::span<const std::filesystem::path> runs, const ReportOptions& options) {
    if (runs.empty()) throw Error("report", "expected the folder of a run", "liven report runs/first");
    std::string names;
    for (const std::string& name : names_of(runs)) names += (names.empty() ? "" : ", ") + name;
    report::Page page(options.title.empty() ? "Liveness detection: " + names : options.title, report_subtitle);
    add_runs(page, runs, options);
    reporting::add_command(page, runs, options.threshold);
    return page.str();
}

}  // namespace liven
