#include "liven/report/score_charts.hpp"

#include <catch2/catch.hpp>

#include "liven/core/philox.hpp"
#include "liven/metrics/classification.hpp"
#include "tests/markup.hpp"

using namespace liven;
using namespace liven::report;

namespace {

NamedScores model(const char* name, uint64_t seed) {
    NamedScores made{.name = name, .samples = {}, .threshold = 0.5};
    Random random(seed);
    for (int i = 0; i < 400; ++i) {
        const int32_t label = i % 2;
        const float at = (label == bonafide_class ? 0.6f : 0.4f) + 0.2f * random.normal();
        made.samples.scores.push_back(std::clamp(static_cast<double>(at), 0.0, 1.0));
        made.samples.labels.push_back(label);
    }
    return made;
}

/// Under a curve of points, by trapezia.
double area(const std::vector<Point>& points) {
    double sum = 0;
    for (size_t i = 1; i < points.size(); ++i)
        sum += (points[i].x - points[i - 1].x) * (points[i].y + points[i - 1].y) / 2;
    return sum;
}

}  // namespace

TEST_CASE("The ROC's area is the AUC, with the points that say nothing left out") {
    const std::vector<NamedScores> models{model("one", 1), model("two", 2)};
    const LineChart chart = roc_chart(models);
    REQUIRE(chart.series.size() == 4);  // two curves, two operating points
    for (size_t i = 0; i < 2; ++i) {
        CHECK(area(chart.series[i].points) == Approx(roc_auc(models[i].samples).value()).epsilon(1e-12));
        CHECK(chart.series[i].points.size() < 300);
    }
    const Confusion counts = confusion(models[0].samples, 0.5);
    CHECK(chart.series[2].points.front().x == static_cast<double>(counts.attacks_accepted) / 200);
    CHECK(liven::testing::is_well_formed(svg(chart)));
}

TEST_CASE("The DET has the ROC's points with the other error upwards") {
    const std::vector<NamedScores> models{model("one", 3)};
    const LineChart roc = roc_chart(models), det = det_chart(models);
    REQUIRE(roc.series[0].points.size() == det.series[0].points.size());
    for (size_t i = 0; i < roc.series[0].points.size(); ++i)
        CHECK(det.series[0].points[i].y == 1 - roc.series[0].points[i].y);
    CHECK(liven::testing::is_well_formed(svg(det)));
}

TEST_CASE("Reliability by hand") {
    const NamedScores few{
        .name = "few", .samples = {.scores = {0.1, 0.3, 0.9, 1.0, 0.8}, .labels = {1, 0, 0, 0, 1}, .attack_types = {}}};
    const LineChart chart = reliability_chart({&few, 1}, 2);
    REQUIRE(chart.series[0].points.size() == 2);
    CHECK(chart.series[0].points[0].x == Approx(0.2));
    CHECK(chart.series[0].points[0].y == Approx(0.5));
    CHECK(chart.series[0].points[1].x == Approx(0.9));
    CHECK(chart.series[0].points[1].y == Approx(2.0 / 3));
    CHECK(chart.series[0].points[1].label == "3 samples");
}

TEST_CASE("Scores that no chart can be made of are errors") {
    NamedScores one = model("one", 1);
    one.samples.labels.assign(one.samples.size(), bonafide_class);
    CHECK_THROWS_WITH(roc_chart({&one, 1}), Catch::Contains("'one' lack a class"));
    NamedScores far = model("far", 1);
    far.samples.scores[3] = 1.5;
    CHECK_THROWS_WITH(reliability_chart({&far, 1}), Catch::Contains("no probabilities"));
    CHECK(score_chart(far).high == 1.5);
}
