#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "tests/graph/uniform.hpp"
#include "tests/markup.hpp"
#include "tests/occurrences.hpp"

// What a plan says of its arena.

using namespace liven;
using liven::testing::is_well_formed;
using liven::testing::uniform;

namespace {

/// Forward and gradients of two convolutions, one in a module whose name XML must escape.
MemoryMap map_of_step() {
    const State first("first", uniform({3, 3, 3, 16}, 1)), second("second", uniform({3, 3, 16, 16}, 2));
    const Tensor x = uniform({2, 20, 28, 3}, 3);
    Tensor y;
    {
        const Scope scope("a<b>&\"c\"");
        y = max_pool(leaky_relu(conv2d(x, first.tensor(), {.padding = symmetric(1)}), 0.2f), {.size = 2});
    }
    const Tensor loss = sum(square(conv2d(y, second.tensor(), {.padding = symmetric(1)})));
    const std::vector<State> states{first, second};
    const Gradients all = gradients(loss, states);
    const Value roots[] = {loss.value(), all.value(0), all.value(1)};
    return make_plan(Engine::current().graph_of(roots), Engine::current().options())->memory_map();
}

}  // namespace

TEST_CASE("The memory map adds up: live sets, lower bound, arena, and no two blocks in one place at one time") {
    const MemoryMap map = map_of_step();
    REQUIRE(map.blocks.size() > 4);
    int64_t top = 0;
    std::vector<int64_t> live(map.live.size(), 0);
    for (size_t i = 0; i < map.blocks.size(); ++i) {
        const MemoryMap::Block& a = map.blocks[i];
        REQUIRE(a.bytes > 0);
        REQUIRE(a.first >= 0);
        REQUIRE(a.first <= a.last);
        REQUIRE(a.last < static_cast<int64_t>(map.live.size()));
        top = std::max(top, a.offset + a.bytes);
        for (int64_t segment = a.first; segment <= a.last; ++segment) live[static_cast<size_t>(segment)] += a.bytes;
        for (size_t j = 0; j < i; ++j) {
            const MemoryMap::Block& b = map.blocks[j];
            const bool apart = a.last < b.first || b.last < a.first || a.offset + a.bytes <= b.offset ||
                               b.offset + b.bytes <= a.offset;
            CHECK(apart);
        }
    }
    CHECK(live == map.live);
    CHECK(top == map.arena_bytes);
    CHECK(map.lower_bound == *std::max_element(live.begin(), live.end()));
    CHECK(map.lower_bound == live[static_cast<size_t>(map.peak_segment)]);
    CHECK(map.lower_bound <= map.arena_bytes);
}

TEST_CASE("The text shows each block of the peak once and fits its columns") {
    const MemoryMap map = map_of_step();
    const std::string text = map.str(60);
    INFO(text);
    const std::string table = text.substr(text.find("in use in segment"));
    size_t alive = 0;
    for (const MemoryMap::Block& block : map.blocks)
        if (block.first <= map.peak_segment && map.peak_segment <= block.last) {
            CHECK(count(table, block.str()) >= 1);
            ++alive;
        }
    // A title, column heads, a line a block, the sum.
    CHECK(count(table, "\n") == alive + 3);
    const size_t begin = text.find("\n\n"), end = text.find("\n\n", begin + 2);
    for (size_t at = begin + 2; at < end; at = text.find('\n', at) + 1) CHECK(text.find('\n', at) - at <= 80);
}

TEST_CASE("Of weights that follow from states a session keeps the packed ones alone") {
    const State weights("weights", uniform({3, 3, 16, 32}, 1)), scale("scale", uniform({32}, 2));
    const Tensor x = uniform({1, 20, 28, 16}, 3);
    const Tensor y = conv2d(x, weights.tensor() * scale.tensor(), {.padding = symmetric(1)});
    const Value roots[] = {y.value()};
    EngineOptions options = Engine::current().options();
    options.frozen_states = true;
    const MemoryMap map = make_plan(Engine::current().graph_of(roots), options)->memory_map();
    int packed = 0, scaled = 0;
    for (const MemoryMap::Block& block : map.blocks) {
        packed += block.is_workspace && block.is_kept;
        scaled += block.shape == weights.tensor().shape() && !block.is_workspace;
        if (block.shape == weights.tensor().shape()) CHECK_FALSE(block.is_kept);
    }
    CHECK(packed == 1);
    CHECK(scaled == 1);
}

TEST_CASE("More segments than columns share columns, and the peak still reaches the lower bound") {
    MemoryMap map = map_of_step();
    map.live.assign(500, 0);
    map.blocks = {{.op = "conv2d", .shape = {2, 4}, .bytes = 64, .first = 3, .last = 3},
                  {.op = "conv2d", .shape = {8}, .bytes = 32, .first = 0, .last = 499}};
    map.live.assign(500, 32);
    map.live[3] = 96;
    map.peak_segment = 3;
    map.arena_bytes = map.lower_bound = 96;
    const std::string text = map.str(60);
    INFO(text);
    CHECK(count(text, "the fullest of 11 segments") == 1);
    // The bar of segment 3 is the first column and as high as the chart, which has 16 rows.
    CHECK(count(text, "|#") == 16);
}

TEST_CASE("The SVG is well-formed and has each block once, with a title") {
    const MemoryMap map = map_of_step();
    const std::string svg = map.svg();
    CHECK(svg.rfind("<svg xmlns", 0) == 0);
    CHECK(is_well_formed(svg));
    CHECK(count(svg, "<rect class=\"block ") == map.blocks.size());
    CHECK(count(svg, "<title>") == map.blocks.size());
    CHECK(count(svg, "a&lt;b&gt;&amp;") > 0);
    CHECK(count(svg, "a<b>") == 0);
}

TEST_CASE("A plan that keeps nothing has an empty map that prints") {
    const Tensor x = uniform({4}, 1);
    const Value root[] = {(x * 2.0f).value()};
    const auto plan = make_plan(Engine::current().graph_of(root), Engine::current().options());
    CHECK(plan->memory_map().blocks.empty());
    CHECK(count(plan->memory_map().str(), "nothing lives") == 1);
    CHECK(is_well_formed(plan->memory_map().svg()));
}
