#include "liven/graph/graph.hpp"

#include <cstdio>
#include <ostream>
#include <sstream>

#include "liven/graph/operation.hpp"
#include "rewrite.hpp"

namespace liven {
namespace {

uint64_t next_visit() {
    thread_local uint64_t visit = 0;
    return ++visit;
}

struct Frame {
    Node* node;
    size_t next_input;
};

std::string operand(const Value& value) {
    const Node& node = *value.node;
    std::string text = "%" + std::to_string(node.index);
    if (node.outputs.size() > 1) text += "." + std::to_string(value.output);
    return text;
}

std::string engineering(double value, const char* unit) {
    static constexpr const char* kPrefix[] = {"", "k", "M", "G", "T"};
    int step = 0;
    for (; value >= 1000 && step < 4; ++step) value /= 1000;
    char text[32];
    std::snprintf(text, sizeof text, "%.3g %s%s", value, kPrefix[step], unit);
    return text;
}

std::string results(const Node& node) {
    std::string text;
    for (const Node::Output& output : node.outputs) text += (text.empty() ? "" : ", ") + output.type.shape.str();
    return text;
}

/// A leaf of the same type without its value: a plan must not keep a batch or a parameter alive.
NodePtr placeholder(const Node& leaf) {
    NodePtr node = Node::make();
    node->outputs.push_back({.type = leaf.outputs[0].type, .storage = {}});
    node->has_scalar = leaf.has_scalar;
    node->is_state = leaf.is_state;
    node->scope = leaf.scope;
    return node;
}

std::string label(const Node& node) {
    std::string text = describe(node);
    if (node.is_leaf() || *node.scope == 0) return text;
    return text + (node.is_gradient ? "  <- " : "  ") + node.scope;
}

}  // namespace

void visit_order(const Value* first, const Value* last, std::vector<Node*>& order) {
    thread_local std::vector<Frame> stack;
    const uint64_t visit = next_visit();
    order.clear();
    for (const Value* root = first; root != last; ++root) {
        if (root->node->visited == visit) continue;
        root->node->visited = visit;
        stack.push_back({root->node.get(), 0});
        while (!stack.empty()) {
            Frame& top = stack.back();
            if (top.next_input == top.node->inputs.size()) {
                top.node->index = static_cast<int32_t>(order.size());
                order.push_back(top.node);
                stack.pop_back();
                continue;
            }
            Node* input = top.node->inputs[top.next_input++].node.get();
            if (input->visited == visit) continue;
            input->visited = visit;
            stack.push_back({input, 0});
        }
    }
}

std::vector<Node*> Graph::order() const {
    std::vector<Value> values;
    for (const Root& root : roots) values.push_back(root.value);
    std::vector<Node*> nodes;
    visit_order(values.data(), values.data() + values.size(), nodes);
    return nodes;
}

std::string Graph::str() const {
    std::ostringstream out;
    for (const Node* node : order()) {
        out << '%' << node->index << " = " << describe(*node);
        if (!node->inputs.empty()) {
            out << '(';
            for (size_t i = 0; i < node->inputs.size(); ++i) out << (i ? ", " : "") << operand(node->inputs[i]);
            out << ')';
        }
        out << "   " << results(*node);
        const Cost cost = cost_of(*node);
        if (cost.flops >= 1e6) out << "   " << engineering(cost.flops, "FLOP");
        if (!node->is_leaf() && *node->scope)
            out << "   # " << (node->is_gradient ? "gradient of " : "") << node->scope;
        out << '\n';
    }
    for (const Root& root : roots) {
        out << "return " << operand(root.value);
        if (root.assigns >= 0) {
            const Node& state = *leaves[static_cast<size_t>(root.assigns)];
            out << " -> state" << (state.index >= 0 ? " %" + std::to_string(state.index) : "");
        }
        out << '\n';
    }
    return out.str();
}

std::string Graph::graphviz() const {
    std::ostringstream out;
    out << "digraph plan {\n  node [shape=box, fontname=\"sans-serif\"];\n";
    for (const Node* node : order()) {
        out << "  n" << node->index << " [label=\"" << label(*node) << "\\n" << results(*node) << '"';
        if (node->is_leaf()) out << ", style=filled, fillcolor=\"#eeeeee\"";
        if (node->is_gradient) out << ", color=\"#b05020\"";
        out << "];\n";
        for (const Value& input : node->inputs) out << "  n" << input.node->index << " -> n" << node->index << ";\n";
    }
    out << "}\n";
    return out.str();
}

std::ostream& operator<<(std::ostream& out, const Graph& graph) { return out << graph.str(); }

Graph trace(const std::vector<Value>& roots) {
    std::vector<Node*> order;
    visit_order(roots.data(), roots.data() + roots.size(), order);
    Graph graph;
    detail::Mapping mapping;
    for (const Node* node : order) {
        if (node->is_leaf()) {
            graph.leaves.push_back(placeholder(*node));
            mapping.set(*node, detail::results_of(graph.leaves.back()));
        } else {
            detail::ValueList inputs;
            mapping.inputs(*node, inputs);
            mapping.set(*node, detail::results_of(detail::clone(*node, inputs)));
        }
    }
    for (const Value& root : roots) graph.roots.push_back({.value = mapping(root)});
    return graph;
}

}  // namespace liven
