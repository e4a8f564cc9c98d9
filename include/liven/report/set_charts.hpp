#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "liven/metrics/pad.hpp"
#include "liven/report/chart.hpp"
#include "liven/report/page.hpp"

/// Charts of models that are trained on some data sets and tested on some (Kuznetsov et al. 2026, figures 9 to 11).
namespace liven::report {

/// What one test says. Attack is the positive class.
struct TestMeasures {
    Measure accuracy, f1, roc_auc, acer, eer;

    static TestMeasures of(const PadReport& report);
    /// None has a value, for this reason.
    static TestMeasures undefined(const std::string& reason);
};

/// A model trained on one set and tested on one. Trainings that differ in seed or fold alone are tests of one name;
/// charts show their mean.
struct SetTest {
    std::string model, source, target;
    bool within = false;  ///< the target is what it was trained on, or a part of that
    TestMeasures measures;
};

/// Names in the order in which they are drawn, and the tests there are between them.
struct SetTests {
    std::vector<std::string> models, sources, targets;
    std::vector<SetTest> tests;
};

/// Accuracy, ACER and EER of each model over sources and targets: a row of heat maps a measure, and what one sees.
void add_heat_maps(Page& page, const SetTests& tests);

/// What a radar's spokes are: accuracy, F1, ROC-AUC, 1 - ACER, 1 - EER.
inline constexpr size_t radar_spokes = 5;
struct RadarModel {
    std::string name;
    std::array<Bar, radar_spokes> values;  ///< from 0 to 1, more is better
};
/// Throws Error for no model.
Radar radar_of(std::string_view title, std::span<const RadarModel> models);
/// The spokes of one test.
std::array<Measure, radar_spokes> radar_values(const TestMeasures& measures);

/// A radar of each model's mean over the tests on sets that it was not trained on (within, where there are no others),
/// with 95 % intervals of the mean by Student's t, and what one sees. Nothing without tests.
void add_radar(Page& page, const SetTests& tests);

/// Epochs up to which lines have marks; more would hide them.
inline constexpr size_t most_marks = 30;
/// A line a model (or training) over its epochs; the title says the unit.
LineChart epoch_chart(std::string_view title, std::vector<Series> series);

}  // namespace liven::report
