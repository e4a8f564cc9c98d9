#include "rematerialize.hpp"

#include <algorithm>
#include <map>

#include "way_back.hpp"

namespace liven::detail {
namespace {

class Rematerialization {
public:
    Rematerialization(const FusedGraph& fused, const std::vector<size_t>& cuts)
        : graph_(fused.graph), way_(fused), cuts_(cuts) {}

    Graph run() {
        find_crossing();
        made_.clear();
        return rewrite_way_back(graph_, way_, [this](const Node& node, const ValueList& inputs, size_t i) -> Value {
            const int part = part_to_repeat(node.inputs[i]);
            if (part < 0) return {};
            open(part, node, inputs);
            return again(node.inputs[i], part);
        });
    }

private:
    /// The part of the forward pass a value is made in; the number of cuts for what lies behind the last.
    int part_of(const Value& value) const {
        const size_t at = way_.position.at(value.node.get());
        return static_cast<int>(std::lower_bound(cuts_.begin(), cuts_.end(), at) - cuts_.begin());
    }
    bool is_repeated_part(int part) const { return part < static_cast<int>(cuts_.size()); }

    /// The part that has to run again before this operand of the backward pass can be read; -1 when it is there.
    int part_to_repeat(const Value& value) {
        if (way_.is_held(value) || !way_.is_forward(value)) return -1;
        if (const auto known = repeat_.find(key_of(value)); known != repeat_.end()) return known->second;
        int part = -1;
        if (way_.is_stored(value) || !is_light(*value.node)) {
            if (is_repeated_part(part_of(value)) && !crossing_.contains(key_of(value))) part = part_of(value);
        } else {
            for (const Value& input : value.node->inputs) part = std::max(part, part_to_repeat(input));
        }
        return repeat_[key_of(value)] = part;
    }

    /// A value of the forward pass as a part that runs again makes or reads it.
    Value again(const Value& value, int part) {
        if (value.node->is_leaf()) return way_.is_large(value) && !value.node->is_state ? behind(value, part) : value;
        if (way_.is_held(value)) return value;
        const bool elsewhere = part_of(value) != part;
        if (crossing_.contains(key_of(value)) || (elsewhere && (way_.is_stored(value) || !is_light(*value.node)))) {
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
    Value behind(const Value& value, int part) const {
        const auto gate = gates_.find(part);
        return gate == gates_.end() ? value : detail::behind(value, gate->second);
    }

    /// The first reader of a part in the backward pass: its gradients say that the part's turn has come.
    void open(int part, const Node& reader, const ValueList& inputs) {
        if (!gates_.contains(part)) gates_.emplace(part, way_.gate_of(reader, inputs));
    }

    /// A dry run finds what crosses the cuts and is therefore held.
    void find_crossing() {
        for (size_t before = SIZE_MAX; before != crossing_.size();) {
            before = crossing_.size();
            repeat_.clear();
            made_.clear();
            for (const Node* node : way_.order) {
                if (!way_.nodes.contains(node)) continue;
                for (const Value& input : node->inputs)
                    if (const int part = part_to_repeat(input); part >= 0) static_cast<void>(again(input, part));
            }
        }
        repeat_.clear();
    }

    const Graph& graph_;
    const WayBack way_;
    const std::vector<size_t>& cuts_;
    std::set<ValueKey> crossing_;  ///< made before a cut and read behind it: held
    std::map<ValueKey, int> repeat_;
    std::map<std::pair<const Node*, int>, NodePtr> made_;
    std::map<int, Value> gates_;
};

}  // namespace

std::vector<HeldMap> held_maps(const FusedGraph& fused) {
    const WayBack way(fused);
    std::map<ValueKey, size_t> last_reader;
    std::set<ValueKey> read_back;
    for (const Group& group : fused.groups)
        for (const GroupOperand& input : group.inputs) {
            const ValueKey key = key_of(input.value);
            if (!way.stored.contains(key)) continue;
            if (way.contains(group))
                read_back.insert(key);
            else
                last_reader[key] = std::max(last_reader[key], way.position_of(group));
        }
    std::vector<HeldMap> maps;
    for (const Node* node : way.order)
        for (const Value& value : results_of(NodePtr(const_cast<Node*>(node))))
            if (read_back.contains(key_of(value)) && way.is_large(value))
                maps.push_back({.value = value,
                                .position = way.position.at(node),
                                .bytes = way.bytes_of(key_of(value)),
                                .crossing = 0});
    for (HeldMap& map : maps)
        for (const ValueKey& key : way.stored)
            if (way.position.at(key.first) <= map.position && last_reader[key] > map.position)
                map.crossing += way.bytes_of(key);
    return maps;
}

Graph rematerialize(const FusedGraph& fused, const std::vector<size_t>& cuts) {
    return Rematerialization(fused, cuts).run();
}

}  // namespace liven::detail
