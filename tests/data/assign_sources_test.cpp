#include "liven/data/assign_sources.hpp"

#include <catch2/catch.hpp>

#include "liven/core/error.hpp"
#include "liven/data/split.hpp"

using namespace liven;
using namespace liven::data;
using Catch::Contains;

namespace {

Dataset source_with(const std::string& folder, int64_t train, int64_t val, int64_t test) {
    Dataset set;
    for (const auto& [split, count] : {std::pair{Split::train, train}, {Split::val, val}, {Split::test, test}})
        for (int64_t i = 0; i < count; ++i) {
            Sample s;
            s.path = folder + '/' + std::string(name_of(split)) + std::to_string(i) + ".png";
            s.split = split;
            set.samples.push_back(s);
        }
    return set;
}

}  // namespace

TEST_CASE("Sources become splits whole or by the parts they have, with the data set's name or else their own") {
    std::map<std::string, Dataset> sources{{"a", source_with("a", 3, 0, 5)}, {"b", source_with("b", 4, 2, 1)}};
    sources.at("b").samples[0].dataset = "as it calls itself";
    const Dataset set = assign_sources(sources, {.train = {"a/train", "b"}, .val = {"a/testing"}});
    CHECK(set.count(Split::train) == 10);
    CHECK(set.count(Split::val) == 5);
    CHECK(set.samples[0].dataset == "a");
    CHECK(set.samples[3].dataset == "as it calls itself");
    CHECK(set.samples[9].dataset == "b");
    CHECK(set.warnings.empty());
    const Dataset part = assign_sources(sources, {.train = {"b/train"}, .test = {"b/test"}});
    CHECK(part.size() == 5);
    REQUIRE(part.warnings.size() == 2);
    CHECK(part.warnings[0].find("8 of 8 samples of a") != std::string::npos);
}

TEST_CASE("An assignment that cannot be says which entry is wrong") {
    const std::map<std::string, Dataset> sources{{"a", source_with("a", 3, 0, 5)}};
    for (const SourceAssignment& wrong :
         {SourceAssignment{}, SourceAssignment{.train = {"c"}}, SourceAssignment{.train = {"a/val"}},
          SourceAssignment{.train = {"a/often"}}, SourceAssignment{.train = {"a"}, .test = {"a/test"}},
          SourceAssignment{.train = {"a/train", "a/train"}}})
        CHECK_THROWS_AS(assign_sources(sources, wrong), Error);
}

TEST_CASE("A person of one data set who is in two sources is one person") {
    std::map<std::string, Dataset> sources{{"first", source_with("a", 1, 0, 0)}, {"second", source_with("b", 0, 0, 1)}};
    for (auto& [name, set] : sources) set.samples[0].subject = "anna";
    const SourceAssignment assignment{.train = {"first"}, .test = {"second"}};
    CHECK(find_leaks(assign_sources(sources, assignment)).empty());
    for (auto& [name, set] : sources) set.samples[0].dataset = "oulu-npu";
    CHECK(find_leaks(assign_sources(sources, assignment)).size() == 1);
}

TEST_CASE("A file in two sources is an error that names both, however its path is written") {
    std::map<std::string, Dataset> sources{{"first", source_with("a", 2, 0, 1)}, {"second", source_with("b", 2, 0, 1)}};
    sources.at("second").samples[1].path = "b/../a/train1.png";
    CHECK_THROWS_WITH(assign_sources(sources, {.train = {"first"}, .test = {"second"}}),
                      Contains("first") && Contains("second") && Contains("train1.png"));
    // What is left out is in nobody's way.
    CHECK(assign_sources(sources, {.train = {"first"}, .test = {"second/test"}}).size() == 4);
}
