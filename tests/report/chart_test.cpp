#include "liven/report/chart.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "liven/report/page.hpp"
#include "src/report/axes.hpp"
#include "tests/markup.hpp"
#include "tests/occurrences.hpp"

using namespace liven;
using namespace liven::report;
using liven::testing::is_well_formed;

namespace {

LineChart roc() {
    return {.title = "ROC <of> A & B",
            .x = {.title = "APCER", .low = 0, .high = 1},
            .y = {.title = "1 - BPCER", .low = 0, .high = 1},
            .series = {{.name = "A", .points = {{0, 0}, {0.1, 0.8, "threshold 0.4"}, {1, 1}}},
                       {.name = "B", .points = {{0, 0}, {1, 1}}, .band = {{0, 0.1}, {0.9, 1}}}},
            .rules = {{.at = 0.5, .label = "here"}, {.at = 0.2, .label = "there", .vertical = false}},
            .square = true,
            .diagonal = true};
}

/// Numbers of attribute `name`, in order.
std::vector<double> attributes(const std::string& text, const std::string& name) {
    std::vector<double> values;
    const std::string begin = " " + name + "=\"";
    for (size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
        const char* number = text.c_str() + at + begin.size();
        char* end = nullptr;
        const double value = std::strtod(number, &end);
        if (end != number) values.push_back(value);
    }
    return values;
}

}  // namespace

TEST_CASE("A line chart is well-formed, escapes what it is given, and tells its numbers") {
    const std::string text = svg(roc());
    CHECK(is_well_formed(text));
    CHECK(text.find("ROC &lt;of&gt; A &amp; B") != std::string::npos);
    CHECK(text.find("APCER: 0.1\n1 - BPCER: 0.8\nthreshold 0.4") != std::string::npos);
    CHECK(count(text, "<polyline") == 2 + 2);  // the lines, and their samples in the legend
    CHECK(count(text, "<polygon") == 1);       // the band
    CHECK(count(text, "class=\"rule\"") == 2 * 2 + 1);
}

TEST_CASE("Points lie where their numbers say") {
    const std::string text =
        svg(LineChart{.title = "",
                      .x = {.title = "x", .low = 0, .high = 10},
                      .y = {.title = "y", .low = 0, .high = 10},
                      .series = {{.name = "", .points = {{0, 0}, {5, 5}, {10, 10}}, .joined = false}}});
    const std::vector<double> x = attributes(text, "cx"), y = attributes(text, "cy");
    REQUIRE(x.size() == 3);
    CHECK(x[1] == Approx((x[0] + x[2]) / 2).margin(0.1));
    CHECK(y[1] == Approx((y[0] + y[2]) / 2).margin(0.1));
    CHECK(x[0] < x[2]);
    CHECK(y[0] > y[2]);  // up is more
}

TEST_CASE("Ticks are round numbers within the axis, on every scale") {
    const Mapping linear({.title = ""}, 0.13, 0.97), decades({.title = "", .scale = Scale::logarithmic}, 0.02, 500),
        shares({.title = "", .scale = Scale::probit}, 0.001, 0.5);
    CHECK(linear.ticks().size() >= 4);
    CHECK(number(linear.ticks().front()) == "0.2");
    CHECK(decades.ticks() == std::vector<double>{0.1, 1, 10, 100});
    CHECK(Mapping({.title = "epoch", .counts = true}, 1, 4).ticks() == std::vector<double>{1, 2, 3, 4});
    CHECK(Mapping({.title = "epoch", .counts = true}, 1, 40).ticks() == std::vector<double>{10, 20, 30, 40});
    CHECK(decades.at(1) - decades.at(0.1) == Approx(decades.at(100) - decades.at(10)));
    // The middle of a normal distribution is where half lies below.
    CHECK(shares.at(0.5) == 1);
    CHECK(shares.at(0.1) - shares.at(0.05) < shares.at(0.05) - shares.at(0.01));
    CHECK(shares.at(0) == shares.at(0.0005));
    CHECK(number(1234567) == "1.23e6");
    CHECK(number(0.00015) == "1.5e-4");
    CHECK(number(0.0009999) == "1e-3");
    CHECK(number(0.00125) == "0.00125");
    CHECK(number(0.30000000000000004) == "0.3");
    CHECK(number(-0.25) == "-0.25");
}

TEST_CASE("An axis of one value has room on both sides of it") {
    const Mapping one({.title = ""}, 3, 3);
    CHECK(one.at(3) == Approx(0.5));
    CHECK(Mapping({.title = "", .scale = Scale::logarithmic}, 3, 3).ticks().size() > 0);
    CHECK(Mapping({.title = ""}, 0.6931471805599453, std::nextafter(0.6931471805599453, 1)).ticks().size() < 20);
}

