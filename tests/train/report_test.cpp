#include "liven/train/report.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "liven/core/log.hpp"
#include "liven/data/manifest.hpp"
#include "liven/data/synthesize.hpp"
#include "liven/train/recipe.hpp"
#include "liven/train/score_file.hpp"
#include "liven/train/trainer.hpp"
#include "src/train/cross_tests.hpp"
#include "src/train/run_folder.hpp"
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
                             "Measures with their intervals",
                             "as divided for one; recordings count once",
                             "<th>mask</th><th>print</th><th>replay</th><th>subjects</th><th>recordings</th>",
                             "Trained with Liven",
                             "/two &amp; a half/config.toml&#39; --out",
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

TEST_CASE(
    "Files of scores are judged at their thresholds and compared, and of one without a threshold it is asked for") {
    const TemporaryFolder folder;
    const auto write = [&](const std::string& name, double shift, const std::string& rule) {
        ScoreFile file{.judged = {}, .threshold = 0.5, .threshold_rule = rule};
        for (int i = 0; i < 40; ++i) {
            file.judged.names.push_back("faces/" + std::to_string(i) + ".png");
            file.judged.groups.push_back(std::to_string(i / 4));
            file.judged.scores.labels.push_back(i % 2);
            file.judged.scores.attack_types.emplace_back(i % 2 == 0 ? "" : i % 4 == 1 ? "print" : "mask");
            file.judged.scores.scores.push_back((i % 2 == 0 ? 0.6 : 0.3) + shift * (i % 5));
        }
        write_scores(folder / name, file);
        return folder / name;
    };
    const std::vector<std::filesystem::path> files{write("a.csv", 0.1, "minimum validation ACER"),
                                                   write("b.csv", -0.1, "within-set optimum: to see")};
    const std::string page = html_report(files, {.bootstrap = {.resamples = 20}});
    for (const char* part : {"Measures</h2>", "Curves</h2>", "Confusion</h2>", "Attack types</h2>", "DeLong",
                             "a.csv: the scores", "(minimum validation ACER)", "chosen on these very scores"}) {
        INFO(part);
        CHECK(count(page, part) > 0);
    }
    CHECK(count(page, "Not judged on the same samples") == 0);
    CHECK(count(page, "Training</h2>") == 0);
    const std::filesystem::path bare = folder / "bare.csv";
    std::ofstream(bare) << "name,label,score\na,bonafide,0.9\nb,attack,0.1\n";
    CHECK_THROWS_WITH(html_report({&bare, 1}), Catch::Contains("bare.csv: the file does not state a threshold") &&
                                                   Catch::Contains("--threshold"));
    const std::string given = html_report({&bare, 1}, {.bootstrap = {.resamples = 20}, .threshold = 0.25});
    CHECK(count(given, "given by --threshold") == 1);
    CHECK(count(given, "bare.csv --threshold 0.25 -o report.html") == 1);
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
    CHECK(page.find(">Reliability of one<") != std::string::npos);
    CHECK_THROWS_WITH(html_report({}), Catch::Contains("expected the folder of a run"));
    const std::filesystem::path none = two.folder / "none";
    CHECK_THROWS_WITH(html_report({&none, 1}), Catch::Contains("there is no run here"));
    std::filesystem::remove(two.runs[1] / "model.safetensors");
    CHECK_THROWS_WITH(html_report({&two.runs[1], 1}), Catch::Contains("no model yet") && Catch::Contains("--resume"));
}

namespace {

/// A short training on a set.
void train_on(const std::filesystem::path& set, const std::filesystem::path& run, uint64_t seed) {
    TrainSettings settings = settings_of("livenessnet");
    settings.data = set.string();
    settings.size = 32;
    settings.epochs = 1;
    settings.seed = seed;
    Trainer(settings, run).train();
}

RunEvidence evidence_of(const std::filesystem::path& run) { return gather_evidence(run, run.filename().string()); }

const report::SetTest& test_of(const report::SetTests& tests, const std::string& source, const std::string& target) {
    const auto found = std::find_if(tests.tests.begin(), tests.tests.end(), [&](const report::SetTest& test) {
        return test.source == source && test.target == target;
    });
    REQUIRE(found != tests.tests.end());
    return *found;
}

}  // namespace

