#include "liven/train/feature_map.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "liven/core/error.hpp"
#include "liven/models/registry.hpp"
#include "tests/occurrences.hpp"
#include "tests/temporary.hpp"

using namespace liven;

namespace {

/// Two sets of six grey pictures each, bona fide ones bright and attacks dark.
struct TwoSets {
    TemporaryFolder folder;
    data::Dataset set;

    TwoSets() {
        for (int i = 0; i < 12; ++i) {
            const bool attack = i % 2 == 1;
            data::Image image(16, 16);
            std::fill(image.pixels.begin(), image.pixels.end(), static_cast<uint8_t>((attack ? 20 : 200) + i));
            data::Sample sample;
            sample.path = folder / (std::to_string(i) + ".png");
            sample.label = attack ? data::Label::attack : data::Label::bonafide;
            sample.attack_type = attack ? (i < 6 ? "print" : "mask") : "";
            sample.dataset = i < 6 ? "first" : "second";
            data::write(image, sample.path);
            set.samples.push_back(sample);
        }
    }
};

}  // namespace

TEST_CASE("A map has a point a sample, colours for attack types, classes or sets, and the separability of each set") {
    const TwoSets two;
    for (const bool tsne : {false, true}) {
        const FeatureMap map = feature_map(pixel_features(two.set, 4), {.tsne = tsne});
        CHECK(map.of.what == "pixels, 4 x 4");
        CHECK(map.of.rows.columns == 48);
        CHECK(map.of.rows.values[0] == Approx(200 / 255.0));
        CHECK(map.points.rows == 12);
        CHECK(map.separability.value() > 0.9);
        REQUIRE(map.by_dataset.size() == 2);
        CHECK(map.by_dataset[0].first == "first");
        CHECK(map.by_dataset[1].second.value() > 0.9);
        CHECK(chart_of(map).series.size() == 3);
        CHECK(chart_of(map, PointsBy::label).series.size() == 2);
        CHECK(chart_of(map, PointsBy::dataset).series[1].name == "second");
        const std::string file = report::standalone(svg(chart_of(map)));
        CHECK(count(file, "<svg xmlns=") == 1);
        CHECK(count(file, "</svg>") == 1);
    }
    CHECK_THROWS_AS(report::standalone("no picture"), Error);
}

TEST_CASE("A network's features come from its last step's input, for samples chosen evenly") {
    const TwoSets two;
    LoadedModel model{.model = make_model("livenessnet"), .info = {}};
    model.info.model = "livenessnet";
    model.info.preprocess.width = model.info.preprocess.height = 16;
    model.model->build({1, 16, 16, 3});
    const FeatureRows rows = network_features(model, evenly_chosen(two.set, 5), 2);
    CHECK(rows.rows.rows == 5);
    CHECK(rows.rows.columns == 64);
    CHECK(rows.what == "bn_dense of livenessnet, 64 features");
    CHECK(rows.samples[1].path.filename() == "4.png");
    CHECK(rows.samples[4].path.filename() == "11.png");
    CHECK(evenly_chosen(two.set, 100).size() == 12);
    CHECK_THROWS_AS(evenly_chosen(two.set, 0), Error);
}

TEST_CASE("Samples are chosen from every class, set and attack type, whatever the order they come in") {
    data::Dataset set;
    for (int i = 0; i < 2000; ++i) {
        data::Sample sample;
        sample.path = std::to_string(i);
        sample.label = i % 2 == 1 ? data::Label::attack : data::Label::bonafide;
        sample.attack_type = i % 4 == 3 ? "print" : i % 2 == 1 ? "mask" : "";
        set.samples.push_back(sample);
    }
    const data::Dataset half = evenly_chosen(set, 1000);
    CHECK(half.size() == 1000);
    CHECK(half.count(data::Label::bonafide) == 500);
    const auto prints = std::count_if(half.samples.begin(), half.samples.end(),
                                      [](const data::Sample& sample) { return sample.attack_type == "print"; });
    CHECK(std::abs(prints - 250) <= 1);
    CHECK(std::is_sorted(half.samples.begin(), half.samples.end(), [](const data::Sample& a, const data::Sample& b) {
        return std::stoi(a.path.string()) < std::stoi(b.path.string());
    }));
    // A single sample of a class stays.
    for (data::Sample& sample : set.samples) sample.label = data::Label::attack;
    set.samples[777].label = data::Label::bonafide;
    CHECK(evenly_chosen(set, 7).count(data::Label::bonafide) == 1);
    CHECK(evenly_chosen(set, 1).size() == 1);
}
