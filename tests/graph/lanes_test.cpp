#include "src/plan/lanes.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <vector>

#include "liven/core/environment.hpp"
#include "liven/graph/engine.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/conv2d.hpp"
#include "tests/graph/uniform.hpp"

// Who takes which item: see src/plan/lanes.hpp.

using namespace liven;
using liven::detail::Lanes;
using liven::detail::Segment;
using liven::testing::uniform;

namespace {

/// A segment with two stages, the second of which has twice as many units: all of the first, then all of the second.
Segment two_stages(int64_t samples, uint32_t units) {
    Segment segment{.stages = {{}, {}}, .units = {units, 2 * units}, .samples = samples, .links = {}, .items = {}};
    for (uint32_t stage = 0; stage < 2; ++stage)
        for (uint32_t unit = 0; unit < units << stage; ++unit) segment.items.push_back({stage, unit});
    return segment;
}

/// What a thread takes when the others are asleep.
std::vector<size_t> take_all(Lanes& lanes, int thread) {
    std::vector<size_t> taken;
    int lane = thread;
    for (size_t item = lanes.take(0, lane); item != Lanes::kNone; item = lanes.take(0, lane)) taken.push_back(item);
    return taken;
}

/// So many threads while it lives.
class Threads {
public:
    explicit Threads(int count) : before_(thread_count()) { set_thread_count(count); }
    ~Threads() { set_thread_count(before_); }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

private:
    int before_;
};

}  // namespace

TEST_CASE("A thread takes its samples of every stage first, in the segment's order, then its neighbours'") {
    const std::vector<Segment> segments{two_stages(4, 4)};
    Lanes lanes;
    lanes.deal(segments, 2);
    lanes.refill();
    // Items 0 to 3 are the first stage's samples, 4 to 11 two units of each sample of the second.
    CHECK(take_all(lanes, 1) == std::vector<size_t>{2, 3, 8, 9, 10, 11, 0, 1, 4, 5, 6, 7});
    CHECK(take_all(lanes, 0).empty());
    lanes.refill();
    int first = 0;
    CHECK(lanes.take(0, first) == 0);
}

TEST_CASE("A single sample is shared by its rows, an odd number of samples is not cut") {
    Lanes lanes;
    lanes.deal({two_stages(1, 2)}, 2);
    lanes.refill();
    CHECK(take_all(lanes, 1) == std::vector<size_t>{1, 4, 5, 0, 2, 3});
    Lanes odd;
    odd.deal({two_stages(3, 6)}, 2);
    odd.refill();
    CHECK(take_all(odd, 1)[0] == 4);  // the third sample's first unit
}

TEST_CASE("Every item is taken once, however many threads there are, more than items included") {
    for (const int threads : {1, 2, 3, 5, 64}) {
        Lanes lanes;
        const std::vector<Segment> segments{two_stages(5, 10)};
        lanes.deal(segments, threads);
        lanes.refill();
        std::multiset<size_t> taken;
        for (int thread = 0; thread < threads; ++thread)
            for (const size_t item : take_all(lanes, thread)) taken.insert(item);
        CHECK(taken.size() == segments[0].items.size());
        CHECK(std::set<size_t>(taken.begin(), taken.end()).size() == taken.size());
    }
}

TEST_CASE("A plan ends, with the same bits, where OpenMP gives it fewer threads than it asked for") {
    const Threads three(3);
    const Tensor weights = uniform({3, 3, 16, 16}, 1), x = uniform({3, 40, 40, 16}, 2);
    const auto result = [&] {
        const Tensor hidden = leaky_relu(conv2d(x, weights, {.padding = symmetric(1)}), 0.2f);
        return conv2d(hidden, weights, {.padding = symmetric(1)}).to_vector<float>();
    };
    const std::vector<float> expected = result();
    std::vector<float> nested;
    // A region within a region has one thread.
#pragma omp parallel num_threads(2)
    {
#pragma omp single
        nested = result();
    }
    CHECK(nested == expected);
}
