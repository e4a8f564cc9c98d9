#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <set>
#include <string>

#include "cross_tests.hpp"
#include "liven/metrics/hypothesis.hpp"
#include "liven/report/score_charts.hpp"
#include "liven/report/set_charts.hpp"
#include "report_parts.hpp"
#include "src/metrics/distributions.hpp"
#include "src/report/axes.hpp"

namespace liven::reporting {
namespace {

using report::NamedScores;

constexpr int shown = 3;  // decimals: thousands of samples tell no more

std::string part_of(const RunEvidence& run) {
    if (run.scores_only) return "the scores\nin the file";
    return run.test ? "test" : "validation\n(there are no test samples)";
}

/// How the thresholds of score files were chosen, which trainings need not say.
void add_threshold_rules(report::Page& page, Runs runs) {
    constexpr std::string_view optimum = "within-set optimum";
    for (const RunEvidence& run : runs) {
        if (!run.scores_only) continue;
        if (run.scores_only->rfind(optimum, 0) == 0)
            page.note(run.name + ": the threshold was chosen on these very scores, which flatters (" +
                      *run.scores_only + ").");
        else
            page.text(run.name + ": a file of scores, judged at its threshold (" +
                      (run.scores_only->empty() ? "how it was chosen is not said" : *run.scores_only) + ").");
    }
}

/// An attack type, in words where the data says none.
std::string type_name(const std::string& type) { return type.empty() ? "not said" : type; }

std::vector<NamedScores> named(Runs runs) {
    std::vector<NamedScores> models;
    for (const RunEvidence& run : runs)
        models.push_back(
            {.name = run.name, .samples = run.judged().scored.scores, .threshold = run.info.threshold.value});
    return models;
}

bool has_both(const ScoredPart& part) { return part.scored.scores.bonafide() > 0 && part.scored.scores.attacks() > 0; }

/// With spaces at which no line ends, on paper either.
std::string unbroken(std::string text) {
    for (size_t at = text.find(' '); at != std::string::npos; at = text.find(' ', at)) text.replace(at, 1, "\u00a0");
    return text;
}

/// Figures with their intervals; why some have none is said once, below.
class WithInterval {
public:
    explicit WithInterval(const BootstrapOptions& bootstrap) : bootstrap_(bootstrap) {}

