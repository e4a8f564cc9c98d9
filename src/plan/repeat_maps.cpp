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
constexpr double kCostPerByte = 8;
// And all of them together, of the step's time, reckoned as bytes. Two Zen 4 cores do six FLOPs in the time of one.
constexpr double kShareOfStep = 0.025, kFlopsPerByte = 6;
// Each map to be tried costs a plan, and small ones change little.
constexpr int kMostTrials = 32;
constexpr double kSmallestBytes = 1 << 20, kSmallestShare = 1.0 / 128;

bool has_way_back(const Graph& graph) {
    const std::vector<Node*> order = graph.order();
    return std::any_of(order.begin(), order.end(), [](const Node* node) { return node->is_gradient; });
}

/// A map that can be made again of what is held anyway.
struct CheapMap {
    Value value;
    double bytes = 0;
    double cost = 0;  ///< of making it, in bytes
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
            if (const auto cost = cost_of_map(map.value);
                cost && *cost <= kCostPerByte * map.bytes && map.bytes >= kSmallestBytes)
                found_.push_back({map.value, map.bytes, *cost});
        std::stable_sort(found_.begin(), found_.end(),
                         [](const CheapMap& a, const CheapMap& b) { return a.cost * b.bytes < b.cost * a.bytes; });
    }

    /// The cheapest for their bytes first, then in the order in which they are made.
    const std::vector<CheapMap>& found() const { return found_; }

    /// The graph whose way back makes these maps again.
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
    std::optional<double> cost_of_map(const Value& map) const {
        const Node& node = *map.node;
        const bool product = !node.is_leaf() && is_product(node);
        std::set<ValueKey> read;
        if (roots_.contains(key_of(map)) || (!product && is_costly(node)) || !collect_reads(node, read)) return {};
        double bytes = static_cast<double>(map.type().bytes());
        for (const auto& [maker, output] : read) bytes += static_cast<double>(maker->outputs[output].type.bytes());
        return in_bytes(bytes, product ? cost_of(node).flops : 0);
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

    /// Whether the way back finds the value by way of a map that is made again.
    bool is_concerned(const Value& value) {
        if (way_.is_held(value) || !way_.is_forward(value)) return false;
        if (chosen_->contains(key_of(value))) return true;
        if (way_.is_stored(value) || !is_light(*value.node)) return false;
        if (const auto known = concerned_.find(value.node.get()); known != concerned_.end()) return known->second;
        const bool any = std::any_of(value.node->inputs.begin(), value.node->inputs.end(),
                                     [this](const Value& input) { return is_concerned(input); });
        return concerned_[value.node.get()] = any;
    }

    /// A concerned value for the way back. A chosen map is made of what it reads once the gate is there.
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

void tell(const CheapMap& map, double before, double after, bool pays) {
    log_detail(std::string("plan: ") + map.value.node->scope + ' ' + map.value.shape().str() +
               (pays ? " is made again on the way back" : " is held for the way back") + ": making it again costs " +
               megabytes(map.cost) + " read and written, by which the arena would go from " + megabytes(before) +
               " to " + megabytes(after));
}

double arena_of(FusedGraph fused, const EngineOptions& options) {
    return static_cast<double>(allocate(schedule(std::move(fused), options)).arena_bytes);
}

}  // namespace

Graph repeat_cheap_maps(const Graph& simplified, const EngineOptions& options) {
    if (options.detect_anomaly || !has_way_back(simplified)) return simplified;
    FusedGraph fused = fuse(simplified, options);
    CheapMaps maps(fused);
    if (maps.found().empty()) return simplified;
    double allowed = 0;
    for (const Group& group : fused.groups) allowed += kShareOfStep * in_bytes(group.bytes, group.flops);
    double arena = arena_of(std::move(fused), options);
    const double smallest = kSmallestShare * arena;
    Graph best = simplified;
    std::set<ValueKey> chosen;
    int trials = 0;
    for (const CheapMap& map : maps.found()) {
        if (map.cost > allowed || map.bytes < smallest) continue;
        if (++trials > kMostTrials) break;
        chosen.insert(key_of(map.value));
        const Graph graph = maps.repeating(chosen);
        const double lower = arena_of(fuse(graph, options), options);
        const bool pays = map.cost <= kCostPerByte * (arena - lower);
        if (options.verbose >= 1) tell(map, arena, lower, pays);
        if (pays) {
            best = graph;
            arena = lower;
            allowed -= map.cost;
        } else {
            chosen.erase(key_of(map.value));
        }
    }
    return best;
}

}  // namespace liven::detail
