#include "liven/train/report.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "liven/core/error.hpp"
#include "report_parts.hpp"

namespace liven {
namespace {

namespace fs = std::filesystem;

/// The last `parts` parts of the path: "run", "b/run", "a/b/run".
std::string tail_of(const fs::path& folder, std::ptrdiff_t parts) {
    fs::path whole = fs::absolute(folder).lexically_normal().relative_path();
    if (!whole.has_filename()) whole = whole.parent_path();
    const std::ptrdiff_t count = std::distance(whole.begin(), whole.end());
    fs::path out;
    for (auto it = std::next(whole.begin(), std::max<std::ptrdiff_t>(0, count - parts)); it != whole.end(); ++it)
        out /= *it;
    return out.string();
}

/// The runs by as much of their paths as tells them apart. Throws Error when one is named twice.
std::vector<std::string> names_of(std::span<const fs::path> runs) {
    constexpr std::ptrdiff_t most = 64;
    for (std::ptrdiff_t parts = 1; parts <= most; ++parts) {
        std::vector<std::string> names;
        for (const fs::path& run : runs) names.push_back(tail_of(run, parts));
        if (std::set<std::string>(names.begin(), names.end()).size() == runs.size()) return names;
    }
    throw Error("report", "expected different runs, got one twice");
}

}  // namespace

std::string html_report(std::span<const std::filesystem::path> runs, const ReportOptions& options) {
    if (runs.empty()) throw Error("report", "expected the folder of a run", "liven report runs/first");
    std::vector<RunEvidence> evidence;
    const std::vector<std::string> called = names_of(runs);
    for (size_t i = 0; i < runs.size(); ++i) evidence.push_back(gather_evidence(runs[i], called[i]));
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