    std::string operator()(const ScoredPart& part, const Measure& value,
                           const std::function<Measure(const ScoredSamples&)>& measure) {
        if (!value) return value.str(shown);
        const Interval interval = bootstrap_interval(part.scored.scores, part.groups, measure, bootstrap_);
        if (interval.low) return value.str(shown) + "\n" + unbroken(interval.str(shown));
        reasons_.insert(interval.low.reason());
        return value.str(shown) + " †";
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

using MeasureOf = std::function<Measure(const ScoredSamples&)>;

/// What becomes of a run's spokes with other samples, at the run's threshold.
std::array<MeasureOf, report::radar_spokes> spoke_functions(double threshold) {
    const auto spoke = [threshold](size_t i) -> MeasureOf {
        return [threshold, i](const ScoredSamples& samples) {
            const Confusion counts = confusion(samples, threshold);
            const report::TestMeasures measures{.accuracy = accuracy(counts),
                                                .f1 = f1(counts, Positive::attack),
                                                .roc_auc = i == 2 ? roc_auc(samples) : Measure(0.0),
                                                .acer = acer(counts),
                                                .eer = i == 4 ? equal_error_rate(samples).value : Measure(0.0)};
            return report::radar_values(measures).at(i);
        };
    };
    return {spoke(0), spoke(1), spoke(2), spoke(3), spoke(4)};
}

/// Each run's measures on its own test samples.
void add_run_radar(report::Page& page, Runs runs, const BootstrapOptions& bootstrap) {
    constexpr size_t most = 6;  // more cannot be told apart
    if (runs.size() > most) return;
    std::vector<report::RadarModel> models;
    for (const RunEvidence& run : runs) {
        const ScoredPart& part = run.judged();
        const auto functions = spoke_functions(run.info.threshold.value);
        const auto values = report::radar_values(report::TestMeasures::of(part.report));
        report::RadarModel model{.name = run.name,
                                 .values = {{{values[0]}, {values[1]}, {values[2]}, {values[3]}, {values[4]}}}};
        for (size_t i = 0; i < values.size(); ++i) {
            if (!values.at(i)) continue;
            const Interval interval = bootstrap_interval(part.scored.scores, part.groups, functions.at(i), bootstrap);
            if (interval.low) model.values.at(i).interval = {interval.low.value(), interval.high.value()};
        }
        models.push_back(std::move(model));
    }
    page.figure(svg(report::radar_of("Measures with their intervals", models)),
                "Each run on its own test samples (as figure 10 of Kuznetsov et al. 2026); further out is better, and "
                "the shaded bands are the intervals. Attack is the positive class of F1.");
}

/// "95 %"
std::string percent_of(const BootstrapOptions& bootstrap) { return report::number(100 * bootstrap.level) + " %"; }

std::string share(double p) { return p < 0.001 ? "< 0.001" : Measure(p).str(shown); }
std::string share(const Measure& p) { return p ? share(p.value()) : p.str(); }

/// That of the AUC, with its 95 % interval: normal, as the test is.
std::string difference(const DeLong& test) {
    if (!test.auc_a || !test.auc_b) return test.auc_a.str();
    const double middle = test.auc_a.value() - test.auc_b.value();
    const double variance = test.variance_a.value() + test.variance_b.value() - 2 * test.covariance.value();
    const double half = metrics::normal_quantile(0.975) * std::sqrt(std::max(0.0, variance));
    return fmt::format("{:+.{}f}\n", middle, shown) +
           unbroken(fmt::format("[{:+.{}f}, {:+.{}f}]", middle - half, shown, middle + half, shown));
}

}  // namespace

void add_measures(report::Page& page, Runs runs, const BootstrapOptions& bootstrap) {
    page.section("Measures");
    page.text(
        "Errors are shares: APCER of attacks that were accepted, BPCER of bona fide samples that were rejected, "
        "ACER the mean of both; EER is the error at the threshold where both are equal. A sample is accepted "
        "when its score is at least the threshold, which has the least ACER on validation. In brackets are " +
        percent_of(bootstrap) +
        " intervals by bootstrap over groups (subjects, or recordings where subjects are "
        "not known).");
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
            {run.name + ": " + part_of(run), std::to_string(r.confusion.total()), Measure(threshold).str(shown),
             with_interval(part, r.roc_auc, roc_auc), with_interval(part, r.acer, rate(acer)),
             with_interval(part, r.apcer, rate(apcer)),
             r.worst.apcer ? r.worst.apcer.str(shown) + "\n" + type_name(r.worst.type) : r.worst.apcer.str(),
             with_interval(part, r.bpcer, rate(bpcer)),
             with_interval(part, r.eer.value,
                           [](const ScoredSamples& samples) { return equal_error_rate(samples).value; }),
             r.accuracy.str(shown)});
    }
    table.caption = with_interval.note();
    page.table(table);
    report::Table more{.columns = {"run", "BPCER at\nAPCER 1 %", "at 5 %", "at 10 %", "precision*", "recall*", "F1*",
                                   "specificity*", "MCC", "kappa", "PR-AUC*", "log loss"},
                       .rows = {},
                       .caption = "* with bona fide as the positive class"};
    for (const RunEvidence& run : runs) {
        const PadReport& r = run.judged().report;
        const PadReport::ByPositive& p = r.bonafide_positive;
        more.rows.push_back({run.name});
        for (const Measure& each : {r.bpcer100, r.bpcer20, r.bpcer10, p.precision, p.recall, p.f1, p.specificity, r.mcc,
                                    r.kappa, r.pr_auc_bonafide, r.log_loss})
            more.rows.back().push_back(each.str(shown));
    }
    page.table(more);
    add_threshold_rules(page, runs);
    add_run_radar(page, runs, bootstrap);
}

void add_curves(report::Page& page, Runs runs) {
    page.section("Curves");
    for (const RunEvidence& run : runs)
        if (!has_both(run.judged())) {
            page.note(run.name + " has samples of one class only: no curves can be drawn.");
            return;
        }
    const std::vector<NamedScores> models = named(runs);
    page.text(
        "Every point of a curve is a threshold; the mark on it is the model's own. The ROC is better the nearer it "
        "comes "
        "to the upper left corner (dashed: by chance), the DET, whose axes are those of the normal distribution, the "
        "nearer to the lower left.");
    page.figures(std::vector<std::string>{svg(report::roc_chart(models)), svg(report::det_chart(models))});
    std::vector<std::string> scores;
    std::vector<NamedScores> probabilities;
    for (size_t i = 0; i < models.size(); ++i) {
        scores.push_back(svg(report::score_chart(models[i])));
        if (runs[i].scores_probability) probabilities.push_back(models[i]);
    }
    page.text("Bars are shares of a class. What lies right of the threshold is accepted, what lies left rejected.");
    page.figures(scores);
    if (probabilities.empty()) return;
    report::LineChart reliability = report::reliability_chart(probabilities);
    if (probabilities.size() == 1) reliability.title += " of " + probabilities[0].name;  // one line has no legend
    page.figure(svg(reliability),
                "Of the samples that score about so much, how many are bona fide: on the diagonal scores are the "
                "probabilities they seem to be. Points of few samples jump; hovering tells how many they are.");
}

void add_confusion(report::Page& page, Runs runs) {
    page.section("Confusion");
    page.text(
        "How many samples of each class were accepted and rejected; the stronger the colour, the larger the share.");
    std::vector<std::string> maps;
    for (const RunEvidence& run : runs) {
        const Confusion& c = run.judged().report.confusion;
        report::HeatMap map{.title = run.name,
                            .row_title = "class",
                            .column_title = "decision",
                            .rows = {"bona fide", "attack"},
                            .columns = {"accepted", "rejected"},
                            .values = {},
                            .decimals = shown};
        const std::array<std::array<int64_t, 2>, 2> counts{
            {{c.bonafide_accepted, c.bonafide_rejected}, {c.attacks_accepted, c.attacks_rejected}}};
        for (const auto& [accepted, rejected] : counts) {
            map.values.emplace_back();
            map.texts.emplace_back();
            for (const int64_t count : {accepted, rejected}) {
                map.values.back().push_back(ratio(static_cast<double>(count), static_cast<double>(accepted + rejected),
                                                  "no samples of the class"));
                map.texts.back().push_back(std::to_string(count));
            }
        }
        maps.push_back(svg(map));
    }
    page.figures(maps);
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
    for (const auto& [type, place] : types) chart.categories.push_back(type_name(type));
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
    page.figure(svg(chart),
                "The share of each kind of attack that was accepted, at each model's threshold. A question mark is a "
                "kind that a run's samples do not have.");
}

void add_comparisons(report::Page& page, Runs runs) {
    if (runs.size() < 2) return;
    page.section("Differences between the models");
    page.text(
        "Of pairs that were judged on the same samples: the difference of their AUC with its 95 % interval (DeLong), "
        "and of how many samples only one of them is right (McNemar). Frames of one recording are not independent, "
        "which neither knows: read the intervals as too narrow, and the p-values as lower bounds.");
    report::Table table{.columns = {"first and second", "AUC of the first", "of the second", "difference", "DeLong p",
                                    "only the first\nis right", "only the second\nis right", "McNemar p"},
                        .rows = {}};
    std::string apart;
    for (size_t i = 0; i < runs.size(); ++i)
        for (size_t j = i + 1; j < runs.size(); ++j) {
            const ScoredPart &a = runs[i].judged(), &b = runs[j].judged();
            if (a.paths != b.paths || !has_both(a)) {
                apart += (apart.empty() ? "" : "; ") + runs[i].name + " and " + runs[j].name;
                continue;
            }
            const DeLong delong = delong_test(a.scored.scores, b.scored.scores);
            const McNemar mcnemar = mcnemar_test(a.scored.scores, runs[i].info.threshold.value, b.scored.scores,
                                                 runs[j].info.threshold.value);
            table.rows.push_back({runs[i].name + ",\n" + runs[j].name, delong.auc_a.str(shown), delong.auc_b.str(shown),
                                  difference(delong), share(delong.p), std::to_string(mcnemar.only_first_right),
                                  std::to_string(mcnemar.only_second_right), share(mcnemar.p)});
        }
    if (!table.rows.empty()) page.table(table);
    if (!apart.empty()) page.text("Not judged on the same samples, so that nothing can be tested: " + apart + ".");
}

void add_sets(report::Page& page, Runs runs) {
    if (!cover_several_sets(runs)) return;
    page.section("Across data sets");
    const report::SetTests tests = test_across(runs);
    add_heat_maps(page, tests);
    page.text(
        "Each run's model was tested here on the test samples of all sets that the runs were trained on. A test that "
        "holds files the model was trained or chosen on has no value. Whether two sets show the same people is not "
        "known here.");
    add_radar(page, tests);
}

}  // namespace liven::reporting
