#include "rematerialize.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "after.hpp"
#include "liven/graph/constant.hpp"
#include "liven/graph/operation.hpp"
#include "src/graph/rewrite.hpp"

namespace liven::detail {
namespace {

// Values below this share of the largest are held: making them again costs more than they do.
constexpr double kSmallShare = 1.0 / 256;

double bytes_of(const Value& value) { return static_cast<double>(value.type().bytes()); }

bool is_constant(const Node& node) { return !node.is_leaf() && node.operation == &operation<ops::Constant>(); }

/// Computed at the place of its operands, without memory of its own.
bool is_light(const Node& node) { return node.operation->pointwise || node.operation->view; }

/// The nodes of the way back: gradients and what depends on them.
std::unordered_set<const Node*> way_back(const std::vector<Node*>& order) {
    std::unordered_set<const Node*> back;
    for (const Node* node : order) {
        const bool depends = std::any_of(node->inputs.begin(), node->inputs.end(),
                                         [&](const Value& input) { return back.contains(input.node.get()); });
        if (node->is_gradient || depends) back.insert(node);
    }
    return back;
}

/// What the passes of this file ask about a graph and its groups.
struct Lay {
    std::vector<Node*> order;
    std::unordered_map<const Node*, size_t> position;
    std::unordered_set<const Node*> back;
    std::set<ValueKey> stored;  ///< by a step of the way forward
    double smallest = 0;        ///< bytes of a large value

    explicit Lay(const FusedGraph& fused) : order(fused.graph.order()), back(way_back(order)) {
        for (size_t i = 0; i < order.size(); ++i) position[order[i]] = i;
        for (const Group& group : fused.groups)
            for (const GroupOperand& output : group.outputs)
                if (is_forward(output.value)) {
                    stored.insert(key_of(output.value));
                    smallest = std::max(smallest, kSmallShare * bytes_of(output.value));
                }
    }

    bool is_forward(const Value& value) const {
        return position.contains(value.node.get()) && !back.contains(value.node.get());
    }
    bool is_large(const Value& value) const { return bytes_of(value) > smallest; }
    /// Where a group stands: behind everything it computes.
    size_t position_of(const Group& group) const {
        size_t last = 0;
        if (group.core) last = position.at(group.core.get());
        for (const GroupOperand& output : group.outputs)
            if (const auto found = position.find(output.value.node.get()); found != position.end())
                last = std::max(last, found->second);
        return last;
    }
    bool is_back(const Group& group) const {
        const Node* face = group.core ? group.core.get() : group.outputs.front().value.node.get();
        return back.contains(face) || !position.contains(face);
    }
};

class Rematerialization {
public:
    Rematerialization(const FusedGraph& fused, const std::vector<size_t>& cuts)
        : graph_(fused.graph), lay_(fused), cuts_(cuts) {}

    Graph run() {
        find_crossing();
        made_.clear();
        return rewrite(graph_, [this](const Node& node, const ValueList& inputs) -> ValueList {
            if (!lay_.back.contains(&node)) return {};
            ValueList mine = inputs;
            bool changed = false;
            for (size_t i = 0; i < node.inputs.size(); ++i) {
                const int part = part_to_repeat(node.inputs[i]);
                if (part < 0) continue;
                open(part, node, inputs);
                mine[i] = again(node.inputs[i], part);
                changed = true;
            }
            return changed ? results_of(clone(node, mine)) : ValueList{};
        });
    }

private:
    /// The part of the way forward a value is made in; the number of cuts for what lies behind the last.
    int part_of(const Value& value) const {
        const size_t at = lay_.position.at(value.node.get());
        return static_cast<int>(std::lower_bound(cuts_.begin(), cuts_.end(), at) - cuts_.begin());
    }
    bool is_repeated_part(int part) const { return part < static_cast<int>(cuts_.size()); }

    /// Given, or cheap to hold: read where it lies.
    bool is_held(const Value& value) const {
        return value.node->is_leaf() || is_constant(*value.node) || !lay_.is_large(value);
    }
    bool is_stored(const Value& value) const { return lay_.stored.contains(key_of(value)); }

    /// The part that has to run again before this operand of the way back can be read; -1 when it is there.
    int part_to_repeat(const Value& value) {
        if (is_held(value) || !lay_.is_forward(value)) return -1;
        if (const auto known = repeat_.find(key_of(value)); known != repeat_.end()) return known->second;
        int part = -1;
        if (is_stored(value) || !is_light(*value.node)) {
            if (is_repeated_part(part_of(value)) && !crossing_.contains(key_of(value))) part = part_of(value);
        } else {
            for (const Value& input : value.node->inputs) part = std::max(part, part_to_repeat(input));
        }
        return repeat_[key_of(value)] = part;
    }

