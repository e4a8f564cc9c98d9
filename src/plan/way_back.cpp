#include "way_back.hpp"

#include <algorithm>

#include "after.hpp"
#include "liven/graph/constant.hpp"
#include "liven/graph/operation.hpp"

namespace liven::detail {
namespace {

// Values below this share of the largest are held: making them again costs more than they do.
constexpr double kSmallShare = 1.0 / 256;

bool is_constant(const Node& node) { return !node.is_leaf() && node.operation == &operation<ops::Constant>(); }

}  // namespace

bool is_light(const Node& node) { return !node.is_leaf() && (node.operation->pointwise || node.operation->view); }

Value behind(const Value& value, const Value& gate) {
    if (!gate) return value;
    const PassScope scope(*value.node, false);
    return Value{liven::record(ops::After{}, {Tensor(value), Tensor(gate)}), 0};
}

WayBack::WayBack(const FusedGraph& fused) : order(fused.graph.order()) {
    for (size_t i = 0; i < order.size(); ++i) {
        const Node* node = order[i];
        position[node] = i;
        const bool depends = std::any_of(node->inputs.begin(), node->inputs.end(),
                                         [this](const Value& input) { return nodes.contains(input.node.get()); });
        if (node->is_gradient || depends) nodes.insert(node);
    }
    for (const Group& group : fused.groups)
        for (const GroupOperand& output : group.outputs)
            if (is_forward(output.value)) {
                stored.insert(key_of(output.value));
                if (output.bf16) narrow.insert(key_of(output.value));
                smallest = std::max(smallest, kSmallShare * bytes_of(key_of(output.value)));
            }
}

double WayBack::bytes_of(const ValueKey& value) const {
    const TensorType& type = value.first->outputs[value.second].type;
    if (!narrow.contains(value)) return static_cast<double>(type.bytes());
    return static_cast<double>(type.shape.count()) * static_cast<double>(size_of(DType::bf16));
}

bool WayBack::is_large(const Value& value) const { return bytes_of(key_of(value)) > smallest; }

bool WayBack::is_held(const Value& value) const {
    return value.node->is_leaf() || is_constant(*value.node) || !is_large(value);
}

size_t WayBack::position_of(const Group& group) const {
    size_t last = 0;
    if (group.core) last = position.at(group.core.get());
    for (const GroupOperand& output : group.outputs)
        if (const auto found = position.find(output.value.node.get()); found != position.end())
            last = std::max(last, found->second);
    return last;
}

bool WayBack::contains(const Group& group) const {
    const Node* face = group.core ? group.core.get() : group.outputs.front().value.node.get();
    return nodes.contains(face) || !position.contains(face);
}

Value WayBack::gate_of(const Node& reader, const ValueList& inputs) const {
    const Node* node = &reader;
    Value gate;
    // Of several gradients the latest, since those that came by a shortcut have been there for long.
    for (auto operand = latest_gradient(*node); operand; operand = latest_gradient(*node)) {
        gate = gate ? Value(gate.node->inputs[*operand]) : inputs[*operand];
        node = node->inputs[*operand].node.get();
        if (!is_light(*node)) break;
    }
    return gate;
}

/// Which operand is the gradient that is computed last.
std::optional<size_t> WayBack::latest_gradient(const Node& node) const {
    std::optional<size_t> latest;
    size_t last = 0;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
        const Node* operand = node.inputs[i].node.get();
        if (operand->is_leaf() || is_constant(*operand) || !nodes.contains(operand)) continue;
        if (!latest || position.at(operand) > last) latest = i;
        last = std::max(last, position.at(operand));
    }
    return latest;
}

}  // namespace liven::detail
