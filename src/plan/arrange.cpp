#include "arrange.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace liven::detail {
namespace {

constexpr size_t kLine = 64;
constexpr size_t kEndless = std::numeric_limits<size_t>::max();
constexpr size_t kLargeBytes = 64 * 1024;  // fewer are written in a few microseconds wherever they lie
constexpr double kRoom = 1.5;              // the most that blocks may take by lanes, of what they take tightly

size_t common(size_t begin, size_t end, size_t other_begin, size_t other_end) {
    const size_t from = std::max(begin, other_begin), to = std::min(end, other_end);
    return to > from ? to - from : 0;
}

/// Places one block after the other.
class Arrangement {
public:
    explicit Arrangement(std::vector<ArenaBlock>& blocks) : blocks_(blocks) {}

    /// `limit`: where blocks that are placed by lanes end at most; 0: every block goes to the lowest gap.
    size_t run(size_t limit) {
        std::vector<size_t> order(blocks_.size());
        std::iota(order.begin(), order.end(), size_t{0});
        std::stable_sort(order.begin(), order.end(),
                         [&](size_t a, size_t b) { return blocks_[a].bytes > blocks_[b].bytes; });
        size_t end = 0;
        for (size_t i : order) {
            ArenaBlock& block = blocks_[i];
            look_around(block);
            block.offset = gaps_.front().begin;
            if (block.bytes >= kLargeBytes) place_by_lanes(block, limit);
            end = std::max(end, block.offset + block.bytes);
            placed_.insert(
                std::upper_bound(placed_.begin(), placed_.end(), &block,
                                 [](const ArenaBlock* a, const ArenaBlock* b) { return a->offset < b->offset; }),
                &block);
        }
        return end;
    }

private:
    struct Gap {
        size_t begin, end;
    };

    /// Finds the gaps between blocks in use at the same time, and the large blocks of other times.
    void look_around(const ArenaBlock& block) {
        gaps_.clear();
        others_.clear();
        size_t begin = 0;
        for (const ArenaBlock* other : placed_) {
            if (other->last < block.first || block.last < other->first) {
                if (other->bytes >= kLargeBytes) others_.push_back(other);
                continue;
            }
            if (begin + block.bytes <= other->offset) gaps_.push_back({begin, other->offset});
            begin = std::max(begin, other->offset + other->bytes);
        }
        gaps_.push_back({begin, kEndless});
    }

    /// Of all places below the limit the one where the fewest bytes change threads, and of those the lowest.
    void place_by_lanes(ArenaBlock& block, size_t limit) const {
        size_t least = kEndless;
        const auto offer = [&](size_t offset, const Gap& gap) {
            if (offset < gap.begin || offset + block.bytes > std::min(gap.end, limit)) return;
            const size_t bytes = exchanged_bytes(block, offset);
            if (bytes > least || (bytes == least && offset >= block.offset)) return;
            least = bytes;
            block.offset = offset;
        };
        for (const Gap& gap : gaps_) {
            offer(gap.begin, gap);
            if (gap.end != kEndless) offer(gap.end - block.bytes, gap);
            for (const ArenaBlock* other : others_) {
                const size_t middles = 2 * other->offset + other->bytes;
                if (middles >= block.bytes) offer((middles - block.bytes) / 2 / kLine * kLine, gap);
                offer(other->offset + other->bytes, gap);
            }
        }
    }

    /// Bytes that lie in the first half of the block and the second of another, or the other way round.
    size_t exchanged_bytes(const ArenaBlock& block, size_t offset) const {
        const size_t end = offset + block.bytes, middle = offset + block.bytes / 2;
        size_t bytes = 0;
        for (const ArenaBlock* other : others_) {
            if (other->offset >= end) break;
            const size_t other_end = other->offset + other->bytes, other_middle = other->offset + other->bytes / 2;
            bytes += common(offset, middle, other_middle, other_end) + common(middle, end, other->offset, other_middle);
        }
        return bytes / kLine * kLine;  // middles are not at the ends of lines
    }

    std::vector<ArenaBlock>& blocks_;
    std::vector<const ArenaBlock*> placed_, others_;  ///< by offset
    std::vector<Gap> gaps_;
};

}  // namespace

size_t arrange_tightly(std::vector<ArenaBlock>& blocks) { return Arrangement(blocks).run(0); }

size_t arrange_by_lanes(std::vector<ArenaBlock>& blocks) {
    size_t kept = 0;
    for (const ArenaBlock& block : blocks) kept += block.is_kept ? block.bytes : 0;
    const size_t tight = arrange_tightly(blocks);
    const size_t limit = kept + static_cast<size_t>(kRoom * static_cast<double>(tight - kept));
    const size_t end = Arrangement(blocks).run(limit);
    return end <= limit ? end : arrange_tightly(blocks);
}

}  // namespace liven::detail
