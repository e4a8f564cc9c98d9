#include "liven/data/select.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "liven/core/error.hpp"

using namespace liven;
using namespace liven::data;

namespace {

Dataset classes(int64_t bonafide, int64_t attack, Split split = Split::none) {
    Dataset set;
    for (int64_t i = 0; i < bonafide + attack; ++i) {
        Sample s;
        s.label = i < bonafide ? Label::bonafide : Label::attack;
        s.quality = static_cast<double>((i * 7) % 11) / 11;
        s.split = split;
        set.samples.push_back(s);
    }
    return set;
}

Dataset chosen(const Dataset& set, const Selection& selection) {
    Dataset out;
    for (const size_t i : selection.kept) out.samples.push_back(set.samples[i]);
    return out;
}

}  // namespace

TEST_CASE("Balanced classes lie between 48 and 52 %, with as many samples as that allows") {
    for (const auto& [bonafide, attack] :
         {std::pair<int64_t, int64_t>{48, 60}, {60, 48}, {100, 101}, {1, 50}, {12, 13}, {500, 2000}}) {
        const Dataset set = classes(bonafide, attack), kept = chosen(set, balance(set));
        const auto live = static_cast<double>(kept.count(Label::bonafide)), all = static_cast<double>(kept.size());
        INFO(bonafide << " and " << attack << " become " << live << " of " << all);
        CHECK(live / all >= 0.48 - 1e-12);
        CHECK(live / all <= 0.52 + 1e-12);
        const double smaller = static_cast<double>(std::min(bonafide, attack));
        CHECK(all == smaller + std::min(static_cast<double>(std::max(bonafide, attack)),
                                        std::floor(smaller * 0.52 / 0.48 + 1e-9)));
    }
}

TEST_CASE("The best of the larger class stay, the earlier of equals") {
    Dataset set = classes(2, 5);
    const std::vector<double> quality{0.1, 0.1, 0.5, 0.9, 0.5, 0.2, 0.5};
    for (size_t i = 0; i < quality.size(); ++i) set.samples[i].quality = quality[i];
    CHECK(balance(set).kept == std::vector<size_t>{0, 1, 2, 3});
    set.samples[3].quality.reset();
    CHECK(balance(set).kept == std::vector<size_t>{0, 1, 2, 4});
}

TEST_CASE("Each split is balanced by itself, and one class alone is left as it is") {
    Dataset set = classes(10, 30, Split::train);
    for (const Sample& s : classes(0, 9, Split::test).samples) set.samples.push_back(s);
    const Selection selection = balance(set);
    CHECK(selection.kept.size() == 20 + 9);
    REQUIRE(selection.warnings.size() == 1);
    CHECK(selection.warnings[0].find("test") != std::string::npos);
    CHECK(balance(Dataset{}).kept.empty());
    CHECK_THROWS_AS(balance(set, 0.4), Error);
}

TEST_CASE("Equal sources: none above the median but by less than a group, groups whole, classes in their shares") {
    Dataset set;
    const auto add = [&](const std::string& source, int people, int each) {
        for (int p = 0; p < people; ++p)
            for (int i = 0; i < each; ++i) {
                Sample s;
                s.dataset = source;
                s.subject = "person " + std::to_string(p);
                s.label = i % 4 == 0 ? Label::bonafide : Label::attack;
                set.samples.push_back(s);
            }
    };
    add("small", 5, 4);
    add("middle", 10, 4);
    add("large", 50, 4);
    const Selection selection = equal_sources(set);
    const Dataset kept = chosen(set, selection);
    std::map<std::string, int> sizes;
    std::map<std::string, std::map<std::string, int>> groups;
    for (const Sample& s : kept.samples) ++sizes[s.dataset], ++groups[s.dataset][s.subject];
    CHECK(sizes["small"] == 20);
    CHECK(sizes["middle"] == 40);
    CHECK(std::abs(sizes["large"] - 40) <= 4);
    for (const auto& [person, count] : groups["large"]) CHECK(count == 4);
    CHECK(kept.count(Label::bonafide) * 4 == kept.size());
    CHECK(equal_sources(set).kept == selection.kept);
    CHECK(equal_sources(set, 7).kept != selection.kept);
}

TEST_CASE("A source that is one group stays whole, with a warning") {
    Dataset set = classes(4, 4);
    for (size_t i = 0; i < 8; ++i) {
        set.samples[i].dataset = i < 6 ? "one" : "two";
        set.samples[i].subject = "anna";
    }
    const Selection selection = equal_sources(set);
    CHECK(selection.kept.size() == 8);
    CHECK(selection.warnings.size() == 1);
}
