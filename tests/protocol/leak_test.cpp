#include "liven/protocol/leak.hpp"

#include <catch2/catch.hpp>

#include "helpers.hpp"
#include "liven/core/error.hpp"
#include "liven/train/recipe.hpp"

using namespace liven;
using namespace liven::protocol;

TEST_CASE("The leak is measured by two trainings that differ in the division alone") {
    const Silence silence;
    const TemporaryFolder folder;
    const std::string set = (folder / "set").string();
    data::synthesize(set, {.subjects = 8, .frames = 2, .size = 32, .seed = 1});
    LeakOptions options{.training = settings_of("livenessnet"), .bootstrap = {.resamples = 50}};
    options.training.data = set;
    options.training.size = 16;
    options.training.epochs = 1;
    const auto pairs = measure_leak(options, folder / "out");
    REQUIRE(pairs.size() == 1);
    const LeakPair& pair = pairs[0];
    CHECK(pair.by_image.test > 0);
    CHECK(pair.by_group.test > 0);
    REQUIRE(pair.auc_gain.value);
    CHECK(pair.auc_gain.value.value() == pair.by_image.auc.value.value() - pair.by_group.auc.value.value());
    CHECK(pair.acer_gain.value.value() == pair.by_group.acer.value.value() - pair.by_image.acer.value.value());
    if (pair.auc_gain.interval.low) {
        CHECK(pair.auc_gain.interval.low.value() <= pair.auc_gain.value.value());
        CHECK(pair.auc_gain.interval.high.value() >= pair.auc_gain.value.value());
    }
    // The runs are kept: nothing is trained again, and the same is said.
    CHECK(leak_table(measure_leak(options, folder / "out")) == leak_table(pairs));
    LeakOptions other = options;
    other.training.size = 24;
    CHECK_THROWS_WITH(measure_leak(other, folder / "out"), Catch::Matchers::Contains("another measurement"));
    CHECK(contents_of(folder / "out/by-image-seed42/config.toml").find("\"image\"") != std::string::npos);
}

TEST_CASE("Without subjects and videos there is no leak to measure") {
    const Silence silence;
    const TemporaryFolder folder;
    const std::string manifest =
        folder.file("m.csv", "path,label\na.png,bonafide\nb.png,attack\nc.png,bonafide\n").string();
    LeakOptions options{.training = settings_of("livenessnet")};
    options.training.data = manifest;
    CHECK_THROWS_WITH(measure_leak(options, folder / "out"), Catch::Matchers::Contains("subject or video"));
}
