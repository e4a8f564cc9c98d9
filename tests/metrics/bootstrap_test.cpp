#include "liven/metrics/bootstrap.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "liven/core/philox.hpp"
#include "liven/metrics/classification.hpp"
#include "liven/metrics/pad.hpp"

using namespace liven;

namespace {

struct Set {
    ScoredSamples samples;
    std::vector<std::string> groups;
};

/// Videos of `frames` frames each; all frames of a video score alike but for a little noise.
Set videos(int count, int frames, uint64_t seed) {
    Set set;
    Random random(seed);
    for (int video = 0; video < count; ++video) {
        const int32_t label = video % 2;
        const float at = random.normal() + (label == bonafide_class ? 1.0f : -1.0f);
        for (int frame = 0; frame < frames; ++frame) {
            set.samples.scores.push_back(static_cast<double>(at + 0.01f * random.normal()));
            set.samples.labels.push_back(label);
            set.groups.push_back(std::to_string(video));
        }
    }
    return set;
}

Measure accuracy_at_zero(const ScoredSamples& samples) { return accuracy(confusion(samples, 0)); }

}  // namespace

TEST_CASE("Over independent groups the interval of a share is that of the binomial distribution") {
    const Set set = videos(400, 1, 3);
    const double share = accuracy_at_zero(set.samples).value();
    const Interval interval = bootstrap_interval(set.samples, set.groups, accuracy_at_zero, {.resamples = 4000});
    // Groups are drawn within their class, whose shares differ little: the plain formula, to a tenth of its width.
    const double half = 1.959964 * std::sqrt(share * (1 - share) / 400);
    CHECK(interval.low.value() == Approx(share - half).margin(half / 10));
    CHECK(interval.high.value() == Approx(share + half).margin(half / 10));
    CHECK(interval.undefined == 0);
}

TEST_CASE("Frames of one video do not narrow the interval as if they were new evidence") {
    const Set set = videos(60, 20, 5);
    std::vector<std::string> frames;
    for (size_t i = 0; i < set.samples.size(); ++i) frames.push_back(std::to_string(i));
    const auto width = [&](const std::vector<std::string>& groups) {
        const Interval interval = bootstrap_interval(set.samples, groups, roc_auc, {.resamples = 400});
        return interval.high.value() - interval.low.value();
    };
    CHECK(width(set.groups) > 3 * width(frames));  // sqrt(20) in the limit
}

TEST_CASE("An interval belongs to its seed and its level") {
    const Set set = videos(40, 3, 7);
    const auto interval = [&](uint64_t seed, double level) {
        return bootstrap_interval(set.samples, set.groups, roc_auc, {.resamples = 300, .level = level, .seed = seed});
    };
    CHECK(interval(1, 0.95).str(12) == interval(1, 0.95).str(12));
    CHECK(interval(1, 0.95).str(12) != interval(2, 0.95).str(12));
    CHECK(interval(1, 0.5).low.value() > interval(1, 0.95).low.value());
    CHECK(interval(1, 0.5).high.value() < interval(1, 0.95).high.value());
}

TEST_CASE("One group that holds other classes than the rest leaves the interval defined") {
    // As on NUAA's test set: some subjects have attacks alone, others both, and one bona fide pictures alone.
    Set set = videos(20, 2, 9);
    for (size_t i = 0; i < set.samples.size(); ++i)
        if (set.groups[i] != "0") set.samples.labels[i] = i % 2 == 0 ? bonafide_class : attack_class;
    const Interval interval = bootstrap_interval(set.samples, set.groups, roc_auc, {.resamples = 200});
    REQUIRE(interval.low.defined());
    CHECK(interval.low.value() < interval.high.value());
    // A class in one group alone has no interval.
    for (size_t i = 0; i < set.samples.size(); ++i)
        set.samples.labels[i] = set.groups[i] == "0" ? attack_class : bonafide_class;
    CHECK_THAT(bootstrap_interval(set.samples, set.groups, roc_auc, {.resamples = 200}).str(),
               Catch::Contains("one group holds a class alone"));
}

TEST_CASE("No resample loses a class, however few groups hold it") {
    Set set = videos(20, 2, 9);
    for (size_t i = 0; i < set.samples.size(); ++i)
        if (set.groups[i] != "1" && set.groups[i] != "3") set.samples.labels[i] = bonafide_class;
    const Interval interval = bootstrap_interval(set.samples, set.groups, roc_auc, {.resamples = 200});
    CHECK(interval.undefined == 0);
    CHECK(interval.low.defined());
}

TEST_CASE("What no interval can be given for is undefined with the reason, and odd requests are errors") {
    const Set set = videos(4, 2, 1);
    const std::vector<std::string> one(set.samples.size(), "all");
    CHECK(bootstrap_interval(set.samples, one, roc_auc).str() == "undefined (less than two groups)");
    Set lonely = videos(6, 2, 1);
    for (size_t i = 0; i < lonely.samples.size(); ++i)
        if (lonely.groups[i] != "1") lonely.samples.labels[i] = bonafide_class;
    CHECK(bootstrap_interval(lonely.samples, lonely.groups, roc_auc).low.reason() == "one group holds a class alone");
    const auto never = [](const ScoredSamples&) { return Measure::undefined("never"); };
    CHECK(bootstrap_interval(set.samples, set.groups, never, {.resamples = 10}).low.reason() ==
          "the measure has no value on most resamples");
    CHECK_THROWS_WITH(bootstrap_interval(set.samples, {}, roc_auc),
                      Catch::Contains("expected a group for each of 8 samples, got 0"));
    CHECK_THROWS_WITH(bootstrap_interval(set.samples, set.groups, roc_auc, {.resamples = 1}),
                      Catch::Contains("resamples, got 1"));
    CHECK_THROWS_WITH(bootstrap_interval(set.samples, set.groups, roc_auc, {.level = 1}), Catch::Contains("level"));
}

TEST_CASE("Scores by video or subject are means; a subject's attacks stay apart from its own face") {
    const ScoredSamples frames{.scores = {0.9, 0.7, 0.2, 0.4, 0.1, 0.6},
                               .labels = {0, 0, 1, 1, 1, 0},
                               .attack_types = {"", "", "print", "print", "replay", ""}};
    const std::vector<std::string> subjects{"a", "a", "a", "a", "a", "b"};
    const UnitScores by = mean_by_unit(frames, subjects);
    CHECK(by.units == std::vector<std::string>{"a", "a", "a", "b"});
    CHECK(by.samples.labels == std::vector<int32_t>{0, 1, 1, 0});
    CHECK(by.samples.attack_types == std::vector<std::string>{"", "print", "replay", ""});
    const std::vector<double> expected{0.8, 0.3, 0.1, 0.6};
    for (size_t i = 0; i < expected.size(); ++i) CHECK(by.samples.scores[i] == Approx(expected[i]));
    CHECK_THROWS_WITH(mean_by_unit(frames, std::vector<std::string>{"a"}), Catch::Contains("for each of 6 samples"));
}
