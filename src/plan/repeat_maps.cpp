#include "repeat_maps.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "allocate.hpp"
#include "fuse_regions.hpp"
#include "liven/core/bytes.hpp"
#include "liven/core/log.hpp"
#include "liven/graph/operation.hpp"
#include "liven/ops/conv2d.hpp"
#include "rematerialize.hpp"
#include "way_back.hpp"

namespace liven::detail {
namespace {

// What a byte less of the arena may cost in bytes read and written.
constexpr double kCostPerByte = 9;
// And all of them together, of the step's time, reckoned as bytes. Two Zen 4 cores do six FLOPs in the time of one.
constexpr double kShareOfStep = 0.025, kFlopsPerByte = 6;
// Each map to be tried costs a plan, and small ones change little.
constexpr int kMostTrials = 32;
constexpr double kSmallestMapBytes = 1 << 20, kSmallestShare = 1.0 / 128;

bool has_way_back(const Graph& graph) {
    const std::vector<Node*> order = graph.order();
    return std::any_of(order.begin(), order.end(), [](const Node* node) { return node->is_gradient; });
}

/// A map that can be made again of what is held anyway.
struct CheapMap {
    Value value;
    double bytes = 0;
    double cost = 0;  ///< of making it, in bytes
    bool is_product = false;
    std::set<ValueKey> read;  ///< large values that it is made of
};

double in_bytes(double bytes, double flops) { return bytes + flops / kFlopsPerByte; }

/// A product of matrices: its FLOPs are done at the pace that kFlopsPerByte supposes.
bool is_product(const Node& node) {
    return is<ops::Conv2d>(node) && node.as<Conv2dAttributes>().window == Window2d{} &&
           node.as<Conv2dAttributes>().groups == 1;
}

/// Cheap maps, and the graph that makes some of them again.
class CheapMaps {
public:
    explicit CheapMaps(const FusedGraph& fused) : graph_(fused.graph), way_(fused) {
        for (const Graph::Root& root : graph_.roots) roots_.insert(key_of(storage_of(root.value)));
        for (const HeldMap& map : held_maps(fused))
            if (auto cheap = cheap_map(map);
                cheap && cheap->cost <= kCostPerByte * map.bytes && map.bytes >= kSmallestMapBytes)
                found_.push_back(std::move(*cheap));
        std::stable_sort(found_.begin(), found_.end(),
                         [](const CheapMap& a, const CheapMap& b) { return a.cost * b.bytes < b.cost * a.bytes; });
    }

    /// The cheapest for their bytes first, then in the order in which they are made.
    const std::vector<CheapMap>& found() const { return found_; }

    /// The graph whose backward pass makes these maps again.
    Graph repeating(const std::set<ValueKey>& chosen) {
        chosen_ = &chosen;
        concerned_.clear();
        made_.clear();
        return rewrite_way_back(graph_, way_, [this](const Node& node, const ValueList& inputs, size_t i) -> Value {
            const Value& operand = node.inputs[i];
            return is_concerned(operand) ? again(operand, way_.gate_of(node, inputs)) : Value();
        });
    }

private:
    using Made = std::map<const Node*, NodePtr>;

    /// What it costs to make the map again of what is held; nothing when that cannot be, or is no pointwise operation
    /// and no product.
    std::optional<CheapMap> cheap_map(const HeldMap& map) const {
        const Node& node = *map.value.node;
        CheapMap cheap{
            .value = map.value, .bytes = map.bytes, .is_product = !node.is_leaf() && is_product(node), .read = {}};
        if (roots_.contains(key_of(map.value)) || (!cheap.is_product && is_costly(node)) ||
            !collect_reads(node, cheap.read))
            return {};
        double bytes = way_.bytes_of(key_of(map.value));
        for (const ValueKey& read : cheap.read) bytes += way_.bytes_of(read);
        cheap.cost = in_bytes(bytes, cheap.is_product ? cost_of(node).flops : 0);
        return cheap;
    }

    /// The large values that are read to make a node's operands; whether they are held and the arithmetic is cheap.
    bool collect_reads(const Node& node, std::set<ValueKey>& read) const {
        return std::all_of(node.inputs.begin(), node.inputs.end(), [&](const Value& input) {
            const Value stored = storage_of(input);
            if (way_.is_large(stored) && (stored.node->is_leaf() || way_.is_stored(stored)))
                read.insert(key_of(stored));
            if (way_.is_held(stored) || way_.is_stored(stored)) return true;
            return !is_costly(*input.node) && collect_reads(*input.node, read);
        });
    }
    static bool is_costly(const Node& node) {
        return node.is_leaf() || !node.operation->pointwise || is_heavy(node.operation->name());
    }

    /// Whether the backward pass finds the value by way of a map that is made again.
    bool is_concerned(const Value& value) {
        if (way_.is_held(value) || !way_.is_forward(value)) return false;
        if (chosen_->contains(key_of(value))) return true;
        if (way_.is_stored(value) || !is_light(*value.node)) return false;
        if (const auto known = concerned_.find(value.node.get()); known != concerned_.end()) return known->second;
        const bool any = std::any_of(value.node->inputs.begin(), value.node->inputs.end(),
                                     [this](const Value& input) { return is_concerned(input); });
        return concerned_[value.node.get()] = any;
    }

