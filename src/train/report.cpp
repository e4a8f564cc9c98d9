#include "liven/train/report.hpp"

#include "liven/core/error.hpp"
#include "report_parts.hpp"

namespace liven {

std::string html_report(std::span<const std::filesystem::path> runs, const ReportOptions& options) {
    if (runs.empty()) throw Error("report", "expected the folder of a run", "liven report runs/first");
    std::vector<RunEvidence> evidence;
    for (const std::filesystem::path& run : runs) evidence.push_back(gather_evidence(run));
    std::string names;
    for (const RunEvidence& run : evidence) names += (names.empty() ? "" : ", ") + run.name;
    report::Page page(options.title.empty() ? "Liveness detection: " + names : options.title,
                      "Presentation attack detection by the measures of ISO/IEC 30107-3. A score is higher the more a "
                      "face looks bona fide; thresholds come from validation samples alone.");
    const reporting::Runs all(evidence);
    reporting::add_measures(page, all, options.bootstrap);
    reporting::add_curves(page, all);
    reporting::add_confusion(page, all);
    reporting::add_attack_types(page, all, options.bootstrap);
    reporting::add_comparisons(page, all);
    reporting::add_training(page, all);
    reporting::add_pictures(page, all);
    reporting::add_errors(page, all);
    reporting::add_explanations(page, all);
    reporting::add_feature_maps(page, all);
    reporting::add_data(page, all);
    reporting::add_how(page, all);
    return page.str();
}

}  // namespace liven
