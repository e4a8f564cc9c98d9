#pragma once

#include <unordered_map>
#include <vector>

#include "liven/graph/graph.hpp"
#include "liven/graph/record.hpp"

namespace liven::detail {

using ValueList = SmallVector<Value, 4>;

template <class Op>
bool is(const Node& node) {
    return node.operation == &operation<Op>();
}
template <class Op>
bool is(const Value& value) {
    return is<Op>(*value.node);
}

/// The same node with other inputs of the same shapes.
NodePtr clone(const Node& node, const ValueList& inputs);
/// The same operation on inputs of other shapes: its results' shapes are inferred anew.
NodePtr reapply(const Node& node, const ValueList& inputs);

/// While one lives, what passes record is marked with the scope of the node it replaces.
class PassScope {
public:
    PassScope(const Node& origin, bool gradient);
    ~PassScope();
    PassScope(const PassScope&) = delete;
    PassScope& operator=(const PassScope&) = delete;
};

/// Maps old values to new ones while a pass walks a graph in order.
class Mapping {
public:
    Value operator()(const Value& old) const { return outputs_.at(old.node.get())[old.output]; }
    void set(const Node& old, const ValueList& values) { outputs_.insert_or_assign(&old, values); }
    /// The node's inputs, mapped; tells whether any changed.
    bool inputs(const Node& node, ValueList& mapped) const;
    /// The default treatment: the node itself when nothing below it changed, else a clone.
    void keep(const Node& node);

private:
    std::unordered_map<const Node*, ValueList>
        outputs_;  // not by index: `replace` may walk other graphs of the same nodes
};

ValueList results_of(const NodePtr& node);

/// How often each node is read, by other nodes or as a root.
std::unordered_map<const Node*, int> count_uses(const Graph& graph);

/// Walks `graph` in order; `replace(node, mapped_inputs)` returns the new values of a node, or an empty list to keep
/// it.
template <class Replace>
Graph rewrite(const Graph& graph, Replace&& replace) {
    const std::vector<Node*> order = graph.order();
    Mapping mapping;
    for (Node* node : order) {
        ValueList inputs;
        mapping.inputs(*node, inputs);
        ValueList values;
        if (!node->is_leaf()) values = replace(*node, inputs);
        if (values.empty())
            mapping.keep(*node);
        else
            mapping.set(*node, values);
    }
    Graph out{.roots = graph.roots, .leaves = graph.leaves};
    for (Graph::Root& root : out.roots) root.value = mapping(root.value);
    return out;
}

}  // namespace liven::detail
