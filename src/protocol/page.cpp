#include "liven/report/page.hpp"

#include <algorithm>
#include <cmath>

#include "liven/protocol/tables.hpp"
#include "liven/report/chart.hpp"
#include "src/metrics/distributions.hpp"
#include "table_parts.hpp"

namespace liven::protocol {
namespace {

Measure mean_of(const std::vector<Measure>& values) {
    const TableCell cell(values, 3);
    return cell.value ? Measure(*cell.value) : Measure::undefined(cell.text);
}

std::string heat_map(const Results& results, const std::string& model, const char* name, Measure Judged::*field) {
    report::HeatMap map{.title = title_of(model) + ", " + name,
                        .row_title = "trained on",
                        .column_title = "tested on",
                        .rows = {},
                        .columns = {},
                        .values = {}};
    for (const NamedData& target : results.settings().data) map.columns.push_back(target.name);
    for (const Source& source : results.sources(SourceKind::set)) {
        map.rows.push_back(source.name);
        map.values.emplace_back();
        for (const NamedData& target : results.settings().data)
            map.values.back().push_back(mean_of(results.measures(model, source.name, target.name, field)));
    }
    return svg(map);
}

void add_heat_maps(report::Page& page, const Results& results) {
    if (!results.settings().questions.cross) return;
    page.section("Across data sets");
    page.text(
        "As K's figure 9: trained on the set of the row, tested on that of the column at the threshold of the row's "
        "validation samples; means over seeds and folds. The stronger a colour, the larger the figure; ACER and EER "
        "are errors.");
    const std::pair<const char*, Measure Judged::*> measures[] = {
        {"accuracy", &Judged::accuracy}, {"ACER", &Judged::acer}, {"EER", &Judged::eer}};
    for (const auto& [name, field] : measures) {
        std::vector<std::string> maps;
        for (const std::string& model : results.settings().models)
            maps.push_back(heat_map(results, model, name, field));
        page.figures(maps);
    }
}

struct Spoke {
    const char* name;
    Measure Judged::*field;
    bool error;  ///< drawn as 1 less it
};

/// Student's T lies within +- this with a probability of 95 %.
double student_bound(double freedom) {
    double low = 0, high = 1000;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (metrics::two_sided_t(middle, freedom) > 0.05 ? low : high) = middle;
    }
    return high;
}

/// Mean and interval of the mean over all tests of a model, by Student's t.
report::Bar bar_of(const std::vector<double>& values) {
    if (values.empty()) return {.value = Measure::undefined("no test has a value")};
    double sum = 0, squares = 0;
    const auto count = static_cast<double>(values.size());
    for (const double value : values) sum += value;
    const double mean = sum / count;
    for (const double value : values) squares += (value - mean) * (value - mean);
    report::Bar bar{.value = mean};
    if (values.size() < 2) return bar;
    const double half = student_bound(count - 1) * std::sqrt(squares / (count - 1) / count);
    bar.interval = {std::max(0.0, mean - half), std::min(1.0, mean + half)};
    return bar;
}

/// Every test of a model but those within the set it was trained on, where there are others.
std::vector<std::pair<const Cell*, std::string>> tests_of(const Results& results, const std::string& model) {
    std::vector<std::pair<const Cell*, std::string>> all, across;
    for (const Cell& cell : results.plan().cells) {
        if (cell.model != model || cell.source.kind != SourceKind::set) continue;
        for (const Target& target : cell.targets) {
            all.emplace_back(&cell, target.name);
            if (target.name != cell.source.name) across.emplace_back(&cell, target.name);
        }
    }
    return across.empty() ? all : across;
}

void add_radar(report::Page& page, const Results& results) {
    constexpr Spoke spokes[] = {{"accuracy", &Judged::accuracy, false},
                                {"F1", &Judged::f1, false},
                                {"ROC-AUC", &Judged::roc_auc, false},
                                {"1 - ACER", &Judged::acer, true},
                                {"1 - EER", &Judged::eer, true}};
    report::Radar radar{.title = "Means over tests on other sets", .spokes = {}, .series = {}};
    for (const Spoke& spoke : spokes) radar.spokes.emplace_back(spoke.name);
    for (const std::string& model : results.settings().models) {
        report::BarSeries series{.name = title_of(model), .bars = {}};
        for (const Spoke& spoke : spokes) {
            std::vector<double> values;
            for (const auto& [cell, target] : tests_of(results, model))
                if (const Measure value = results.judged(*cell, target).*spoke.field)
                    values.push_back(spoke.error ? 1 - value.value() : value.value());
            series.bars.push_back(bar_of(values));
        }
        radar.series.push_back(std::move(series));
    }
    if (tests_of(results, results.settings().models[0]).empty()) return;
    page.section("Models beside each other");
    page.figure(svg(radar),
                "As K's figure 10: means over all tests on other sets (within, where there are none), with 95 % "
                "intervals of the mean by Student's t. Attack is the positive class. What is undefined is left out.");
}

/// One line a model: the mean over its trainings at each epoch.
report::Series epochs_of(const Results& results, const std::string& model, double EpochFacts::*fact) {
    std::map<int64_t, std::vector<double>> by_epoch;
    for (const Cell& cell : results.plan().cells)
        if (const CellResult* result = cell.model == model ? results.result(cell) : nullptr)
            for (const EpochFacts& epoch : result->epochs) by_epoch[epoch.epoch].push_back(epoch.*fact);
    report::Series series{.name = title_of(model), .points = {}};
    for (const auto& [epoch, values] : by_epoch) {
        double sum = 0;
        for (const double value : values) sum += value;
        series.points.push_back({.x = static_cast<double>(epoch), .y = sum / static_cast<double>(values.size())});
    }
    return series;
}

void add_cost(report::Page& page, const Results& results) {
    std::vector<std::string> charts;
    const std::pair<const char*, double EpochFacts::*> facts[] = {{"seconds an epoch", &EpochFacts::seconds},
                                                                  {"resident memory, MB", &EpochFacts::megabytes}};
    for (const auto& [name, fact] : facts) {
        report::LineChart chart{
            .title = name, .x = {.title = "epoch", .counts = true}, .y = {.title = name, .low = 0.0}, .series = {}};
        for (const std::string& model : results.settings().models)
            if (report::Series series = epochs_of(results, model, fact); !series.points.empty())
                chart.series.push_back(std::move(series));
        if (!chart.series.empty()) charts.push_back(svg(chart));
    }
    if (charts.empty()) return;
    page.section("Seconds and memory");
    page.text(
        "As K's figure 11: means over the trainings of each model. Trainings that ran beside each other shared "
        "the cores.");
    page.figures(charts);
}

report::Table as_page_table(const ResultTable& table) {
    report::Table out{.columns = table.columns, .rows = {}};
    out.columns.emplace_back("figures");
    for (const ResultTable::Row& row : table.rows) {
        out.rows.emplace_back();
        for (const TableCell& cell : row.cells) out.rows.back().push_back(cell.text);
        out.rows.back().emplace_back(row.published ? "published" : "measured");
    }
    return out;
}

void add_table(report::Page& page, const ResultTable& table) {
    page.fold(table.title);
    if (!table.positive.empty()) page.text("Positive class: " + table.positive + ".");
    if (!table.rows.empty()) page.table(as_page_table(table));
    for (const std::string& note : table.notes) {
        const bool heed =
            note.find("contradict") != std::string::npos || note.find("not comparable") != std::string::npos;
        heed ? page.note(note) : page.text(note);
    }
    page.unfold();
}

}  // namespace

std::string protocol_page(const ProtocolSettings& settings, const Plan& plan, const TableReport& report) {
    const Results results(settings, plan);
    report::Page page("Liveness detection across data sets",
                      "Models trained on some data sets and tested on others, thresholds from validation samples of "
                      "what they were trained on.");
    size_t finished = 0;
    for (const Cell& cell : plan.cells) finished += results.result(cell) ? 1 : 0;
    if (finished < plan.cells.size())
        page.note(std::to_string(plan.cells.size() - finished) + " of " + std::to_string(plan.cells.size()) +
                  " trainings are not finished: figures that need them are undefined.");
    add_heat_maps(page, results);
    add_radar(page, results);
    add_cost(page, results);
    page.section("Tables");
    for (const ResultTable& table : report.tables) add_table(page, table);
    page.section("What differs from the published protocols");
    for (const std::string& each : report.differences) page.text(each);
    return page.str();
}

}  // namespace liven::protocol
