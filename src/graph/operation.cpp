#include "liven/graph/operation.hpp"

#include "attribute_text.hpp"
#include "liven/graph/node.hpp"

namespace liven {
namespace {

using TypePointers = SmallVector<const TensorType*, 8>;

}  // namespace

namespace detail {

Cost default_cost(InputTypes in, InputTypes out) {
    Cost cost;
    for (const TensorType* type : in) cost.bytes += static_cast<double>(type->bytes());
    for (const TensorType* type : out) {
        cost.bytes += static_cast<double>(type->bytes());
        cost.flops += static_cast<double>(type->shape.count());
    }
    return cost;
}

}  // namespace detail

std::string describe(const Node& node) {
    if (node.is_leaf()) return node.is_state ? "state" : node.has_scalar ? "scalar" : "leaf";
    std::string text(node.operation->name());
    if (!node.operation->fields) return text;
    detail::AttributeText attributes;
    node.operation->fields(node.attributes, attributes);
    const std::string fields = attributes.str();
    return fields.empty() ? text : text + "[" + fields + "]";
}

Cost cost_of(const Node& node) {
    if (node.is_leaf() || node.operation->view) return {};
    TypePointers in, out;
    for (const Value& input : node.inputs) in.push_back(&input.type());
    for (const Node::Output& output : node.outputs) out.push_back(&output.type);
    const InputTypes ins{in.data(), in.size()}, outs{out.data(), out.size()};
    return node.operation->cost ? node.operation->cost(node.attributes, ins, outs) : detail::default_cost(ins, outs);
}

}  // namespace liven
