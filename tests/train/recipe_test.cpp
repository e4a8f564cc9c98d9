#include "liven/train/recipe.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>

#include "liven/core/error.hpp"
#include "liven/models/registry.hpp"

using namespace liven;

namespace {

constexpr const char* kModels[] = {"livenessnet", "attacknet-v1", "attacknet-v2.1", "attacknet-v2.2"};

struct RateAndDropout {
    double rate;
    const char* dropout;
};

void check(const std::string& recipe, const RateAndDropout (&row)[4], int64_t batch) {
    for (size_t i = 0; i < 4; ++i) {
        INFO(recipe << " of " << kModels[i]);
        const TrainSettings s = settings_of(kModels[i], recipe);
        CHECK(s.recipe == recipe);
        CHECK(s.model == kModels[i]);
        CHECK(s.learning_rate == row[i].rate);
        CHECK(s.model_options.at("dropout") == row[i].dropout);
        CHECK(s.batch == batch);
        CHECK(s.epochs == 20);
        CHECK(s.size == 256);
        CHECK(s.interpolation == "lanczos");
        CHECK(s.optimizer == "adam");
        CHECK(s.schedule == "plateau");
        CHECK(s.minimum_rate == 1e-9);
        CHECK(s.label_smoothing == 0.1);
        CHECK(s.clip_norm == 1.0);
        CHECK(s.patience == 15);
        CHECK(s.augmentation == "paper-k");
        CHECK(s.seed == 42);
        const OptionMap options = model_info(s.model).options(s.model_options);
        CHECK(std::stod(options.at("l2")) == 1e-5);
        CHECK(std::stod(options.at("other_l2")) == 1e-5);
        if (options.contains("dense_l2")) CHECK(std::stod(options.at("dense_l2")) == 1e-5);
    }
}

}  // namespace

TEST_CASE("Table 6 of Kuznetsov et al.: rate and dropout for each data set and model") {
    // LivenessNet, AttackNet V1, V2.1, V2.2.
    check("paper-k-own", {{1e-6, "0.2"}, {3e-7, "0.3"}, {3e-7, "0.2"}, {2e-7, "0.2"}}, 8);
    check("paper-k-replay-attack", {{1e-7, "0.2"}, {2e-8, "0.2"}, {3e-8, "0.2"}, {4e-8, "0.2"}}, 8);
    check("paper-k-csmad", {{7e-8, "0.5"}, {5e-9, "0.3"}, {7e-9, "0.1"}, {8e-9, "0.2"}}, 8);
    check("paper-k-3dmad", {{5e-8, "0.5"}, {5e-9, "0.3"}, {8e-9, "0.2"}, {6e-9, "0.1"}}, 8);
    check("paper-k-msspoof", {{1e-6, "0.15"}, {3e-7, "0.5"}, {4e-7, "0.4"}, {2e-8, "0.4"}}, 8);
}

TEST_CASE("Table 10 of Kuznetsov et al.: the combined set") {
    check("paper-k-combined", {{1e-7, "0.01"}, {1e-5, "0.05"}, {1e-6, "0.05"}, {1e-6, "0.05"}}, 16);
}

TEST_CASE("The margin-based recipe is LivenessNet at 64 x 64 with a doubled face box") {
    const TrainSettings s = settings_of("livenessnet", "paper-m");
    CHECK(s.size == 64);
    CHECK(s.batch == 8);
    CHECK(s.epochs == 50);
    CHECK(s.learning_rate == 4e-4);
    CHECK(s.schedule == "constant");
    CHECK(s.optimizer == "adam");
    CHECK(s.augmentation == "paper-m");
    CHECK(s.model_options.at("dropout") == "0.5");
    CHECK(s.preprocess().crop_margin == 0.5f);
    CHECK(s.preprocess().width == 64);
    CHECK_THROWS_AS(settings_of("attacknet-v1", "paper-m"), Error);
}

TEST_CASE("Every recipe is one that can be trained, and an unknown one names those of the model") {
    for (const Recipe& recipe : recipes()) {
        INFO(recipe.name << " of " << recipe.model);
        TrainSettings settings = settings_of(recipe.model, recipe.name);
        settings.data = "faces";
        CHECK_NOTHROW(settings.validate());
        // What a run writes down is what it reads back.
        TrainSettings again;
        again.read(Config::parse(settings.to_config().str()));
        CHECK(again.to_config().str() == settings.to_config().str());
    }
    CHECK_THROWS_WITH(settings_of("attacknet-v2.2", "paper-x"),
                      Catch::Contains("paper-k-3dmad") && Catch::Contains("default") && !Catch::Contains("paper-m"));
}

TEST_CASE("Settings that cannot be are refused by name") {
    const auto read = [](const std::string& text) {
        TrainSettings settings;
        settings.read(Config::parse(text, "config.toml"));
    };
    CHECK_NOTHROW(read("epochs = 3"));
    CHECK_THROWS_WITH(read("epoch = 3"), Catch::Contains("epochs"));
    CHECK_THROWS_WITH(read("epochs = 0"), Catch::Contains("epochs"));
    CHECK_THROWS_WITH(read("learning_rate = -1.0"), Catch::Contains("learning_rate"));
    CHECK_THROWS_WITH(read("optimizer = \"lion\""), Catch::Contains("optimizer"));
    CHECK_THROWS_WITH(read("label_smoothing = 1.0"), Catch::Contains("label_smoothing"));
    TrainSettings nowhere;
    CHECK_THROWS_WITH(nowhere.validate(), Catch::Contains("--data"));
}
