#include "liven/data/synthesize.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <iterator>
#include <set>

#include "helpers.hpp"
#include "liven/core/error.hpp"
#include "liven/data/check.hpp"
#include "liven/data/manifest.hpp"
#include "liven/data/split.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;
namespace fs = std::filesystem;

namespace {

const SynthesisOptions small{
    .subjects = 4, .bonafide_videos = 1, .attack_videos = 3, .frames = 2, .size = 48, .threads = 1};

/// What a picture says before any structure is looked at.
struct Colours {
    std::array<double, 3> mean{};
    std::vector<double> grey;  ///< of 8 x 8 blocks
    int label = 0;
    bool test = false;
};

Colours colours_of(const Image& image, int label, bool test) {
    Colours c;
    c.label = label;
    c.test = test;
    constexpr int blocks = 8;
    c.grey.assign(blocks * blocks, 0);
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x) {
            const uint8_t* p = image.at(x, y);
            for (size_t k = 0; k < 3; ++k) c.mean[k] += p[k] / (255.0 * image.width * image.height);
            // One pixel of each block, its centre.
            const int w = image.width / blocks, h = image.height / blocks;
            if (x % w == w / 2 && y % h == h / 2 && x / w < blocks && y / h < blocks)
                c.grey[static_cast<size_t>(y / h * blocks + x / w)] = (p[0] + p[1] + p[2]) / 765.0;
        }
    return c;
}

/// Area under the ROC curve of `score` for label 1, ties counted half.
template <class Score>
double auc(const std::vector<Colours>& items, bool test, Score score) {
    double wins = 0, pairs = 0;
    for (const Colours& a : items)
        for (const Colours& b : items)
            if (a.test == test && b.test == test && a.label == 1 && b.label == 0) {
                const double difference = score(a) - score(b);
                wins += difference > 0 ? 1 : difference == 0 ? 0.5 : 0;
                pairs += 1;
            }
    return wins / pairs;
}

/// Logistic regression on the mean colour and its squares by gradient descent, inputs standardised.
std::array<double, 7> fit_logistic(const std::vector<Colours>& items);
std::array<double, 6> features(const Colours& c) {
    std::array<double, 6> f{};
    for (size_t k = 0; k < 3; ++k) {
        f[k] = (c.mean[k] - 0.5) * 6;
        f[k + 3] = f[k] * f[k];
    }
    return f;
}
double logit(const std::array<double, 7>& w, const Colours& c) {
    const auto f = features(c);
    double z = w[6];
    for (size_t k = 0; k < 6; ++k) z += w[k] * f[k];
    return z;
}
std::array<double, 7> fit_logistic(const std::vector<Colours>& items) {
    std::array<double, 7> w{};
    for (int step = 0; step < 2000; ++step) {
        std::array<double, 7> gradient{};
        double count = 0;
        for (const Colours& c : items) {
            if (c.test) continue;
            const double error = 1 / (1 + std::exp(-logit(w, c))) - c.label;
            const auto f = features(c);
            for (size_t k = 0; k < 6; ++k) gradient[k] += error * f[k];
            gradient[6] += error;
            count += 1;
        }
        for (size_t k = 0; k < 7; ++k) w[k] -= 0.3 * gradient[k] / count;
    }
    return w;
}

}  // namespace

TEST_CASE("A synthetic set has the subjects, videos, frames and types asked for, divided by subject") {
    TemporaryFolder folder;
    const Dataset d = synthesize(folder / "set", small);
    CHECK(d.size() == 4 * 4 * 2);
    CHECK(d.count(Label::bonafide) == 8);
    std::set<std::string> types;
    for (const Sample& s : d.samples) types.insert(s.attack_type);
    CHECK(types == std::set<std::string>{"", "mask", "print", "replay"});
    CHECK(find_leaks(d).empty());
    CHECK(d.count(Split::train) > 0);
    CHECK(d.count(Split::val) > 0);
    CHECK(d.count(Split::test) > 0);

    const Dataset read = open_dataset(folder / "set");
    REQUIRE(read.size() == d.size());
    CHECK(read.samples[5].video == d.samples[5].video);
    const CheckReport report = check(read);
    CHECK(report.clean());
    CHECK(report.duplicates.empty());
    CHECK(report.sizes.at("48x48") == 32);
}

TEST_CASE("The bytes of a set follow from its seed, whatever the threads") {
    TemporaryFolder folder;
    SynthesisOptions two = small, other = small;
    two.threads = 2;
    other.seed = 2;
    const Dataset a = synthesize(folder / "a", small), b = synthesize(folder / "b", two),
                  c = synthesize(folder / "c", other);
    int same = 0;
    for (size_t i = 0; i < a.samples.size(); ++i) {
        CHECK(contents_of(a.samples[i].path) == contents_of(b.samples[i].path));
        same += contents_of(a.samples[i].path) == contents_of(c.samples[i].path);
    }
    CHECK(same == 0);
    CHECK(contents_of(folder / "a/manifest.csv") == contents_of(folder / "b/manifest.csv"));
}

