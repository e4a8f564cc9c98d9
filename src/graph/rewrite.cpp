#include "rewrite.hpp"

#include <cstring>

#include "recording.hpp"

namespace liven::detail {

NodePtr clone(const Node& node, const ValueList& inputs) {
    NodePtr copy = Node::make();
    copy->operation = node.operation;
    std::memcpy(copy->attributes, node.attributes, Node::attribute_bytes);
    for (const Value& input : inputs) copy->inputs.push_back(input);
    for (const Node::Output& output : node.outputs) copy->outputs.push_back({.type = output.type, .storage = {}});
    copy->stops_gradient = node.stops_gradient;
    copy->is_gradient = node.is_gradient;
    copy->is_repeated = node.is_repeated;
    copy->scope = node.scope;
    return copy;
}

NodePtr reapply(const Node& node, const ValueList& inputs) {
    return record(*node.operation, node.attributes, Node::attribute_bytes, {inputs.data(), inputs.size()});
}

PassScope::PassScope(const Node& origin, bool gradient) {
    recording().pass_scopes.push_back({origin.scope, gradient || origin.is_gradient});
}
PassScope::~PassScope() { recording().pass_scopes.pop_back(); }

bool Mapping::inputs(const Node& node, ValueList& mapped) const {
    bool changed = false;
    for (const Value& input : node.inputs) {
        mapped.push_back((*this)(input));
        changed |= !(mapped.back() == input);
    }
    return changed;
}

void Mapping::keep(const Node& node) {
    ValueList mapped;
    // The order holds plain pointers to nodes that the graph owns: making another owner here is safe.
    const NodePtr same =
        !node.is_leaf() && inputs(node, mapped) ? clone(node, mapped) : NodePtr(const_cast<Node*>(&node));
    set(node, results_of(same));
}

ValueList results_of(const NodePtr& node) {
    ValueList values;
    for (uint32_t i = 0; i < node->outputs.size(); ++i) values.push_back({node, i});
    return values;
}

std::unordered_map<const Node*, int> count_uses(const Graph& graph) {
    std::unordered_map<const Node*, int> uses;
    for (const Node* node : graph.order())
        for (const Value& input : node->inputs) ++uses[input.node.get()];
    for (const Graph::Root& root : graph.roots) ++uses[root.value.node.get()];
    return uses;
}

}  // namespace liven::detail
