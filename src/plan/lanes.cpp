#include "lanes.hpp"

namespace liven::detail {
namespace {

/// A sample stays whole, since what walks it waits for its other rows; a single one is shared by its rows.
size_t lane_of(const Segment& segment, const WalkItem& item, size_t lanes) {
    const auto units = static_cast<size_t>(segment.units[item.stage]);
    const size_t parts = segment.samples > 1 ? static_cast<size_t>(segment.samples) : units;
    return item.unit * parts / units * lanes / parts;
}

}  // namespace

void Lanes::deal(const std::vector<Segment>& segments, int threads) {
    if (threads == threads_) return;
    threads_ = 0;  // until all is dealt: memory may run out in between
    const auto lanes = static_cast<size_t>(threads);
    items_.assign(segments.size() * lanes, {});
    next_ = std::vector<Next>(items_.size());
    for (size_t s = 0; s < segments.size(); ++s)
        for (size_t i = 0; i < segments[s].items.size(); ++i)
            items_[s * lanes + lane_of(segments[s], segments[s].items[i], lanes)].push_back(static_cast<uint32_t>(i));
    threads_ = threads;
}

void Lanes::refill() {
    for (Next& next : next_) next.place.store(0, std::memory_order_relaxed);
}

size_t Lanes::take(size_t segment, int& lane) {
    for (int looked = 0; looked < threads_; ++looked) {
        const size_t at = segment * static_cast<size_t>(threads_) + static_cast<size_t>(lane);
        const std::vector<uint32_t>& items = items_[at];
        std::atomic<size_t>& next = next_[at].place;
        // A look costs less than taking what is not there.
        if (next.load(std::memory_order_relaxed) < items.size()) {
            const size_t place = next.fetch_add(1, std::memory_order_relaxed);
            if (place < items.size()) return items[place];
        }
        lane = lane + 1 == threads_ ? 0 : lane + 1;
    }
    return kNone;
}

}  // namespace liven::detail
