#include "src/plan/arrange.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "liven/core/philox.hpp"

// Where blocks of the arena are laid: see src/plan/arrange.hpp.

using namespace liven;
using liven::detail::ArenaBlock;
using liven::detail::arrange_by_lanes;
using liven::detail::arrange_tightly;

namespace {

constexpr size_t kMegabyte = 1024 * 1024;

ArenaBlock block(size_t bytes, size_t first, size_t last) {
    return {.name = "", .offset = 0, .bytes = bytes, .first = first, .last = last};
}

size_t middle(const ArenaBlock& block) { return block.offset + block.bytes / 2; }

bool are_apart(const ArenaBlock& a, const ArenaBlock& b) {
    return a.last < b.first || b.last < a.first || a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
}

/// Blocks of whole lines, small and large, each in use for up to eight of 60 segments; every tenth is kept.
std::vector<ArenaBlock> many_blocks(uint64_t seed) {
    std::vector<ArenaBlock> blocks;
    Random random(seed);
    const auto below = [&](float bound) { return static_cast<size_t>(random.uniform(0.0f, bound)); };
    for (size_t i = 0; i < 120; ++i) {
        const size_t first = below(52), lines = i % 3 == 0 ? below(100) : 1024 + below(8000);
        blocks.push_back(block(64 * lines, first, first + below(8)));
        if (i % 10 != 0) continue;
        blocks.back().is_kept = true;
        blocks.back().first = 0;
        blocks.back().last = 60;
    }
    return blocks;
}

}  // namespace

TEST_CASE("A block by lanes lies on the middle of a larger one whose memory it takes, not at its beginning") {
    std::vector<ArenaBlock> blocks{block(4 * kMegabyte, 0, 1), block(kMegabyte, 1, 2), block(2 * kMegabyte, 2, 3)};
    CHECK(arrange_by_lanes(blocks) == 5 * kMegabyte);
    CHECK(middle(blocks[2]) == middle(blocks[0]));
    CHECK(arrange_tightly(blocks) == 5 * kMegabyte);
    CHECK(blocks[2].offset == blocks[0].offset);
}

TEST_CASE("Blocks by lanes of one size take turns in the same places") {
    std::vector<ArenaBlock> blocks;
    for (size_t i = 0; i < 6; ++i) blocks.push_back(block(kMegabyte, i, i + 1));
    CHECK(arrange_by_lanes(blocks) == 2 * kMegabyte);
    for (const ArenaBlock& each : blocks) CHECK(each.offset % kMegabyte == 0);
}

TEST_CASE("A block that would change threads gets memory of its own while that is there") {
    // The larger two leave no middle free: one of them is in use, the other's middle does not fit between.
    std::vector<ArenaBlock> blocks{block(2 * kMegabyte, 0, 1), block(2 * kMegabyte, 1, 2),
                                   block(kMegabyte + kMegabyte / 2, 2, 3), block(kMegabyte / 2, 2, 3)};
    const size_t end = arrange_by_lanes(blocks);
    CHECK(middle(blocks[2]) == middle(blocks[0]));
    CHECK(blocks[3].offset >= 4 * kMegabyte);
    CHECK(end == 4 * kMegabyte + kMegabyte / 2);
}

TEST_CASE("Blocks in use at the same time never overlap, and by lanes they take at most half as much again") {
    for (uint64_t seed = 1; seed < 6; ++seed) {
        std::vector<ArenaBlock> tight = many_blocks(seed), by_lanes = tight;
        const size_t tight_end = arrange_tightly(tight), end = arrange_by_lanes(by_lanes);
        size_t kept = 0, last = 0;
        for (size_t i = 0; i < tight.size(); ++i) {
            kept += tight[i].is_kept ? tight[i].bytes : 0;
            last = std::max(last, by_lanes[i].offset + by_lanes[i].bytes);
            CHECK(by_lanes[i].offset % 64 == 0);
            for (size_t j = 0; j < i; ++j) {
                CHECK(are_apart(tight[i], tight[j]));
                CHECK(are_apart(by_lanes[i], by_lanes[j]));
            }
        }
        CHECK(last == end);
        CHECK(2 * (end - kept) <= 3 * (tight_end - kept) + 2);
    }
}

TEST_CASE("No blocks need no memory") {
    std::vector<ArenaBlock> none;
    CHECK(arrange_by_lanes(none) == 0);
    CHECK(arrange_tightly(none) == 0);
}
