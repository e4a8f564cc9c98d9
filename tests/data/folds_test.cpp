#include "liven/data/folds.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "liven/core/error.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;

namespace {

/// Ten people, each real, printed and masked; the mask of each shows the next person's neighbour two on.
Dataset ten_people(bool with_targets = false) {
    Dataset set;
    for (int person = 0; person < 10; ++person)
        for (const char* type : {"", "print", "mask"})
            for (int frame = 0; frame < 4; ++frame) {
                Sample s;
                s.path = std::to_string(person) + type + std::to_string(frame) + ".png";
                s.label = *type ? Label::attack : Label::bonafide;
                s.attack_type = type;
                s.subject = std::to_string(person);
                if (with_targets && s.attack_type == "mask") s.target = std::to_string((person + 2) % 4);
                set.samples.push_back(s);
            }
    return set;
}

}  // namespace

TEST_CASE("Folds hold every sample once, each person in one, classes and attacks in all") {
    const Dataset set = ten_people();
    const std::vector<int64_t> folds = draw_folds(set, 5);
    CHECK(folds == draw_folds(set, 5));
    CHECK(folds != draw_folds(set, 5, {.seed = 7}));
    std::map<std::string, std::set<int64_t>> of_person;
    std::map<int64_t, std::map<std::string, int>> types;
    for (size_t i = 0; i < folds.size(); ++i) {
        of_person[set.samples[i].subject].insert(folds[i]);
        ++types[folds[i]][set.samples[i].attack_type];
    }
    for (const auto& [person, held] : of_person) CHECK(held.size() == 1);
    CHECK(types.size() == 5);
    // Two of ten people a fold.
    for (const auto& [fold, counts] : types)
        for (const auto& [type, count] : counts) CHECK(count == 8);
    CHECK_THROWS_AS(draw_folds(set, 1), Error);
    CHECK_THROWS_WITH(draw_folds(set, 11), Contains("10 subjects"));
    CHECK(draw_folds(set, 10).size() == 120);
}

TEST_CASE("A seed draws the folds it drew in earlier versions") {
    const std::vector<int64_t> folds = draw_folds(ten_people(), 5);
    std::string drawn;
    for (size_t i = 0; i < folds.size(); i += 12) drawn += std::to_string(folds[i]);
    CHECK(drawn == "2123441030");
}

TEST_CASE("A fold for testing leaves the others for training and validation, without a leak") {
    Dataset set = ten_people();
    const std::vector<int64_t> folds = draw_folds(set, 5);
    for (int64_t fold = 0; fold < 5; ++fold) {
        const SplitRecord record = test_on_fold(set, folds, fold);
        CHECK(record.test == 24);
        CHECK(record.val > 0);
        CHECK(record.train + record.val == 96);
        CHECK(find_leaks(set).empty());
    }
    CHECK_THROWS_AS(test_on_fold(set, folds, 5), Error);
    CHECK_THROWS_AS(test_on_fold(set, std::vector<int64_t>(3, 0), 0), Error);
}

TEST_CASE("Folds of pictures that nothing groups say so") {
    Dataset set = ten_people();
    const auto warned = [](Dataset divided) {
        const SplitRecord record = test_on_fold(divided, draw_folds(divided, 2), 0);
        return std::count_if(record.warnings.begin(), record.warnings.end(), [](const std::string& warning) {
            return warning.find("divided one by one") != std::string::npos;
        });
    };
    CHECK(warned(set) == 0);
    for (Sample& s : set.samples) s.subject = s.video = "";
    CHECK(warned(set) == 1);
}

TEST_CASE("Whom a mask shows is on the same side as who wears it") {
    Dataset set = ten_people(true);
    const std::vector<int64_t> folds = draw_folds(set, 2);
    test_on_fold(set, folds, 0);
    CHECK(find_leaks(set).empty());
    std::map<std::string, std::set<Split>> sides;
    for (const Sample& s : set.samples) {
        sides[s.subject].insert(s.split == Split::test ? Split::test : Split::train);
        if (!s.target.empty()) sides[s.target].insert(s.split == Split::test ? Split::test : Split::train);
    }
    for (const auto& [person, held] : sides) CHECK(held.size() == 1);
}

TEST_CASE("An attack that is left out is tested and not trained on, and the others the other way") {
    Dataset set = ten_people();
    assign_splits(set);
    CHECK(attack_types(set) == std::vector<std::string>{"mask", "print"});
    const Dataset left = leave_attack_out(set, "mask");
    for (const Sample& s : left.samples)
        if (s.label == Label::attack) CHECK((s.attack_type == "mask") == (s.split == Split::test));
    CHECK(left.count(Label::bonafide) == set.count(Label::bonafide));
    CHECK(find_leaks(left).empty());
    CHECK_THROWS_WITH(leave_attack_out(set, "replay"), Contains("\"print\""));
    for (Sample& s : set.samples) s.split = Split::train;
    CHECK_THROWS_WITH(leave_attack_out(set, "mask"), Contains("tested"));
}
