#include "arena_limit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "allocate.hpp"
#include "liven/core/bytes.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/operation.hpp"
#include "rematerialize.hpp"
#include "repeat_maps.hpp"

namespace liven::detail {
namespace {

// Into how many parts of about equal bytes the forward pass is cut.
constexpr std::array<size_t, 8> kParts{2, 3, 4, 6, 8, 12, 16, 24};

/// Near each equal share of the bytes the cut that the fewest cross.
std::vector<size_t> cuts_for(const std::vector<HeldMap>& maps, size_t parts) {
    double total = 0;
    for (const HeldMap& map : maps) total += map.bytes;
    const double share = total / static_cast<double>(parts);
    std::vector<size_t> cuts;
    for (size_t part = 1; part < parts; ++part) {
        const HeldMap* best = nullptr;
        double sum = 0;
        for (const HeldMap& map : maps) {
            sum += map.bytes;
            const bool near = std::abs(sum - share * static_cast<double>(part)) <= share / 2;
            if (near && (cuts.empty() || map.position > cuts.back()) && (!best || map.crossing < best->crossing))
                best = &map;
        }
        if (best) cuts.push_back(best->position);
    }
    return cuts;
}

double repeated_flops(const Graph& graph) {
    double flops = 0;
    for (const Node* node : graph.order())
        if (node->is_repeated) flops += cost_of(*node).flops;
    return flops;
}

class Search {
public:
    Search(const Graph& simplified, const EngineOptions& options)
        : options_(options), whole_(fuse(simplified, options)), maps_(held_maps(whole_)) {}

    Graph run(const Graph& cheapest) {
        least_ = arena_of(cheapest);
        if (least_ <= options_.arena_limit) return cheapest;
        for (size_t parts : kParts)
            if (parts <= maps_.size() + 1) try_parts(parts);
        if (best_) return *best_;
        throw Error("memory",
                    "the plan needs an arena of at least " + megabytes(static_cast<double>(least_)) +
                        ", but the limit leaves " + megabytes(static_cast<double>(options_.arena_limit)),
                    "raise the limit, or use a smaller --batch (with --accumulate for the same effect) or --size");
    }

private:
    int64_t arena_of(const Graph& graph) const {
        return static_cast<int64_t>(allocate(schedule(fuse(graph, options_), options_)).arena_bytes);
    }

    /// Fewer of the first cuts cost less and save less: halving finds the fewest that do.
    void try_parts(size_t parts) {
        const std::vector<size_t> cuts = cuts_for(maps_, parts);
        size_t low = 0, high = cuts.size();  // `low` cuts are too few
        if (high == 0 || !try_cuts(cuts, high)) return;
        while (high - low > 1) {
            const size_t middle = (low + high) / 2;
            (try_cuts(cuts, middle) ? high : low) = middle;
        }
    }

    bool try_cuts(const std::vector<size_t>& cuts, size_t count) {
        const Graph graph = rematerialize(whole_, {cuts.begin(), cuts.begin() + static_cast<ptrdiff_t>(count)});
        const int64_t arena = arena_of(graph);
        least_ = std::min(least_, arena);
        if (arena > options_.arena_limit) return false;
        if (const double flops = repeated_flops(graph); flops < least_flops_) {
            least_flops_ = flops;
            best_ = graph;
        }
        return true;
    }

    const EngineOptions& options_;
    const FusedGraph whole_;
    const std::vector<HeldMap> maps_;
    std::optional<Graph> best_;
    double least_flops_ = std::numeric_limits<double>::infinity();
    int64_t least_ = 0;
};

}  // namespace

Graph within_arena_limit(const Graph& simplified, const EngineOptions& options) {
    const Graph cheapest = repeat_cheap_maps(simplified, options);
    // Without fusion nothing would fit, and the limit's error would stand in the place of the anomaly's.
    if (options.arena_limit <= 0 || options.detect_anomaly) return cheapest;
    return Search(simplified, options).run(cheapest);
}

}  // namespace liven::detail
