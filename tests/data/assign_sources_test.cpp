#include "liven/data/assign_sources.hpp"

#include <catch2/catch.hpp>

#include "liven/core/error.hpp"

using namespace liven;
using namespace liven::data;

namespace {

Dataset source_with(int64_t train, int64_t val, int64_t test) {
    Dataset set;
    for (const auto& [split, count] : {std::pair{Split::train, train}, {Split::val, val}, {Split::test, test}})
        for (int64_t i = 0; i < count; ++i) {
            Sample s;
            s.path = std::string(name_of(split)) + std::to_string(i) + ".png";
            s.split = split;
            s.dataset = "as it calls itself";
            set.samples.push_back(s);
        }
    return set;
}

}  // namespace

TEST_CASE("Sources become splits whole or by the parts they have, under their own names") {
    const std::map<std::string, Dataset> sources{{"a", source_with(3, 0, 5)}, {"b", source_with(4, 2, 1)}};
    const Dataset set = assign_sources(sources, {.train = {"a/train", "b"}, .val = {"a/testing"}});
    CHECK(set.count(Split::train) == 10);
    CHECK(set.count(Split::val) == 5);
    CHECK(set.samples[0].dataset == "a");
    CHECK(set.samples[9].dataset == "b");
    CHECK(set.warnings.empty());
    const Dataset part = assign_sources(sources, {.train = {"b/train"}, .test = {"b/test"}});
    CHECK(part.size() == 5);
    REQUIRE(part.warnings.size() == 2);
    CHECK(part.warnings[0].find("8 of 8 samples of a") != std::string::npos);
}

TEST_CASE("An assignment that cannot be says which entry is wrong") {
    const std::map<std::string, Dataset> sources{{"a", source_with(3, 0, 5)}};
    for (const SourceAssignment& wrong :
         {SourceAssignment{}, SourceAssignment{.train = {"c"}}, SourceAssignment{.train = {"a/val"}},
          SourceAssignment{.train = {"a/often"}}, SourceAssignment{.train = {"a"}, .test = {"a/test"}},
          SourceAssignment{.train = {"a/train", "a/train"}}})
        CHECK_THROWS_AS(assign_sources(sources, wrong), Error);
}