TEST_CASE("More subjects or frames leave the first ones as they were") {
    SynthesisOptions more = small;
    more.subjects = 9;
    more.frames = 7;
    CHECK(synthesize_frame(small, 2, 1, 1) == synthesize_frame(more, 2, 1, 1));
}

TEST_CASE("A set that is there already is left alone, another one is not overwritten unasked") {
    TemporaryFolder folder;
    const Dataset d = synthesize(folder / "set", small);
    const auto written = fs::last_write_time(d.samples[0].path);
    CHECK(synthesize(folder / "set", small).size() == d.size());
    CHECK(fs::last_write_time(d.samples[0].path) == written);
    SynthesisOptions other = small;
    other.seed = 5;
    CHECK_THROWS_WITH(synthesize(folder / "set", other), Contains("not empty"));
    other.overwrite = true;
    CHECK(synthesize(folder / "set", other).size() == d.size());
    // Interrupted: the pictures are there, the manifest is not.
    fs::remove(folder / "set/manifest.csv");
    fs::remove(d.samples[3].path);
    CHECK(synthesize(folder / "set", other).size() == d.size());
    CHECK(fs::exists(d.samples[3].path));
    write_bytes(folder / "holiday/beach.txt", "sun");
    CHECK_THROWS_AS(synthesize(folder / "holiday", small), Error);
    CHECK(fs::exists(folder / "holiday/beach.txt"));
    CHECK_THROWS_AS(synthesize(folder / "holiday/beach.txt", small), Error);
}

TEST_CASE("Options that cannot be are refused by name") {
    TemporaryFolder folder;
    const auto with = [](auto change) {
        SynthesisOptions o = small;
        change(o);
        return o;
    };
    CHECK_THROWS_WITH(synthesize(folder / "x", with([](auto& o) { o.subjects = 0; })), Contains("subjects"));
    CHECK_THROWS_WITH(synthesize(folder / "x", with([](auto& o) { o.size = 5000; })), Contains("size"));
    CHECK_THROWS_WITH(synthesize(folder / "x", with([](auto& o) { o.frames = 0; })), Contains("frames"));
    CHECK_THROWS_WITH(synthesize(folder / "x", with([](auto& o) { o.bonafide_videos = o.attack_videos = 0; })),
                      Contains("videos"));
    CHECK_THROWS_AS(synthesize_frame(small, 4, 0, 0), Error);
    CHECK_THROWS_AS(synthesize("/proc/nowhere", small), Error);
    CHECK_THROWS_WITH(difficulty_from("impossible"), Contains("medium"));
    CHECK_FALSE(fs::exists(folder / "x"));
}

TEST_CASE("Any size gives a picture, PNG and JPEG alike") {
    TemporaryFolder folder;
    for (int size : {32, 61, 100}) {
        SynthesisOptions o = small;
        o.size = size;
        for (int video = 0; video < 4; ++video) CHECK(synthesize_frame(o, 1, video, 0).width == size);
    }
    SynthesisOptions o = small;
    o.png = true;
    o.subjects = 3;
    o.frames = 1;
    const Dataset d = synthesize(folder / "png", o);
    CHECK(decode(d.samples[1].path) == synthesize_frame(o, 0, 1, 0));
}

TEST_CASE("Mean colour and single pixels do not tell attacks from faces") {
    // Subjects that were never fitted, 150 pictures of 25 of them, so an AUC of 0.5 has a deviation of about 0.05.
    for (uint64_t seed = 1; seed <= 3; ++seed) {
        const SynthesisOptions o{
            .subjects = 60, .bonafide_videos = 3, .attack_videos = 3, .frames = 1, .size = 32, .seed = seed};
        std::vector<Colours> items;
        for (int subject = 0; subject < o.subjects; ++subject)
            for (int video = 0; video < 6; ++video)
                items.push_back(colours_of(synthesize_frame(o, subject, video, 0), video >= 3, subject >= 35));
        const auto w = fit_logistic(items);
        const double mean_colour = auc(items, true, [&](const Colours& c) { return logit(w, c); });
        CAPTURE(seed, mean_colour);
        CHECK(mean_colour < 0.75);

        // The pixel, of 64, that tells most on the fitted subjects, in the better direction.
        size_t best = 0;
        double best_auc = 0, sign = 1;
        for (size_t k = 0; k < 64; ++k) {
            const double a = auc(items, false, [&](const Colours& c) { return c.grey[k]; });
            if (std::max(a, 1 - a) > best_auc) {
                best = k;
                best_auc = std::max(a, 1 - a);
                sign = a > 0.5 ? 1 : -1;
            }
        }
        const double one_pixel = auc(items, true, [&](const Colours& c) { return sign * c.grey[best]; });
        CAPTURE(one_pixel);
        CHECK(one_pixel < 0.75);
    }
}
