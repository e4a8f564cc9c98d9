#include "liven/graph/memory_map.hpp"

#include <algorithm>
#include <array>
#include <iomanip>
#include <sstream>
#include <string_view>

#include "allocate.hpp"

namespace liven {
namespace {

using Block = MemoryMap::Block;

constexpr int kChartRows = 16, kChartMargin = 12, kWidestSegment = 6;
constexpr size_t kTableRows = 20;

double mebibytes(int64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }
double percent(int64_t part, int64_t whole) {
    return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

bool is_alive(const Block& block, int64_t segment) { return block.first <= segment && segment <= block.last; }

/// What a column of the chart stacks, from below: by Block::Role.
constexpr size_t kRoles = 4;
constexpr std::array<char, kRoles> kMarks{'=', '#', '+', '.'};
constexpr std::array<std::string_view, kRoles> kRoleNames{"kept from run to run", "values of the forward pass",
                                                          "of the backward pass", "workspaces"};

size_t role_of(const Block& block) { return static_cast<size_t>(block.role()); }

/// The chart: a bar a segment, or, where there are more segments than columns, a bar for the fullest of a few.
class Chart {
public:
    Chart(const MemoryMap& map, int columns) : map_(map), segments_(static_cast<int64_t>(map.live.size())) {
        const int64_t room = std::max<int64_t>(columns - kChartMargin, 16);
        width_ = std::clamp<int64_t>(room / std::max<int64_t>(segments_, 1), 1, kWidestSegment);
        merged_ = (segments_ + room - 1) / room;
        for (int64_t first = 0; first < segments_; first += merged_) bars_.push_back(bar(first));
    }

    std::string str() const {
        std::ostringstream out;
        out << std::fixed << std::setprecision(1);
        for (int row = kChartRows; row > 0; --row) {
            if (row % 4 == 0)
                out << std::setw(9) << mebibytes(map_.arena_bytes * row / kChartRows) << " |";
            else
                out << std::string(9, ' ') << " |";
            std::string line;
            for (const auto& bar : bars_) line.append(static_cast<size_t>(width_), mark(bar, row));
            out << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
        }
        out << "      MiB +" << std::string(bars_.size() * static_cast<size_t>(width_), '-') << '\n' << axis() << '\n';
        out << std::string(kChartMargin, ' ') << legend();
        if (merged_ > 1) out << "   (a column: the fullest of " << merged_ << " segments)";
        return out.str() + '\n';
    }

private:
    using Bar = std::array<int64_t, kRoles>;  ///< bytes up to and with each role

    Bar bar(int64_t first) const {
        const auto begin = map_.live.begin() + first;
        const auto end = map_.live.begin() + std::min(first + merged_, segments_);
        const int64_t fullest = std::max_element(begin, end) - map_.live.begin();
        Bar bar{};
        for (const Block& block : map_.blocks)
            if (is_alive(block, fullest))
                for (size_t role = role_of(block); role < kRoles; ++role) bar[role] += block.bytes;
        return bar;
    }

    /// Marked from where half the row is filled.
    char mark(const Bar& bar, int row) const {
        for (size_t role = 0; role < kRoles; ++role)
            if (2 * kChartRows * bar[role] > map_.arena_bytes * (2 * row - 1)) return kMarks[role];
        return ' ';
    }

    /// Of the roles that there are.
    std::string legend() const {
        std::array<bool, kRoles> used{};
        for (const Block& block : map_.blocks) used[role_of(block)] = true;
        std::string text;
        for (size_t role = 0; role < kRoles; ++role)
            if (used[role])
                text.append(text.empty() ? "" : "   ").append(1, kMarks[role]).append(" ").append(kRoleNames[role]);
        return text;
    }

    /// Numbers of segments below some columns.
    std::string axis() const {
        std::string line(kChartMargin - 1, ' ');
        for (size_t bar = 0; bar < bars_.size(); ++bar) {
            const size_t column = kChartMargin - 1 + bar * static_cast<size_t>(width_);
            if (column < line.size() || (bar > 0 && column < line.size() + 6)) continue;
            line.resize(column, ' ');
            line += std::to_string(static_cast<int64_t>(bar) * merged_);
        }
        return line + "  segment";
    }

    const MemoryMap& map_;
    int64_t segments_, width_ = 1, merged_ = 1;
    std::vector<Bar> bars_;
};

/// The largest blocks of the fullest segment.
std::string peak_table(const MemoryMap& map) {
    std::vector<const Block*> alive;
    for (const Block& block : map.blocks)
        if (is_alive(block, map.peak_segment)) alive.push_back(&block);
    std::stable_sort(alive.begin(), alive.end(), [](const Block* a, const Block* b) { return a->bytes > b->bytes; });
    std::ostringstream out;
    out << std::fixed << "in use in segment " << map.peak_segment << ":\n       MiB   share   segments   what\n";
    const auto row = [&](int64_t bytes) -> std::ostream& {
        return out << std::setw(10) << std::setprecision(2) << mebibytes(bytes) << std::setw(7) << std::setprecision(1)
                   << percent(bytes, map.lower_bound) << '%';
    };
    const size_t shown = alive.size() > kTableRows + 1 ? kTableRows : alive.size();
    int64_t rest = 0;
    for (size_t i = 0; i < alive.size(); ++i) {
        const Block& block = *alive[i];
        if (i >= shown)
            rest += block.bytes;
        else
            row(block.bytes) << std::setw(5) << block.first << " - " << std::left << std::setw(6) << block.last
                             << std::right << block.str() << '\n';
    }
    if (shown < alive.size()) row(rest) << "              " << alive.size() - shown << " smaller ones\n";
    row(map.lower_bound) << "              together\n";
    return out.str();
}

}  // namespace

std::string MemoryMap::Block::str() const {
    const std::string_view turn = is_repeated ? "again " : is_gradient ? "gradient of " : "";
    std::string text = scope.empty() ? std::string() : std::string(turn) + scope + ": ";
    return text + (is_workspace ? "workspace of " + op : op + ' ' + shape.str());
}

std::string MemoryMap::str(int columns) const {
    std::ostringstream out;
    out << std::fixed << std::setprecision(2) << "arena " << mebibytes(arena_bytes) << " MiB, largest live set "
        << mebibytes(lower_bound) << " MiB in segment " << peak_segment << " of " << live.size() << " (the arena is "
        << std::setprecision(1) << percent(arena_bytes - lower_bound, lower_bound) << " % larger), scratch "
        << std::setprecision(2) << mebibytes(scratch_bytes) << " MiB a thread\n";
    if (repeated_bytes > 0 || repeated > 0)
        out << mebibytes(repeated_bytes) << " MiB of maps are made again in the backward pass rather than held for it; "
            << std::setprecision(1) << 100 * repeated << " % of the arithmetic is done twice\n";
    if (recomputed_bytes > 0)
        out << std::setprecision(2) << mebibytes(recomputed_bytes)
            << " MiB of maps are computed in each step that reads them rather than stored, which moves "
            << mebibytes(recomputed_traffic) << " MiB less\n";
    if (blocks.empty()) return out.str() + "nothing lives from one step to another\n";
    return out.str() + '\n' + Chart(*this, columns).str() + '\n' + peak_table(*this);
}

namespace detail {

MemoryMap Layout::memory_map() const {
    MemoryMap map{.arena_bytes = static_cast<int64_t>(arena_bytes),
                  .lower_bound = static_cast<int64_t>(lower_bound),
                  .scratch_bytes = static_cast<int64_t>(scratch_bytes),
                  .repeated = repeated,
                  .repeated_bytes = static_cast<int64_t>(repeated_bytes),
                  .recomputed_bytes = static_cast<int64_t>(schedule.fused.recomputed.stored_bytes),
                  .recomputed_traffic = static_cast<int64_t>(schedule.fused.recomputed.moved_bytes)};
    const auto segments = static_cast<int64_t>(schedule.segments.size());
    map.live.resize(schedule.segments.size());
    for (const ArenaBlock& block : blocks) {
        if (block.bytes == 0) continue;
        const Group& maker = schedule.fused.groups[block.step];
        map.blocks.push_back({.op = std::string(maker.op()),
                              .scope = maker.scope,
                              .is_gradient = maker.is_gradient,
                              .is_repeated = maker.is_repeated,
                              .is_workspace = block.is_workspace,
                              .is_kept = block.is_kept,
                              .shape = block.shape,
                              .offset = static_cast<int64_t>(block.offset),
                              .bytes = static_cast<int64_t>(block.bytes),
                              .first = static_cast<int64_t>(block.first),
                              // what is copied behind the last segment is in use to its end
                              .last = std::min(static_cast<int64_t>(block.last), segments - 1)});
        const MemoryMap::Block& added = map.blocks.back();
        for (int64_t s = added.first; s <= added.last; ++s) map.live[static_cast<size_t>(s)] += added.bytes;
    }
    map.peak_segment = std::max_element(map.live.begin(), map.live.end()) - map.live.begin();
    return map;
}

}  // namespace detail
}  // namespace liven
