#include "liven/data/split.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "liven/core/error.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;

namespace {

Sample sample(int subject, int video, Label label, const std::string& type = "") {
    Sample s;
    s.path = "p";
    s.label = label;
    if (subject >= 0) s.subject = "s" + std::to_string(subject);
    if (video >= 0) s.video = "v" + std::to_string(video);
    s.attack_type = type;
    return s;
}

/// `subjects` people with 4 bona fide and 6 attack pictures each.
Dataset people(int subjects) {
    Dataset d;
    for (int i = 0; i < subjects; ++i)
        for (int k = 0; k < 10; ++k)
            d.samples.push_back(sample(i, -1, k < 4 ? Label::bonafide : Label::attack,
                                       k < 4   ? ""
                                       : k < 7 ? "print"
                                               : "mask"));
    return d;
}

std::map<std::string, std::set<Split>> splits_of(const Dataset& d) {
    std::map<std::string, std::set<Split>> out;
    for (const Sample& s : d.samples) out[s.subject].insert(s.split);
    return out;
}

}  // namespace

TEST_CASE("Subjects stay whole, and the shares are 68, 12 and 20 percent") {
    Dataset d = people(100);
    const SplitRecord r = assign_splits(d);
    for (const auto& [subject, splits] : splits_of(d)) CHECK(splits.size() == 1);
    CHECK(r.group_by == GroupBy::subject);
    CHECK(r.groups == 100);
    CHECK(r.test == 200);
    CHECK(r.val == 120);  // 15 % of 800
    CHECK(r.train == 680);
    CHECK_FALSE(r.given);
    CHECK(r.leaks.empty());
    CHECK(r.warnings.empty());
}

TEST_CASE("The seed decides, and nothing else") {
    Dataset a = people(40), b = people(40), c = people(40);
    assign_splits(a, {.seed = 7});
    assign_splits(b, {.seed = 7});
    assign_splits(c, {.seed = 8});
    CHECK(splits_of(a) == splits_of(b));
    CHECK(splits_of(a) != splits_of(c));
}

TEST_CASE("Groups stay for training however uneven they are") {
    for (const double validation : {0.15, 0.0})
        for (uint64_t seed = 0; seed < 20; ++seed) {
            Dataset d;
            for (int subject = 0; subject < 3; ++subject)
                for (int k = 0; k < (subject < 2 ? 1 : 100); ++k)
                    d.samples.push_back(sample(subject, -1, Label::attack));
            const SplitRecord r = assign_splits(d, {.validation = validation, .seed = seed});
            CHECK(r.train > 0);
            CHECK(r.test > 0);
            CHECK((r.val > 0) == (validation > 0));
        }
}

TEST_CASE("A seed divides as it did in earlier versions") {
    Dataset d = people(10);
    assign_splits(d);
    std::string drawn;
    for (size_t i = 0; i < d.samples.size(); i += 10) drawn += name_of(d.samples[i].split)[1];
    CHECK(drawn == "rrerrrerar");
}

TEST_CASE("Classes and attack types are spread as far as whole groups allow") {
    // Groups of very different make: some people only bona fide, some only attacked, sizes 1 to 13.
    Dataset d;
    for (int i = 0; i < 60; ++i)
        for (int k = 0; k < 1 + i * 7 % 13; ++k)
            d.samples.push_back(sample(i, -1, i % 3 ? Label::attack : Label::bonafide,
                                       i % 3 == 1 ? "print"
                                       : i % 3    ? "mask"
                                                  : ""));
    assign_splits(d);
    const auto share = [&](auto keep) {
        double all = 0, test = 0;
        for (const Sample& s : d.samples)
            if (keep(s)) {
                all += 1;
                test += s.split == Split::test;
            }
        return test / all;
    };
    // Twenty groups a stratum with up to 13 of about 130 samples: whole groups reach the share to a few percent.
    CHECK(share([](const Sample& s) { return s.label == Label::bonafide; }) == Approx(0.2).margin(0.04));
    CHECK(share([](const Sample& s) { return s.attack_type == "print"; }) == Approx(0.2).margin(0.04));
    CHECK(share([](const Sample& s) { return s.attack_type == "mask"; }) == Approx(0.2).margin(0.04));
}

TEST_CASE("Every subject is tested on under some seed, the largest too") {
    std::set<std::string> tested;
    for (uint64_t seed = 0; seed < 40; ++seed) {
        Dataset d;
        for (int i = 0; i < 10; ++i)
            for (int k = 0; k < 5 + i; ++k) d.samples.push_back(sample(i, -1, k % 2 ? Label::attack : Label::bonafide));
        assign_splits(d, {.seed = seed});
        for (const Sample& s : d.samples)
            if (s.split == Split::test) tested.insert(s.subject);
    }
    CHECK(tested.size() == 10);
}