TEST_CASE("Bars stand on zero, carry their intervals, and say why one is missing") {
    const BarChart chart{
        .title = "ACER",
        .y = {.title = "ACER"},
        .categories = {"print", "replay"},
        .series = {{.name = "V1", .bars = {{.value = 0.2, .interval = {{0.1, 0.3}}}, {.value = 0.1}}},
                   {.name = "V2", .bars = {{.value = 0.4}, {.value = Measure::undefined("no attack samples")}}}}};
    const std::string text = svg(chart);
    CHECK(is_well_formed(text));
    CHECK(count(text, "class=\"error\"") == 3);
    CHECK(text.find("V1, print: 0.2 [0.1, 0.3]") != std::string::npos);
    CHECK(text.find("undefined (no attack samples)") != std::string::npos);
    const std::vector<double> heights = attributes(text, "height");
    CHECK(heights[2] == Approx(heights[0] / 2).margin(0.2));  // V1 replay against V1 print
}

TEST_CASE("A histogram shows shares of each class, a heat map its numbers, a radar its spokes") {
    const std::string histogram = svg(Histogram{.title = "scores",
                                                .x = {.title = "score"},
                                                .classes = {{"bona fide", {0, 1, 3}}, {"attack", {6, 2, 0}}},
                                                .rules = {{.at = 0.5, .label = "threshold"}}});
    CHECK(is_well_formed(histogram));
    CHECK(histogram.find("attack: 6 of 8 from 0 to 0.3333") != std::string::npos);
    const std::string map = svg(HeatMap{.title = "cross-set",
                                        .row_title = "trained on",
                                        .column_title = "tested on",
                                        .rows = {"A", "B"},
                                        .columns = {"A", "B"},
                                        .values = {{0.01, 0.4}, {Measure::undefined("not run"), 0.02}}});
    CHECK(is_well_formed(map));
    CHECK(map.find(">0.400<") != std::string::npos);
    CHECK(map.find("B, A: undefined (not run)") != std::string::npos);
    const std::string radar =
        svg(Radar{.title = "measures",
                  .spokes = {"AUC", "accuracy", "1 - ACER"},
                  .series = {{.name = "V2.2",
                              .bars = {{.value = 0.9, .interval = {{0.85, 0.95}}}, {.value = 0.8}, {.value = 0.7}}}}});
    CHECK(is_well_formed(radar));
    CHECK(radar.find("V2.2, AUC: 0.9 [0.85, 0.95]") != std::string::npos);
}

namespace {

/// How high the picture is.
double height_of(const std::string& svg) {
    const size_t box = svg.find("viewBox=\"0 0 ");
    REQUIRE(box != std::string::npos);
    return std::strtod(svg.c_str() + svg.find(' ', box + 13), nullptr);
}

double lowest(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }

}  // namespace

TEST_CASE("However many lines and however long their names, the legend stays in the picture") {
    for (const size_t names : {1u, 2u, 5u, 10u, 23u})
        for (const char* name : {"a", "a run of a long name, validation"}) {
            CAPTURE(names, name);
            LineChart chart = roc();
            chart.series.resize(1);
            chart.series[0].name = name;
            chart.series.resize(names, chart.series[0]);
            const std::string text = svg(chart);
            CHECK(lowest(attributes(text, "y")) <= height_of(text) - 4);
            CHECK(count(text, name) >= names - 1);
            BarChart bars{.title = "b", .y = {}, .categories = {"c"}, .series = {}};
            bars.series.resize(names, {name, {{.value = 0.5}}});
            const std::string drawn = svg(bars);
            CHECK(lowest(attributes(drawn, "y")) <= height_of(drawn) - 4);
        }
}

TEST_CASE("Categories that do not fit beside each other are written aslant, below the axis") {
    BarChart chart{.title = "b", .y = {}, .categories = {"print", "replay", "mask"}, .series = {{"s", {}}}};
    chart.series[0].bars.resize(3, {.value = 0.5});
    CHECK(count(svg(chart), "rotate(-30") == 0);
    chart.categories.resize(13, "silicone mask with a long name indeed");
    chart.series[0].bars.resize(13, {.value = 0.5});
    const std::string text = svg(chart);
    CHECK(is_well_formed(text));
    CHECK(count(text, "rotate(-30") == 13);
    CHECK(text.find(">silicone mask with a long…<") != std::string::npos);
    CHECK(text.find("silicone mask with a long name indeed: 0.5") != std::string::npos);
}

