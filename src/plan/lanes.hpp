#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "schedule.hpp"

namespace liven::detail {

/// Who takes which item of a segment. Every thread has a lane of its own, the same share of samples (of rows, where
/// there is one sample) in every stage of every segment: what it reads is what it wrote, still in the caches of its
/// core, and no line wanders between cores that share no cache. Whose lane is empty helps the next. Results do not
/// depend on who makes them.
///
/// Within a lane items keep the segment's order, and samples are not cut: what an item waits for is of its own sample,
/// stands before it in its lane, and has been taken when the item is. So nobody waits for ever, even if a lane has no
/// thread of its own.
class Lanes {
public:
    static constexpr size_t kNone = static_cast<size_t>(-1);

    /// Deals the items of all segments to so many lanes; does nothing if they are so many already.
    void deal(const std::vector<Segment>& segments, int threads);
    /// Makes all items takeable again.
    void refill();
    /// The next item of the segment; kNone: all are taken. `lane` is where the thread looks first, at the beginning of
    /// a segment its own number, and then where it found something.
    size_t take(size_t segment, int& lane);

private:
    struct alignas(64) Next {
        std::atomic<size_t> place{0};
    };

    int threads_ = 0;
    std::vector<std::vector<uint32_t>> items_;  ///< by segment and lane
    std::vector<Next> next_;                    ///< likewise: the first that has not been taken
};

}  // namespace liven::detail
