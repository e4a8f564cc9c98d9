#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fused.hpp"
#include "src/graph/rewrite.hpp"

namespace liven::detail {

/// What the passes that make values of the forward pass again for the backward pass ask about a graph and its groups.
struct WayBack {
    std::vector<Node*> order;
    std::unordered_map<const Node*, size_t> position;  ///< in `order`
    std::unordered_set<const Node*> nodes;             ///< gradients and what depends on them
    std::set<ValueKey> stored;                         ///< by a step of the forward pass
    std::set<ValueKey> narrow;                         ///< those of them that lie in memory in bf16
    double smallest = 0;                               ///< bytes of a large value

    explicit WayBack(const FusedGraph& fused);

    bool is_forward(const Value& value) const {
        return position.contains(value.node.get()) && !nodes.contains(value.node.get());
    }
    bool is_stored(const Value& value) const { return stored.contains(key_of(value)); }
    /// As it lies in memory, if it does.
    double bytes_of(const ValueKey& value) const;
    /// Worth to be made again rather than held.
    bool is_large(const Value& value) const;
    /// Given, or cheap to hold: read where it lies.
    bool is_held(const Value& value) const;
    /// Where a group stands: behind everything it computes.
    size_t position_of(const Group& group) const;
    bool contains(const Group& group) const;

    /// What says that a reader's turn has come, `inputs` being its operands as they will be: the gradient it reads,
    /// followed down to what surely lies in memory, so that waiting for it stores nothing. None when it reads none.
    Value gate_of(const Node& reader, const ValueList& inputs) const;

private:
    std::optional<size_t> latest_gradient(const Node& node) const;
};

/// The graph with other operands in its backward pass: `replace(node, inputs, i)` returns what the node reads instead
/// of its operand i, or no value to leave it; `inputs` are its operands as they will be.
template <class Replace>
Graph rewrite_way_back(const Graph& graph, const WayBack& way, Replace&& replace) {
    return rewrite(graph, [&](const Node& node, const ValueList& inputs) -> ValueList {
        if (!way.nodes.contains(&node)) return {};
        ValueList mine = inputs;
        bool changed = false;
        for (size_t i = 0; i < node.inputs.size(); ++i)
            if (const Value value = replace(node, inputs, i)) {
                mine[i] = value;
                changed = true;
            }
        return changed ? results_of(clone(node, mine)) : ValueList{};
    });
}

/// Computed at the place of its operands, without memory of its own.
bool is_light(const Node& node);

/// The value, to be read once `gate` has been computed; the value itself without a gate.
Value behind(const Value& value, const Value& gate);

}  // namespace liven::detail
