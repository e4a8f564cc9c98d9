#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "liven/metrics/hypothesis.hpp"
#include "liven/report/score_charts.hpp"
#include "report_parts.hpp"
#include "src/report/axes.hpp"

namespace liven::reporting {
namespace {

using report::NamedScores;

std::string part_of(const RunEvidence& run) { return run.test ? "test" : "validation (there are no test samples)"; }

std::vector<NamedScores> named(Runs runs) {
    std::vector<NamedScores> models;
    for (const RunEvidence& run : runs)
        models.push_back(
            {.name = run.name, .samples = run.judged().scored.scores, .threshold = run.info.threshold.value});
    return models;
}

bool has_both(const ScoredPart& part) { return part.scored.scores.bonafide() > 0 && part.scored.scores.attacks() > 0; }

/// Figures with their intervals; why some have none is said once, below.
class WithInterval {
public:
    explicit WithInterval(const BootstrapOptions& bootstrap) : bootstrap_(bootstrap) {}

    std::string operator()(const ScoredPart& part, const Measure& value,
                           const std::function<Measure(const ScoredSamples&)>& measure) {
        if (!value) return value.str();
        const Interval interval = bootstrap_interval(part.scored.scores, part.groups, measure, bootstrap_);
        if (interval.low) return value.str() + " " + interval.str(3);
        reasons_.insert(interval.low.reason());
        return value.str() + " †";
    }