TEST_CASE("A heat map of one row has room for what stands beside it, and says words where it is given them") {
    HeatMap map{.title = "h",
                .row_title = "trained on",
                .column_title = "tested on",
                .rows = {"a"},
                .columns = {"b"},
                .values = {{0.5}}};
    const std::string text = svg(map);
    // Upright words reach as far above their middle as below.
    CHECK(height_of(text) >= 64 + 9 * 10);
    map.texts = {{"15"}};
    CHECK(svg(map).find(">15<") != std::string::npos);
    map.texts = {{"15", "16"}};
    CHECK_THROWS_WITH(svg(map), Catch::Contains("expects 1 rows of 1 values"));
}

TEST_CASE("What cannot be drawn is an error that names the chart") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    LineChart chart = roc();
    chart.series[0].points[1].y = nan;
    CHECK_THROWS_WITH(svg(chart), Catch::Contains("'ROC <of> A & B' holds a number that is not finite"));
    CHECK_THROWS_WITH(svg(LineChart{.title = "empty", .x = {}, .y = {}, .series = {}}), Catch::Contains("no point"));
    CHECK_THROWS_WITH(svg(LineChart{.title = "log",
                                    .x = {.title = "rate", .scale = Scale::logarithmic},
                                    .y = {},
                                    .series = {{.name = "", .points = {{0, 1}, {1, 1}}}}}),
                      Catch::Contains("above 0 on the logarithmic axis 'rate'"));
    CHECK_THROWS_WITH(svg(BarChart{.title = "b", .y = {}, .categories = {"a", "b"}, .series = {{"s", {{.value = 1}}}}}),
                      Catch::Contains("1 bars for 2 categories"));
    CHECK_THROWS_WITH(svg(HeatMap{.title = "h", .rows = {"a"}, .columns = {"b"}, .values = {}}),
                      Catch::Contains("expects 1 rows of 1 values"));
    CHECK_THROWS_WITH(svg(Radar{.title = "r", .spokes = {"a"}, .series = {}}), Catch::Contains("three spokes"));
    CHECK_THROWS_WITH(svg(Histogram{.title = "e", .x = {}, .classes = {}}), Catch::Contains("nothing to draw"));
}

TEST_CASE("A page holds everything in itself and escapes every text") {
    Page page("Report <1>", "by & by");
    const std::vector<uint8_t> png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 1};
    page.section("Measures <all>")
        .text("a < b")
        .note("leak & shame")
        .table({.columns = {"model", "ACER"}, .rows = {{"V<2>", "0.1"}}, .caption = "c"})
        .code("liven report <run>")
        .picture(png, "faces \"here\"")
        .fold("more")
        .figure(svg(roc()), "curves")
        .section("Next");
    const std::string text = page.str();
    CHECK(text.rfind("<!DOCTYPE html>", 0) == 0);
    for (const char* part : {"Report &lt;1&gt;", "by &amp; by", "Measures &lt;all&gt;", "a &lt; b", "leak &amp; shame",
                             "V&lt;2&gt;", "liven report &lt;run&gt;", "alt=\"faces &quot;here&quot;\"",
                             "data:image/png;base64,iVBORw0KGgoAAQ==", "<a href=\"#s2\">Next</a>"}) {
        INFO(part);
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(count(text, "<details>") == count(text, "</details>"));
    for (const char* fetched : {"http:", "https:", "<script", "@import", "url("}) CHECK(count(text, fetched) == 0);
    Page lines("Lines");
    lines.table({.columns = {"a"},
                 .rows = {{"0.5\n<b>"}, {"it has no value because there are no samples of it"}},
                 .quoted = {1}});
    CHECK(lines.str().find("<td>0.5<br>&lt;b&gt;</td>") != std::string::npos);
    CHECK(lines.str().find("<tr class=\"quoted\"><td class=\"words\">it has") != std::string::npos);
    CHECK_THROWS_WITH(page.table({.columns = {"a", "b"}, .rows = {{"1"}}}), Catch::Contains("1 cells for 2 columns"));
    CHECK_THROWS_WITH(page.picture(std::vector<uint8_t>{1, 2, 3}), Catch::Contains("PNG or JPEG"));
}

TEST_CASE("Bars of things that are no classes pass over the classes' colours, in the legend too") {
    BarChart chart{.title = "b",
                   .y = {},
                   .categories = {"mask"},
                   .series = {{"sampled", {{.value = 2}}}, {"written", {{.value = 1}}}}};
    CHECK(count(svg(chart), "var(--c1)") == 2);
    chart.first_look = 2;
    const std::string text = svg(chart);
    for (const char* colour : {"var(--c1)", "var(--c2)"}) CHECK(count(text, colour) == 0);
    for (const char* colour : {"var(--c3)", "var(--c4)"}) CHECK(count(text, colour) == 2);
}