TEST_CASE("Without subjects videos stay whole, without videos pictures are divided with a warning") {
    Dataset videos;
    for (int v = 0; v < 30; ++v)
        for (int k = 0; k < 5; ++k) videos.samples.push_back(sample(-1, v, v % 2 ? Label::attack : Label::bonafide));
    CHECK(assign_splits(videos).group_by == GroupBy::video);
    std::map<std::string, std::set<Split>> seen;
    for (const Sample& s : videos.samples) seen[s.video].insert(s.split);
    for (const auto& [video, splits] : seen) CHECK(splits.size() == 1);

    Dataset images;
    for (int k = 0; k < 200; ++k) images.samples.push_back(sample(-1, -1, k % 4 ? Label::attack : Label::bonafide));
    const SplitRecord r = assign_splits(images);
    CHECK(r.group_by == GroupBy::image);
    REQUIRE(r.warnings.size() == 1);
    CHECK_THAT(r.warnings[0], Contains("200 of 200"));
    CHECK(r.test == 40);
    CHECK(images.only(Split::test).count(Label::bonafide) == 10);
}

TEST_CASE("A mask's target stays with the person it imitates") {
    Dataset d;
    for (int i = 0; i < 12; ++i)
        for (int k = 0; k < 4; ++k) {
            d.samples.push_back(sample(i, -1, Label::bonafide));
            Sample s = sample(i, -1, Label::attack, "mask");
            s.target = "s" + std::to_string(i ^ 1);
            d.samples.push_back(s);
        }
    CHECK(assign_splits(d).groups == 6);
    CHECK(find_leaks(d).empty());
}

TEST_CASE("The same name in two data sets is two people") {
    Dataset d;
    for (int i = 0; i < 10; ++i) {
        Sample s = sample(0, -1, i % 2 ? Label::attack : Label::bonafide);
        s.dataset = i < 5 ? "one" : "two";
        s.split = i < 5 ? Split::train : Split::test;
        d.samples.push_back(s);
    }
    CHECK(find_leaks(d).empty());
}

TEST_CASE("A given split that leaks is refused with the names of the groups") {
    Dataset d = people(6);
    for (size_t i = 0; i < d.samples.size(); ++i)
        d.samples[i].split = i < 35 ? Split::train : Split::test;  // s3 is cut in two
    CHECK_THROWS_WITH(assign_splits(d),
                      Contains("subject s3 (train 5, test 5)") && Contains("allow the leak with a reason"));
    CHECK_THROWS_AS(assign_splits(d, {.allow_leak = " \n"}), Error);
    const SplitRecord r = assign_splits(d, {.allow_leak = "the official protocol"});
    CHECK(r.given);
    CHECK(r.leak_reason == "the official protocol");
    REQUIRE(r.leaks.size() == 1);
    CHECK(r.leaks[0].test == 5);
}

TEST_CASE("Videos leak too when nobody is named") {
    Dataset d;
    for (int i = 0; i < 4; ++i) {
        d.samples.push_back(sample(-1, i / 2, Label::attack));
        d.samples.back().split = i % 2 ? Split::test : Split::train;
    }
    CHECK_THROWS_WITH(assign_splits(d), Contains("video v0") && Contains("video v1"));
}

TEST_CASE("Asking for a division by picture where people are known is a leak to be owned") {
    Dataset d = people(20);
    CHECK_THROWS_AS(assign_splits(d, {.group_by = GroupBy::image}), Error);
    for (Sample& s : d.samples) s.split = Split::none;
    const SplitRecord r = assign_splits(d, {.group_by = GroupBy::image, .allow_leak = "to measure the leak"});
    CHECK_FALSE(r.leaks.empty());
}

TEST_CASE("A given split without validation has it cut from train, by group") {
    Dataset d = people(20);
    for (size_t i = 0; i < d.samples.size(); ++i) d.samples[i].split = i < 160 ? Split::train : Split::test;
    const SplitRecord r = assign_splits(d);
    CHECK(r.given);
    CHECK(r.test == 40);
    CHECK(r.val == Approx(24).margin(10));  // 15 % of 160, a subject has 10
    CHECK(find_leaks(d).empty());
    CHECK(r.warnings.size() == 1);
}

TEST_CASE("Too few groups, half a split column and shares that cannot be are refused") {
    Dataset two = people(2);
    CHECK_THROWS_WITH(assign_splits(two), Contains("at least 3") && Contains("2"));
    Dataset half = people(5);
    half.samples[0].split = Split::test;
    CHECK_THROWS_WITH(assign_splits(half), Contains("49 of 50"));
    Dataset none;
    CHECK_THROWS_AS(assign_splits(none), Error);
    Dataset five = people(5);
    CHECK_THROWS_AS(assign_splits(five, {.test = 1}), Error);
    CHECK_THROWS_AS(assign_splits(five, {.validation = -0.1}), Error);
    CHECK_NOTHROW(assign_splits(two, {.validation = 0}));
    CHECK(two.count(Split::test) == 10);
}

TEST_CASE("A split record survives its JSON") {
    Dataset d = people(6);
    for (size_t i = 0; i < d.samples.size(); ++i) d.samples[i].split = i < 35 ? Split::train : Split::test;
    const SplitRecord r = assign_splits(d, {.allow_leak = "why \"not\""});
    const SplitRecord again = SplitRecord::from_json(r.to_json());
    CHECK(again.to_json() == r.to_json());
    CHECK(again.leaks[0].group == "subject s3");
    CHECK_THROWS_AS(SplitRecord::from_json("{}"), Error);
}