    /// "† no interval: one group holds a class alone"; empty when all have one.
    std::string note() const {
        std::string out;
        for (const std::string& reason : reasons_) out += (out.empty() ? "† no interval: " : "; ") + reason;
        return out;
    }

private:
    const BootstrapOptions& bootstrap_;
    std::set<std::string> reasons_;
};

/// "95 %"
std::string percent_of(const BootstrapOptions& bootstrap) { return report::number(100 * bootstrap.level) + " %"; }

std::string share(double p) { return p < 0.0001 ? "< 0.0001" : Measure(p).str(); }
std::string share(const Measure& p) { return p ? share(p.value()) : p.str(); }

}  // namespace

void add_measures(report::Page& page, Runs runs, const BootstrapOptions& bootstrap) {
    page.section("Measures");
    page.text("With " + percent_of(bootstrap) +
              " intervals by bootstrap over groups (subjects, or recordings where subjects are not known). Bona "
              "fide is accepted when the score is at least the threshold, which has the least ACER on validation.");
    report::Table table{.columns = {"run", "samples", "threshold", "AUC", "ACER", "APCER", "worst attack type", "BPCER",
                                    "EER", "accuracy"},
                        .rows = {}};
    WithInterval with_interval(bootstrap);
    for (const RunEvidence& run : runs) {
        const ScoredPart& part = run.judged();
        const PadReport& r = part.report;
        const double threshold = run.info.threshold.value;
        const auto rate = [&](Measure (*of)(const Confusion&)) {
            return [of, threshold](const ScoredSamples& samples) { return of(confusion(samples, threshold)); };
        };
        table.rows.push_back(
            {run.name + ": " + part_of(run), std::to_string(r.confusion.total()), Measure(threshold).str(),
             with_interval(part, r.roc_auc, roc_auc), with_interval(part, r.acer, rate(acer)),
             with_interval(part, r.apcer, rate(apcer)),
             r.worst.apcer ? r.worst.apcer.str() + " (" + r.worst.type + ")" : r.worst.apcer.str(),
             with_interval(part, r.bpcer, rate(bpcer)),
             with_interval(part, r.eer.value,
                           [](const ScoredSamples& samples) { return equal_error_rate(samples).value; }),
             r.accuracy.str()});
    }
    table.caption = with_interval.note();
    page.table(table);
    report::Table more{.columns = {"run", "BPCER at APCER 1 %", "at 5 %", "at 10 %", "precision*", "recall*", "F1*",
                                   "specificity*", "MCC", "kappa", "PR-AUC*", "log loss"},
                       .rows = {},
                       .caption = "* with bona fide as the positive class"};
    for (const RunEvidence& run : runs) {
        const PadReport& r = run.judged().report;
        more.rows.push_back({run.name, r.bpcer100.str(), r.bpcer20.str(), r.bpcer10.str(),
                             r.bonafide_positive.precision.str(), r.bonafide_positive.recall.str(),
                             r.bonafide_positive.f1.str(), r.bonafide_positive.specificity.str(), r.mcc.str(),
                             r.kappa.str(), r.pr_auc_bonafide.str(), r.log_loss.str()});
    }
    page.table(more);
}

void add_curves(report::Page& page, Runs runs) {
    page.section("Curves");
    for (const RunEvidence& run : runs)
        if (!has_both(run.judged())) {
            page.note(run.name + " has samples of one class only: no curves can be drawn.");
            return;
        }
    const std::vector<NamedScores> models = named(runs);
    page.figures(std::vector<std::string>{svg(report::roc_chart(models)), svg(report::det_chart(models))});
    std::vector<std::string> scores;
    std::vector<NamedScores> probabilities;
    for (size_t i = 0; i < models.size(); ++i) {
        scores.push_back(svg(report::score_chart(models[i])));
        if (runs[i].scores_probability) probabilities.push_back(models[i]);
    }
    page.figures(scores);
    if (!probabilities.empty()) page.figures(std::vector<std::string>{svg(report::reliability_chart(probabilities))});
}

void add_confusion(report::Page& page, Runs runs) {
    page.section("Confusion");
    for (const RunEvidence& run : runs) {
        const Confusion& c = run.judged().report.confusion;
        page.table({.columns = {run.name, "accepted", "rejected"},
                    .rows = {{"bona fide", std::to_string(c.bonafide_accepted), std::to_string(c.bonafide_rejected)},
                             {"attacks", std::to_string(c.attacks_accepted), std::to_string(c.attacks_rejected)}}});
    }
}

void add_attack_types(report::Page& page, Runs runs, const BootstrapOptions& bootstrap) {
    std::map<std::string, size_t> types;
    for (const RunEvidence& run : runs)
        for (const auto& [type, rate] : run.judged().report.apcer_by_type) types.try_emplace(type, types.size());
    if (types.empty()) return;
    page.section("Attack types");
    report::BarChart chart{.title = "APCER by attack type, with " + percent_of(bootstrap) + " intervals",
                           .y = {.title = "APCER"},
                           .categories = {},
                           .series = {}};
    for (const auto& [type, place] : types) chart.categories.push_back(type.empty() ? "not said" : type);
    for (const RunEvidence& run : runs) {
        const ScoredPart& part = run.judged();
        report::BarSeries series{.name = run.name, .bars = {}};
        for (const auto& [type, place] : types) {
            const auto& rates = part.report.apcer_by_type;
            const auto found = rates.find(type);
            report::Bar bar{.value = found == rates.end() ? Measure::undefined("no samples of it") : found->second};
            const Interval interval = bootstrap_interval(
                part.scored.scores, part.groups,
                [&, name = type](const ScoredSamples& samples) {
                    const auto by_type = apcer_by_type(samples, run.info.threshold.value);
                    const auto at = by_type.find(name);
                    return at == by_type.end() ? Measure::undefined("none drawn") : Measure(at->second);
                },
                bootstrap);
            if (bar.value && interval.low) bar.interval = {interval.low.value(), interval.high.value()};
            series.bars.push_back(bar);
        }
        chart.series.push_back(std::move(series));
    }
    page.figure(svg(chart));
}

void add_comparisons(report::Page& page, Runs runs) {
    if (runs.size() < 2) return;
    page.section("Differences between the models");
    report::Table table{
        .columns = {"pair", "AUC", "AUC", "DeLong p", "only the first right", "only the second right", "McNemar p"},
        .rows = {},
        .caption =
            "On the same samples. Frames of one recording are not independent: read the p-values "
            "as lower bounds."};
    std::vector<std::string> apart;
    for (size_t i = 0; i < runs.size(); ++i)
        for (size_t j = i + 1; j < runs.size(); ++j) {
            const ScoredPart &a = runs[i].judged(), &b = runs[j].judged();
            if (a.paths != b.paths || !has_both(a)) {
                apart.push_back(runs[i].name + " and " + runs[j].name);
                continue;
            }
            const DeLong delong = delong_test(a.scored.scores, b.scored.scores);
            const McNemar mcnemar = mcnemar_test(a.scored.scores, runs[i].info.threshold.value, b.scored.scores,
                                                 runs[j].info.threshold.value);
            table.rows.push_back({runs[i].name + ", " + runs[j].name, delong.auc_a.str(), delong.auc_b.str(),
                                  share(delong.p), std::to_string(mcnemar.only_first_right),
                                  std::to_string(mcnemar.only_second_right), share(mcnemar.p)});
        }
    if (!table.rows.empty()) page.table(table);
    for (const std::string& pair : apart)
        page.text(pair + " were not judged on the same samples: their difference is no test.");
}

}  // namespace liven::reporting
