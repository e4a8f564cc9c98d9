#include "liven/report/set_charts.hpp"

#include <catch2/catch.hpp>

#include "src/metrics/distributions.hpp"
#include "tests/markup.hpp"
#include "tests/occurrences.hpp"

using namespace liven;
using namespace liven::report;

namespace {

TestMeasures all(double value) {
    return {.accuracy = value, .f1 = value, .roc_auc = value, .acer = 1 - value, .eer = 1 - value};
}

/// Two models on a and b, two seeds each; the second has no test from b to a.
SetTests tests() {
    SetTests out{.models = {"One", "Two"}, .sources = {"a", "b"}, .targets = {"a", "b"}, .tests = {}};
    for (const double seed : {0.0, 0.1}) {
        out.tests.push_back({"One", "a", "a", true, all(0.8 + seed)});
        out.tests.push_back({"One", "a", "b", false, all(0.5 + seed)});
        out.tests.push_back({"One", "b", "a", false, all(0.6 + seed)});
        out.tests.push_back({"One", "b", "b", true, all(0.7 + seed)});
        out.tests.push_back({"Two", "a", "b", false, all(0.4 + seed)});
    }
    out.tests.push_back({"Two", "b", "b", true, TestMeasures::undefined("one class")});
    return out;
}

}  // namespace

TEST_CASE("Heat maps show the mean of the tests from each source to each target, and why there is none") {
    Page page("p");
    add_heat_maps(page, tests());
    const std::string text = page.str();
    CHECK(count(text, "<svg") == 2 * 3);  // models by accuracy, ACER and EER
    CHECK(text.find("a, a: 0.850") != std::string::npos);
    CHECK(text.find("a, b: 0.550") != std::string::npos);
    CHECK(text.find("a, b: 0.450") != std::string::npos);  // of the second; the first's ACER is the same
    CHECK(text.find("b, a: undefined (not tested)") != std::string::npos);
    CHECK(text.find("b, b: undefined (one class)") != std::string::npos);
}

TEST_CASE("A model that was trained on one of the sets alone has the row of that one") {
    SetTests some = tests();
    std::erase_if(some.tests, [](const SetTest& test) { return test.model == "Two" && test.source == "b"; });
    Page page("p");
    add_heat_maps(page, some);
    CHECK(page.str().find("b, a: undefined") == std::string::npos);
}

TEST_CASE("A radar takes the tests on other sets, with the interval of their mean by Student's t") {
    SetTests three{.models = {"One"}, .sources = {"a"}, .targets = {"a", "b"}, .tests = {}};
    three.tests.push_back({"One", "a", "a", true, all(1)});
    for (const double value : {0.5, 0.6, 0.7}) three.tests.push_back({"One", "a", "b", false, all(value)});
    Page page("p");
    add_radar(page, three);
    const std::string text = page.str();
    // 4.30265 * 0.1 / sqrt(3) on both sides.
    CHECK(text.find("One, accuracy: 0.6 [0.3516, 0.8484]") != std::string::npos);
    CHECK(text.find("One, 1 - ACER: 0.6 [0.3516, 0.8484]") != std::string::npos);
    CHECK(text.find("on other sets") != std::string::npos);
    std::erase_if(three.tests, [](const SetTest& test) { return !test.within; });
    Page within("p");
    add_radar(within, three);
    CHECK(within.str().find("Means over tests within sets") != std::string::npos);
    Page nothing("p");
    add_radar(nothing, {.models = {"One"}, .sources = {}, .targets = {}, .tests = {}});
    CHECK(nothing.str().find("<svg") == std::string::npos);
    CHECK_THROWS_WITH(radar_of("r", {}), Catch::Contains("nothing to draw"));
}

TEST_CASE("Student's bounds are those of the tables") {
    CHECK(metrics::student_bound(0.95, 1) == Approx(12.706204736432095).epsilon(1e-10));
    CHECK(metrics::student_bound(0.95, 2) == Approx(4.302652729911275).epsilon(1e-10));
    CHECK(metrics::student_bound(0.95, 10) == Approx(2.2281388519649385).epsilon(1e-10));
    CHECK(metrics::student_bound(0.99, 5) == Approx(4.032142983557536).epsilon(1e-10));
    CHECK(metrics::student_bound(0.9999, 1) == Approx(6366.197671).epsilon(1e-6));
}
