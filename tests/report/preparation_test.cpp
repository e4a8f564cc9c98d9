#include "liven/report/preparation.hpp"

#include <catch2/catch.hpp>

#include "liven/core/error.hpp"
#include "tests/markup.hpp"
#include "tests/occurrences.hpp"
#include "tests/temporary.hpp"

using namespace liven;
using namespace liven::report;

namespace {

data::PreparationReport prepared_report() {
    data::PreparationReport report;
    report.options = R"({"least_quality":0.65})";
    report.written = 6;
    report.stages = {
        {.stage = "listed", .classes = {5, 7}, .attack_types = {{"print", 3}, {"<mask>", 4}}},
        {.stage = "sampled", .classes = {5, 7}, .attack_types = {{"print", 3}, {"<mask>", 4}}},
        {.stage = "quality", .classes = {3, 3}, .attack_types = {{"print", 3}}, .left_out = {{"below 0.65", 6}}}};
    for (const char* part : {"total", "sharpness", "contrast", "brightness", "blur"}) {
        report.before.push_back({.part = part});
        report.before.back().bonafide[15] = 5;
        report.before.back().attack[3] = 7;
        report.after.push_back(report.before.back());
    }
    report.warnings = {"something to heed"};
    report.skipped = {"a.jpg: the file is empty"};
    return report;
}

}  // namespace

TEST_CASE("The page of a preparation tells stages, reasons, quality and warnings, and escapes names") {
    const TemporaryFolder folder;
    data::PreparationReport report = prepared_report();
    data::write(data::Image(20, 30), folder / "found.png");
    data::write(data::Image(16, 16), folder / "made.png");
    data::Sample sample;
    sample.path = folder / "found.png";
    report.examples = {{.sample = sample, .prepared = folder / "made.png", .quality = 0.7},
                       {.sample = sample, .prepared = {}, .quality = 0.2}};
    const std::string page = preparation_page(report);
    for (const char* word : {"below 0.65", "something to heed", "the file is empty", "least quality", "&lt;mask&gt;",
                             "Left out for their quality", "sharpness, as found", "blur, as written"}) {
        INFO(word);
        CHECK(page.find(word) != std::string::npos);
    }
    CHECK(page.find("<mask>") == std::string::npos);
    CHECK(count(page, "data:image/jpeg") == 2);
    // Pictures that have gone are left out, no error.
    report.examples[0].prepared = folder / "gone.png";
    CHECK(count(preparation_page(report), "data:image/jpeg") == 1);
}

TEST_CASE("A preparation that judged nothing has no histograms, and one that did nothing no page") {
    data::PreparationReport report = prepared_report();
    report.before.clear();
    report.after.clear();
    CHECK(preparation_page(report).find("as found") == std::string::npos);
    CHECK_THROWS_AS(preparation_page(data::PreparationReport{}), Error);
}
