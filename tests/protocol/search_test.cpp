#include "liven/protocol/search.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <set>

#include "helpers.hpp"
#include "liven/core/error.hpp"
#include "liven/data/dataset.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/train/recipe.hpp"
#include "liven/train/trainer.hpp"
#include "src/protocol/begun.hpp"

using namespace liven;
using namespace liven::protocol;

namespace {

struct OneSet {
    Silence silence;
    TemporaryFolder folder;
    SearchSettings settings;

    OneSet() {
        const std::string set = (folder / "set").string();
        data::synthesize(set, {.subjects = 6, .frames = 1, .size = 32, .seed = 1});
        settings.base = settings_of("livenessnet");
        settings.base.data = set;
        settings.base.size = 16;
        settings.base.epochs = 2;
        settings.base.batch = 8;
        settings.trials = 4;
        settings.keep = 2;
        settings.ranges = {SearchRange::parse("learning_rate=1e-5..1e-2:log"), SearchRange::parse("dropout=0..0.5")};
    }
};

std::string refusal(const SearchSettings& settings) {
    try {
        settings.validate();
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("A range says its setting, its bounds and how it is drawn") {
    const SearchRange rate = SearchRange::parse("learning_rate=1e-5..1e-2:log");
    CHECK(rate.name == "learning_rate");
    CHECK(rate.low == 1e-5);
    CHECK(rate.high == 1e-2);
    CHECK(rate.logarithmic);
    CHECK(SearchRange::parse("batch=4..32").whole);
    CHECK_FALSE(SearchRange::parse("dropout=.1..0.5").whole);
    for (const char* bad : {"", "=1..2", "x", "x=1", "x=1..", "x=..1", "x=1..2:lin", "x=a..b", "x=1..2..3", "x=nan..1",
                            "x=1..inf", "x=1 ..2", "..=1"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(SearchRange::parse(bad), Error);
    }
}

TEST_CASE("A search that cannot be is refused with what was meant") {
    OneSet one;
    CHECK(refusal(one.settings) == "accepted");
    const auto with = [&](const char* range) {
        SearchSettings settings = one.settings;
        settings.ranges = {SearchRange::parse(range)};
        return refusal(settings);
    };
    using Catch::Matchers::Contains;
    CHECK_THAT(with("learning_rat=1e-5..1e-2"), Contains("did you mean 'learning_rate'"));
    CHECK_THAT(with("dropot=0..1"), Contains("did you mean 'dropout'"));
    CHECK_THAT(with("dropout=0.5..0.1"), Contains("ascend"));
    CHECK_THAT(with("dropout=0..0.5:log"), Contains("above 0"));
    CHECK_THAT(with("label_smoothing=0..3"), Contains("label_smoothing"));
    SearchSettings twice = one.settings;
    twice.ranges.push_back(twice.ranges[0]);
    CHECK_THAT(refusal(twice), Contains("twice"));
}

TEST_CASE("A search is the same whenever it is made, goes on where it was, and leaves the test samples out", "[slow]") {
    OneSet one;
    const SearchResult whole = search(one.settings, one.folder / "whole");
    REQUIRE(whole.best);
    CHECK(whole.trials.size() == 4);
    for (const data::Sample& sample : data::open_dataset(one.folder / "whole/data.csv").samples)
        CHECK((sample.split == data::Split::train || sample.split == data::Split::val));
    std::set<double> rates;
    for (const Trial& trial : whole.trials) {
        CHECK(trial.values[0] >= 1e-5);
        CHECK(trial.values[0] <= 1e-2);
        CHECK(*trial.loss >= *whole.best->loss);
        rates.insert(trial.values[0]);
    }
    CHECK(rates.size() == 4);
    const std::string log = contents_of(one.folder / "whole/search.jsonl");
    // What a kill leaves: two finished trials, the third under way.
    search(one.settings, one.folder / "killed");
    const size_t second = log.find('\n', log.find('\n') + 1);
    one.folder.file("killed/search.jsonl", log.substr(0, second + 1));
    const SearchResult again = search(one.settings, one.folder / "killed");
    CHECK(contents_of(one.folder / "killed/search.jsonl") == log);
    CHECK(search_table(one.settings, again) == search_table(one.settings, whole));
    CHECK(contents_of(again.config) == contents_of(whole.config));
    SearchSettings other = one.settings;
    other.seed = 2;
    CHECK_THROWS_WITH(search(other, one.folder / "killed"), Catch::Matchers::Contains("another search"));
    const TrainSettings best = settings_of_trial(one.settings, whole.best->values);
    CHECK(best.learning_rate == whole.best->values[0]);
    CHECK(std::stod(best.model_options.at("dropout")) == whole.best->values[1]);
}

TEST_CASE("Successive halving trains all shortly and the better ones longer") {
    OneSet one;
    one.settings.method = SearchMethod::halving;
    one.settings.by = "acer";
    const SearchResult result = search(one.settings, one.folder / "out");
    std::vector<std::pair<int64_t, int64_t>> rungs;
    for (const Trial& trial : result.trials) rungs.emplace_back(trial.rung, trial.epochs);
    CHECK(rungs == std::vector<std::pair<int64_t, int64_t>>{{0, 1}, {0, 1}, {0, 1}, {0, 1}, {1, 2}, {1, 2}});
    REQUIRE(result.best);
    CHECK(result.best->rung == 1);
}

TEST_CASE("A trial that fails is logged and the others decide") {
    OneSet one;
    one.settings.base.optimizer = "sgd";
    one.settings.trials = 3;
    one.settings.ranges = {SearchRange::parse("learning_rate=1e-4..1e30:log")};
    const SearchResult result = search(one.settings, one.folder / "out");
    int failed = 0;
    for (const Trial& trial : result.trials) failed += trial.failed.empty() ? 0 : 1;
    CHECK(failed > 0);
    if (result.best) CHECK(result.best->failed.empty());
    CHECK(read_json_lines(one.folder / "out/search.jsonl").size() == 3);
    // Started again: those that failed are tried again, the others are not.
    search(one.settings, one.folder / "out");
    CHECK(read_json_lines(one.folder / "out/search.jsonl").size() == static_cast<size_t>(3 + failed));
}

TEST_CASE("A search does not go on over other pictures, and leaves what it has") {
    OneSet one;
    one.settings.trials = 1;
    one.settings.base.epochs = 1;
    search(one.settings, one.folder / "out");
    const std::string data = contents_of(one.folder / "out/data.csv");
    std::ofstream(data::open_dataset(one.folder / "out/data.csv").samples[0].path, std::ios::app) << "more";
    CHECK_THROWS_WITH(search(one.settings, one.folder / "out"), Catch::Matchers::Contains("its data differ"));
    CHECK(contents_of(one.folder / "out/data.csv") == data);
}

TEST_CASE("What was begun with other pretrained weights is not gone on with") {
    OneSet one;
    const data::Dataset set = data::open_dataset(one.settings.base.data);
    const std::filesystem::path out = one.folder / "out", weights = one.folder / "weights.safetensors";
    std::filesystem::create_directories(out);
    std::ofstream(weights) << "some";
    const Undertaking asked{
        .what = "search", .settings = "epochs = 1", .pretrained = weights.string(), .file = out / "search.toml"};
    begin_or_go_on(set, asked, out);
    CHECK_NOTHROW(begin_or_go_on(set, asked, out));
    std::ofstream(weights, std::ios::app) << " more";
    CHECK_THROWS_WITH(begin_or_go_on(set, asked, out), Catch::Matchers::Contains("pretrained weights"));
}

TEST_CASE("A stop asked for in a trial's last step ends the search after that trial") {
    OneSet one;
    one.settings.base.epochs = 1;
    // The message at an epoch's end comes after its last step.
    set_log_sink([](LogLevel, std::string_view message) {
        if (message.find("val loss") != std::string_view::npos) Trainer::request_stop();
    });
    CHECK_THROWS_AS(search(one.settings, one.folder / "out"), Interrupted);
    set_log_sink([](LogLevel, std::string_view) {});
    CHECK(read_json_lines(one.folder / "out/search.jsonl").size() == 1);
    CHECK_FALSE(Trainer::stop_requested());
    CHECK(search(one.settings, one.folder / "out").trials.size() == 4);
}
