#include "liven/report/set_charts.hpp"

#include <algorithm>
#include <cmath>

#include "liven/core/error.hpp"
#include "src/metrics/distributions.hpp"

namespace liven::report {
namespace {

/// A measure as heat maps and radars take it.
struct ShownMeasure {
    const char* name;
    Measure TestMeasures::*field;
    bool error;  ///< less is better
};
constexpr ShownMeasure kMapped[] = {{"accuracy", &TestMeasures::accuracy, false},
                                    {"ACER", &TestMeasures::acer, true},
                                    {"EER", &TestMeasures::eer, true}};
constexpr std::array<ShownMeasure, radar_spokes> kSpokes{{{"accuracy", &TestMeasures::accuracy, false},
                                                          {"F1", &TestMeasures::f1, false},
                                                          {"ROC-AUC", &TestMeasures::roc_auc, false},
                                                          {"1 - ACER", &TestMeasures::acer, true},
                                                          {"1 - EER", &TestMeasures::eer, true}}};

/// Undefined where one is: a mean over fewer seeds would pass for one over all.
Measure mean_of_tests(const std::vector<Measure>& values) {
    if (values.empty()) return Measure::undefined("not tested");
    double sum = 0;
    for (const Measure& value : values) {
        if (!value) return value;
        sum += value.value();
    }
    return sum / static_cast<double>(values.size());
}

HeatMap heat_map(const SetTests& tests, const std::string& model, const ShownMeasure& measure) {
    HeatMap map{.title = model + ", " + measure.name,
                .row_title = "trained on",
                .column_title = "tested on",
                .rows = {},
                .columns = tests.targets,
                .values = {},
                .decimals = 3,
                .errors = measure.error};
    for (const std::string& source : tests.sources) {
        std::vector<Measure> row;
        bool trained = false;
        for (const std::string& target : tests.targets) {
            std::vector<Measure> values;
            for (const SetTest& test : tests.tests)
                if (test.model == model && test.source == source && test.target == target)
                    values.push_back(test.measures.*measure.field);
            trained = trained || !values.empty();
            row.push_back(mean_of_tests(values));
        }
        if (!trained) continue;
        map.rows.push_back(source);
        map.values.push_back(std::move(row));
    }
    return map;
}

/// Mean and interval of the mean, by Student's t.
Bar bar_of(const std::vector<double>& values) {
    if (values.empty()) return {.value = Measure::undefined("no test has a value")};
    double sum = 0, squares = 0;
    const auto count = static_cast<double>(values.size());
    for (const double value : values) sum += value;
    const double mean = sum / count;
    for (const double value : values) squares += (value - mean) * (value - mean);
    Bar bar{.value = mean};
    if (values.size() < 2) return bar;
    const double half = metrics::student_bound(0.95, count - 1) * std::sqrt(squares / (count - 1) / count);
    bar.interval = {std::max(0.0, mean - half), std::min(1.0, mean + half)};
    return bar;
}

/// Every test of a model but those within the set it was trained on, where there are others.
std::vector<const SetTest*> tests_of(const SetTests& tests, const std::string& model) {
    std::vector<const SetTest*> all, across;
    for (const SetTest& test : tests.tests) {
        if (test.model != model) continue;
        all.push_back(&test);
        if (!test.within) across.push_back(&test);
    }
    return across.empty() ? all : across;
}

}  // namespace

TestMeasures TestMeasures::of(const PadReport& report) {
    return {.accuracy = report.accuracy,
            .f1 = report.attack_positive.f1,
            .roc_auc = report.roc_auc,
            .acer = report.acer,
            .eer = report.eer.value};
}

TestMeasures TestMeasures::undefined(const std::string& reason) {
    const Measure none = Measure::undefined(reason);
    return {.accuracy = none, .f1 = none, .roc_auc = none, .acer = none, .eer = none};
}

void add_heat_maps(Page& page, const SetTests& tests) {
    page.text(
        "Trained on the set of the row, tested on that of the column at the threshold of the row's validation samples; "
        "means over seeds and folds (as figure 9 of Kuznetsov et al. 2026). The stronger a colour, the larger the "
        "figure: blue is accuracy, orange are errors. A dash is a test that was not made or has no value; hovering "
        "says why.");
    for (const ShownMeasure& measure : kMapped) {
        std::vector<std::string> maps;
        for (const std::string& model : tests.models)
            if (HeatMap map = heat_map(tests, model, measure); !map.rows.empty()) maps.push_back(svg(map));
        page.figures(maps);
    }
}

std::array<Measure, radar_spokes> radar_values(const TestMeasures& measures) {
    const auto at = [&](size_t i) {
        const Measure& value = measures.*kSpokes.at(i).field;
        return value && kSpokes.at(i).error ? Measure(1 - value.value()) : value;
    };
    return {at(0), at(1), at(2), at(3), at(4)};
}

Radar radar_of(std::string_view title, std::span<const RadarModel> models) {
    if (models.empty()) throw Error("chart", "'" + std::string(title) + "' has nothing to draw");
    Radar radar{.title = std::string(title), .spokes = {}, .series = {}};
    for (const ShownMeasure& spoke : kSpokes) radar.spokes.emplace_back(spoke.name);
    for (const RadarModel& model : models)
        radar.series.push_back({.name = model.name, .bars = {model.values.begin(), model.values.end()}});
    return radar;
}

void add_radar(Page& page, const SetTests& tests) {
    std::vector<RadarModel> models;
    size_t most = 0;
    bool across = false;
    for (const std::string& name : tests.models) {
        const std::vector<const SetTest*> counted = tests_of(tests, name);
        if (counted.empty()) continue;
        most = std::max(most, counted.size());
        std::array<std::vector<double>, radar_spokes> values;
        for (const SetTest* test : counted) {
            across = across || !test->within;
            const auto spokes = radar_values(test->measures);
            for (size_t i = 0; i < radar_spokes; ++i)
                if (spokes.at(i)) values.at(i).push_back(spokes.at(i).value());
        }
        models.push_back({.name = name,
                          .values = {bar_of(values[0]), bar_of(values[1]), bar_of(values[2]), bar_of(values[3]),
                                     bar_of(values[4])}});
    }
    if (models.empty()) return;
    page.figure(svg(radar_of(across ? "Means over tests on other sets" : "Means over tests within sets", models)),
                "Each model's mean over its tests on sets that it was not trained on (within, where there are no "
                "others), as figure 10 of Kuznetsov et al. 2026; further out is better. Shaded: the 95 % interval of "
                "the mean by Student's t over at most " +
                    std::to_string(most) +
                    " tests. Attack is the positive class of F1. What is undefined is left out.");
}

LineChart epoch_chart(std::string_view title, std::vector<Series> series) {
    return {.title = std::string(title),
            .x = {.title = "epoch", .counts = true},
            .y = {.title = std::string(title)},
            .series = std::move(series)};
}

}  // namespace liven::report
