#include "src/plan/band_walk.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "liven/core/philox.hpp"

using namespace liven;
using namespace liven::detail;
using Stage = kernels::Step::Stage;

namespace {

/// Where each unit of each stage stands.
std::map<std::pair<uint32_t, uint32_t>, size_t> places_of(const std::vector<WalkItem>& order) {
    std::map<std::pair<uint32_t, uint32_t>, size_t> places;
    for (size_t i = 0; i < order.size(); ++i) places[{order[i].stage, order[i].unit}] = i;
    return places;
}

void check_order(const std::vector<Stage>& stages, const std::vector<WalkLink>& links, int64_t samples) {
    std::vector<const Stage*> pointers;
    size_t units = 0;
    for (const Stage& stage : stages) {
        pointers.push_back(&stage);
        units += static_cast<size_t>(stage.units);
    }
    const std::vector<WalkItem> order = order_walk(pointers, links, samples);
    const auto places = places_of(order);
    REQUIRE(order.size() == units);
    REQUIRE(places.size() == units);
    for (const WalkLink& link : links) {
        const auto mine = static_cast<uint32_t>(stages[link.stage].units / samples),
                   others = static_cast<uint32_t>(stages[link.before].units / samples);
        for (uint32_t unit = 0; unit < static_cast<uint32_t>(stages[link.stage].units); ++unit)
            for (uint32_t before = 0; before < link.units[unit % mine]; ++before)
                CHECK(places.at({link.before, unit / mine * others + before}) < places.at({link.stage, unit}));
    }
}

}  // namespace

TEST_CASE("A reader waits for the rows it reads, or for the whole sample") {
    const Stage maker{.units = 32, .samples = 2, .completes_maps = true, .in_row_order = true};
    const Stage three_rows{.units = 32, .samples = 2, .reach = 1.0 / 64};  // one row of 64 more than its own
    const WalkLink bands = link_stages(1, three_rows, 0, maker, true);
    CHECK(bands.is_in_bands());
    CHECK(bands.units.front() == 2);
    CHECK(bands.units[13] == 15);
    CHECK(bands.units.back() == 16);
    CHECK(link_stages(1, {.units = 32, .samples = 2, .reach = 0}, 0, maker, true).units.front() == 1);
    CHECK(link_stages(1, {.units = 8, .samples = 2, .reach = 0}, 0, maker, true).units.front() == 4);
    CHECK(link_stages(1, three_rows, 0, maker, false).units.front() == 16);
    CHECK(link_stages(1, {.units = 32, .samples = 2}, 0, maker, true).units.front() == 16);
    CHECK(link_stages(1, three_rows, 0, {.units = 32, .samples = 2}, true).units.front() == 16);
}

TEST_CASE("Every unit stands once, behind those it waits for") {
    Random random(3);
    for (int round = 0; round < 40; ++round) {
        const auto samples = static_cast<int64_t>(2 + random.below(4));
        std::vector<Stage> stages;
        std::vector<WalkLink> links;
        for (uint32_t stage = 0; stage < 2 + random.below(5); ++stage) {
            stages.push_back({.units = samples * static_cast<int64_t>(1 + random.below(20)),
                              .samples = samples,
                              .in_row_order = random.below(3) > 0,
                              .reach = static_cast<double>(random.below(6)) / 20});
            for (uint32_t before = 0; before < stage; ++before)
                if (random.below(2) == 0)
                    links.push_back(link_stages(stage, stages[stage], before, stages[before], random.below(4) > 0));
        }
        check_order(stages, links, samples);
    }
}

TEST_CASE("Bands roll: a map is read while it is being written, one sample after the other") {
    const std::vector<Stage> stages{
        {.units = 128, .samples = 2, .completes_maps = true, .in_row_order = true, .reach = 0},
        {.units = 128, .samples = 2, .completes_maps = true, .in_row_order = true, .reach = 1.0 / 64}};
    const std::vector<WalkLink> links{link_stages(1, stages[1], 0, stages[0], true)};
    const auto places = places_of(order_walk({&stages[0], &stages[1]}, links, 2));
    for (uint32_t unit = 0; unit < 40; ++unit) {
        CHECK(places.at({1, unit}) < places.at({0, 63}));
        CHECK(places.at({1, unit}) < places.at({0, unit + 12}));
    }
    CHECK(places.at({1, 63}) < places.at({0, 80}));
}