TEST_CASE("Runs on several sets are tested on each other's, and never on what they were trained on") {
    const Silence silence;
    const TemporaryFolder folder;
    for (const char* name : {"a", "b"})
        data::synthesize((folder / name).string(),
                         {.subjects = 8, .frames = 1, .size = 32, .seed = static_cast<uint64_t>(name[0])});
    // Both together, each under its name: the test samples of a are among those to train on.
    data::Dataset both;
    for (const char* name : {"a", "b"}) {
        const data::Dataset set = data::open_dataset(folder / name);
        for (data::Sample sample : set.samples) {
            sample.dataset = name;
            sample.split = data::Split::none;
            both.samples.push_back(sample);
        }
    }
    data::write_manifest(both, folder / "both.csv");
    train_on(folder / "a", folder / "on-a", 1);
    train_on(folder / "b", folder / "on-b", 1);
    train_on(folder / "both.csv", folder / "on-both", 5);
    const RunEvidence a = evidence_of(folder / "on-a"), b = evidence_of(folder / "on-b"),
                      all = evidence_of(folder / "on-both");

    {
        INFO("one set needs no such section, several do");
        CHECK_FALSE(cover_several_sets({&a, 1}));
        CHECK(cover_several_sets({&all, 1}));
        const std::vector<RunEvidence> pair{a, b};
        CHECK(cover_several_sets(pair));
    }
    {
        INFO("a model and another set: the figures are those of liven evaluate");
        const std::vector<RunEvidence> pair{a, b};
        const report::SetTests tests = test_across(pair);
        CHECK(tests.models == std::vector<std::string>{"LivenessNet"});  // one model, whatever its data
        CHECK(tests.sources == std::vector<std::string>{"a", "b"});
        CHECK(tests.targets == tests.sources);
        REQUIRE(tests.tests.size() == 4);
        CHECK(test_of(tests, "a", "a").within);
        CHECK(test_of(tests, "a", "a").measures.acer.value() == a.test->report.acer.value());
        const report::SetTest& across = test_of(tests, "a", "b");
        CHECK_FALSE(across.within);
        LoadedModel model = load_model(folder / "on-a/model.safetensors");
        const PadReport own = score_part(model, b.test->set, 7, "").report;
        CHECK(across.measures.acer.value() == own.acer.value());
        CHECK(across.measures.roc_auc.value() == Approx(own.roc_auc.value()));
    }
    {
        INFO("samples that it was trained on are no test");
        const std::vector<RunEvidence> three{all, a, b};
        const report::SetTests tests = test_across(three);
        const report::SetTest& leak = test_of(tests, "both", "a");
        CHECK_FALSE(leak.measures.acer);
        CHECK(leak.measures.acer.reason().find("trained or chosen on ") == 0);
        CHECK(test_of(tests, "both", "b of both").measures.acer);
        CHECK(test_of(tests, "both", "b of both").within);
    }
    {
        INFO("trainings of other settings are other models, by the names of their runs");
        std::vector<RunEvidence> pair{a, b};
        pair[1].settings.learning_rate = 1;
        CHECK(test_across(pair).models == std::vector<std::string>{"LivenessNet (on-a)", "LivenessNet (on-b)"});
        pair[1].settings = a.settings;
        pair[1].settings.seed = 99;
        CHECK(test_across(pair).models == std::vector<std::string>{"LivenessNet"});
    }
    {
        INFO("the page shows it");
        const std::vector<std::filesystem::path> runs{folder / "on-a", folder / "on-b"};
        const std::string page = html_report(runs, {.bootstrap = {.resamples = 20}});
        CHECK(page.find("Across data sets</h2>") != std::string::npos);
        CHECK(page.find("LivenessNet, ACER") != std::string::npos);
        CHECK(page.find("Means over tests on other sets") != std::string::npos);
    }
}

TEST_CASE("A run notes in what it was trained, anew when that changes") {
    const Silence silence;
    const TemporaryFolder folder;
    const RunFolder run(folder.path());
    CHECK(run.environments().empty());
    run.note_environment();
    run.note_environment();
    REQUIRE(run.environments().size() == 1);
    CHECK(run.environments()[0].rfind("Liven ", 0) == 0);
    std::ofstream(run.environment()) << "another machine\n";
    run.note_environment();
    CHECK(run.environments().size() == 2);
    CHECK(run.environments()[0] == "another machine");
}