    /// A value of the way forward as a part that runs again makes or reads it.
    Value again(const Value& value, int part) {
        if (value.node->is_leaf()) return lay_.is_large(value) && !value.node->is_state ? behind(value, part) : value;
        if (is_held(value)) return value;
        const bool elsewhere = part_of(value) != part;
        if (crossing_.contains(key_of(value)) || (elsewhere && (is_stored(value) || !is_light(*value.node)))) {
            crossing_.insert(key_of(value));
            return behind(value, part);
        }
        const std::pair<const Node*, int> key{value.node.get(), part};
        if (const auto known = made_.find(key); known != made_.end()) return {known->second, value.output};
        ValueList inputs;
        for (const Value& input : value.node->inputs) inputs.push_back(again(input, part));
        NodePtr copy = clone(*value.node, inputs);
        copy->is_repeated = true;
        made_.emplace(key, copy);
        return {copy, value.output};
    }

    /// The value, to be read once the gradient has come to the part.
    Value behind(const Value& value, int part) {
        const auto gate = gates_.find(part);
        if (gate == gates_.end() || !gate->second) return value;
        const PassScope scope(*value.node, false);
        return Value{liven::record(ops::After{}, {Tensor(value), Tensor(gate->second)}), 0};
    }

    /// The first reader of a part on the way back: its gradients say that the part's turn has come.
    void open(int part, const Node& reader, const ValueList& inputs) {
        if (gates_.contains(part)) return;
        const Node* node = &reader;
        Value gate;
        // Down to what surely lies in memory, so that waiting for it stores nothing; of several the latest, since
        // gradients that came by a shortcut have been there for long.
        for (auto operand = latest_gradient(*node); operand; operand = latest_gradient(*node)) {
            gate = gate ? Value(gate.node->inputs[*operand]) : inputs[*operand];
            node = node->inputs[*operand].node.get();
            if (!is_light(*node)) break;
        }
        gates_.emplace(part, gate);
    }

    /// Which operand is the gradient that is computed last.
    std::optional<size_t> latest_gradient(const Node& node) const {
        std::optional<size_t> latest;
        size_t last = 0;
        for (size_t i = 0; i < node.inputs.size(); ++i) {
            const Node* operand = node.inputs[i].node.get();
            if (operand->is_leaf() || is_constant(*operand) || !lay_.back.contains(operand)) continue;
            if (!latest || lay_.position.at(operand) > last) latest = i;
            last = std::max(last, lay_.position.at(operand));
        }
        return latest;
    }

    /// A dry run finds what crosses the cuts and is therefore held.
    void find_crossing() {
        for (size_t before = SIZE_MAX; before != crossing_.size();) {
            before = crossing_.size();
            repeat_.clear();
            made_.clear();
            for (const Node* node : lay_.order) {
                if (!lay_.back.contains(node)) continue;
                for (const Value& input : node->inputs)
                    if (const int part = part_to_repeat(input); part >= 0) static_cast<void>(again(input, part));
            }
        }
        repeat_.clear();
    }

    const Graph& graph_;
    const Lay lay_;
    const std::vector<size_t>& cuts_;
    std::set<ValueKey> crossing_;  ///< made before a cut and read behind it: held
    std::map<ValueKey, int> repeat_;
    std::map<std::pair<const Node*, int>, NodePtr> made_;
    std::map<int, Value> gates_;
};

}  // namespace

std::vector<HeldMap> held_maps(const FusedGraph& fused) {
    const Lay lay(fused);
    std::map<ValueKey, size_t> last_reader;
    std::set<ValueKey> read_back;
    for (const Group& group : fused.groups)
        for (const GroupOperand& input : group.inputs) {
            const ValueKey key = key_of(input.value);
            if (!lay.stored.contains(key)) continue;
            if (lay.is_back(group))
                read_back.insert(key);
            else
                last_reader[key] = std::max(last_reader[key], lay.position_of(group));
        }
    std::vector<HeldMap> maps;
    for (const Node* node : lay.order)
        for (const Value& value : results_of(NodePtr(const_cast<Node*>(node))))
            if (read_back.contains(key_of(value)) && lay.is_large(value))
                maps.push_back(
                    {.value = value, .position = lay.position.at(node), .bytes = bytes_of(value), .crossing = 0});
    for (HeldMap& map : maps)
        for (const ValueKey& key : lay.stored)
            if (lay.position.at(key.first) <= map.position && last_reader[key] > map.position)
                map.crossing += static_cast<double>(key.first->outputs[key.second].type.bytes());
    return maps;
}

Graph rematerialize(const FusedGraph& fused, const std::vector<size_t>& cuts) {
    return Rematerialization(fused, cuts).run();
}

}  // namespace liven::detail