    /// A concerned value for the backward pass. A chosen map is made of what it reads once the gate is there.
    Value again(const Value& value, const Value& gate) {
        if (const auto known = made_.find(value.node.get()); known != made_.end()) return {known->second, value.output};
        ValueList inputs;
        Made parts;
        const bool chosen = chosen_->contains(key_of(value));
        for (const Value& input : value.node->inputs)
            inputs.push_back(chosen ? part(input, gate, parts) : is_concerned(input) ? again(input, gate) : input);
        return {made_[value.node.get()] = repeated(*value.node, inputs), value.output};
    }
    /// An operand of a chosen map.
    Value part(const Value& value, const Value& gate, Made& parts) {
        if (value.node->is_leaf() && way_.is_large(value) && !value.node->is_state) return behind(value, gate);
        if (way_.is_held(value)) return value;
        if (chosen_->contains(key_of(value))) return again(value, gate);
        if (way_.is_stored(value)) return behind(value, gate);
        if (const auto known = parts.find(value.node.get()); known != parts.end()) return {known->second, value.output};
        ValueList inputs;
        for (const Value& input : value.node->inputs) inputs.push_back(part(input, gate, parts));
        return {parts[value.node.get()] = repeated(*value.node, inputs), value.output};
    }
    static NodePtr repeated(const Node& node, const ValueList& inputs) {
        NodePtr copy = clone(node, inputs);
        copy->is_repeated = true;
        return copy;
    }

    const Graph graph_;
    const WayBack way_;
    std::set<ValueKey> roots_;
    std::vector<CheapMap> found_;
    // Of the graph under way.
    const std::set<ValueKey>* chosen_ = nullptr;
    std::map<const Node*, bool> concerned_;
    Made made_;
};

double arena_of(FusedGraph fused, const EngineOptions& options) {
    return static_cast<double>(allocate(schedule(std::move(fused), options)).arena_bytes);
}

/// Looks for the maps by which the arena becomes small, each time by planning to the end.
class MapSearch {
public:
    MapSearch(const Graph& simplified, FusedGraph fused, const EngineOptions& options)
        : options_(options), maps_(fused), best_(simplified) {
        for (const Group& group : fused.groups) allowed_ += kShareOfStep * in_bytes(group.bytes, group.flops);
        if (!maps_.found().empty()) arena_ = arena_of(std::move(fused), options);
        smallest_ = kSmallestShare * arena_;
    }

    Graph run() {
        for (const CheapMap& map : maps_.found())
            if (map.bytes >= smallest_) attempt({&map}, nullptr);
        // Where a sum was made again, the maps that it is made of may be, and the sum held: they are more bytes than
        // it, but each of them alone changed nothing while the others had to be there to make the sum.
        for (const CheapMap& map : maps_.found())
            if (chosen_.contains(key_of(map.value)) && !map.is_product) attempt(parts_of(map), &map);
        return best_;
    }

private:
    using Maps = std::vector<const CheapMap*>;

    /// Those of which the map is made that are held until now.
    Maps parts_of(const CheapMap& whole) const {
        Maps parts;
        for (const CheapMap& map : maps_.found())
            if (whole.read.contains(key_of(map.value)) && !chosen_.contains(key_of(map.value)) &&
                map.bytes >= smallest_)
                parts.push_back(&map);
        return parts;
    }

    /// Makes more maps again, and holds one for it that was not held, if that pays.
    void attempt(const Maps& added, const CheapMap* held) {
        double cost = held ? -held->cost : 0;
        for (const CheapMap* map : added) cost += map->cost;
        if (added.empty() || cost > allowed_ || trials_ == kMostTrials) return;
        ++trials_;
        std::set<ValueKey> chosen = chosen_;
        for (const CheapMap* map : added) chosen.insert(key_of(map->value));
        if (held) chosen.erase(key_of(held->value));
        const Graph graph = maps_.repeating(chosen);
        const double lower = arena_of(fuse(graph, options_), options_);
        const bool pays = cost <= kCostPerByte * (arena_ - lower);
        if (options_.verbose >= 1) tell(added, held, cost, lower, pays);
        if (!pays) return;
        best_ = graph;
        arena_ = lower;
        allowed_ -= cost;
        chosen_ = std::move(chosen);
    }

    static std::string name_of(const CheapMap& map) {
        return std::string(map.value.node->scope) + ' ' + map.value.shape().str();
    }
    void tell(const Maps& added, const CheapMap* held, double cost, double lower, bool pays) const {
        std::string names;
        for (const CheapMap* map : added) names += (names.empty() ? "" : " and ") + name_of(*map);
        if (held) names += " instead of " + name_of(*held);
        log_detail(
            "plan: " + names + (pays ? " is made again in the backward pass" : " is held for the backward pass") +
            ": making it again costs " + megabytes(cost) + " read and written, by which the arena would go from " +
            megabytes(arena_) + " to " + megabytes(lower));
    }

    const EngineOptions& options_;
    CheapMaps maps_;
    Graph best_;
    std::set<ValueKey> chosen_;
    double arena_ = 0, allowed_ = 0, smallest_ = 0;
    int trials_ = 0;
};

}  // namespace

Graph repeat_cheap_maps(const Graph& simplified, const EngineOptions& options) {
    if (options.detect_anomaly || !has_way_back(simplified)) return simplified;
    return MapSearch(simplified, fuse(simplified, options), options).run();
}

}  // namespace liven::detail
