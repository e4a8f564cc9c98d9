#include "liven/train/report.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "liven/core/log.hpp"
#include "liven/data/synthesize.hpp"
#include "liven/train/recipe.hpp"
#include "liven/train/trainer.hpp"
#include "tests/occurrences.hpp"
#include "tests/temporary.hpp"

using namespace liven;

namespace {

/// Messages of a training are no part of a test's output.
struct Silence {
    Silence() {
        set_log_sink([](LogLevel, std::string_view) {});
    }
    ~Silence() { set_log_sink({}); }
};

/// Two short trainings on the same faces.
struct TwoRuns {
    Silence silence;
    TemporaryFolder folder;
    std::vector<std::filesystem::path> runs{folder / "one", folder / "two & a half"};

    TwoRuns() {
        const std::string set = (folder / "set").string();
        data::synthesize(set, {.subjects = 8, .frames = 2, .size = 32, .seed = 3});
        for (size_t i = 0; i < runs.size(); ++i) {
            TrainSettings settings = settings_of("livenessnet");
            settings.data = set;
            settings.size = 32;
            settings.epochs = 2;
            settings.seed = i;
            Trainer(settings, runs[i]).train();
        }
    }
};

}  // namespace

TEST_CASE("A report has every section, both runs, intervals and tests, and fetches nothing") {
    const TwoRuns two;
    const std::string page = html_report(two.runs, {.title = "A & B", .bootstrap = {.resamples = 50}});
    for (const char* part : {"A &amp; B",
                             "Measures</h2>",
                             "Curves</h2>",
                             "Confusion</h2>",
                             "Attack types</h2>",
                             "Differences between the models</h2>",
                             "Training</h2>",
                             "Faces</h2>",
                             "Errors</h2>",
                             "Explanations</h2>",
                             "How samples lie</h2>",
                             "bn_dense of livenessnet, 64 features",
                             "most memory",
                             "data:image/jpeg;base64,",
                             "Data</h2>",
                             "How it was made</h2>",
                             "two &amp; a half",
                             "DeLong p",
                             "McNemar p",
                             ">ROC<",
                             ">DET<",
                             ">Reliability<",
                             "seconds an epoch",
                             "data:image/png;base64,",
                             "liven report ",
                             "APCER by attack type"}) {
        INFO(part);
        CHECK(page.find(part) != std::string::npos);
    }
    for (const char* fetched : {"http:", "https:", "<script", "url("}) CHECK(count(page, fetched) == 0);
    for (const char* none : {">nan<", "\"nan", " nan", ",nan", "-nan"}) CHECK(count(page, none) == 0);
    CHECK(count(page, "<svg") == count(page, "</svg>"));
    CHECK(page == html_report(two.runs, {.title = "A & B", .bootstrap = {.resamples = 50}}));
}

TEST_CASE("A report of a few judged samples draws what it can, and says what it cannot and why") {
    const TwoRuns two;
    std::vector<std::filesystem::path> test;
    for (const data::Sample& sample : data::open_dataset(two.folder / "set").only(data::Split::test).samples)
        test.push_back(sample.path);
    const auto page_of_first = [&](size_t readable) {
        for (size_t i = readable; i < test.size(); ++i) std::ofstream(test[i]) << "no picture";
        return html_report({two.runs.data(), 1}, {.bootstrap = {.resamples = 20}});
    };
    REQUIRE(test.size() > 3);
    const std::string three = page_of_first(3);
    CHECK(three.find("the first two principal components") != std::string::npos);
    CHECK(three.find("t-SNE") == std::string::npos);
    const std::string one = page_of_first(1);
    CHECK(one.find("one: none, for ") != std::string::npos);
    CHECK(one.find("expected two rows and one component or more") != std::string::npos);  // what says why
    CHECK(one.find("How it was made</h2>") != std::string::npos);
}

TEST_CASE("Runs of one name go by as much of their paths as tells them apart, and none comes twice") {
    TwoRuns two;
    std::filesystem::create_directories(two.folder / "later");
    std::filesystem::rename(two.runs[1], two.folder / "later" / "one");
    two.runs[1] = two.folder / "later" / "one";
    const std::string page = html_report(two.runs, {.bootstrap = {.resamples = 20}});
    const std::string first = two.folder.path().filename().string() + "/one";
    CHECK(page.find("Liveness detection: " + first + ", later/one") != std::string::npos);
    two.runs[1] = two.folder / "." / "one";
    CHECK_THROWS_WITH(html_report(two.runs), Catch::Contains("got one twice"));
}

TEST_CASE("A report of one run needs no second; a folder without a model says how to get one") {
    const TwoRuns two;
    const std::string page = html_report({two.runs.data(), 1}, {.bootstrap = {.resamples = 20}});
    CHECK(page.find("Differences between") == std::string::npos);
    CHECK_THROWS_WITH(html_report({}), Catch::Contains("expected the folder of a run"));
    const std::filesystem::path none = two.folder / "none";
    CHECK_THROWS_WITH(html_report({&none, 1}), Catch::Contains("there is no run here"));
    std::filesystem::remove(two.runs[1] / "model.safetensors");
    CHECK_THROWS_WITH(html_report({&two.runs[1], 1}), Catch::Contains("no model yet") && Catch::Contains("--resume"));
}
