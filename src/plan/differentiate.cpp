#include <algorithm>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "liven/core/error.hpp"
#include "liven/ops/arithmetic.hpp"
#include "src/graph/rewrite.hpp"

namespace liven {

namespace detail {
const Operation& gradient_request();
}

Tensor Vjp::gradient(size_t i) const {
    return gradients_[i] ? Tensor(gradients_[i]) : Tensor::zeros(outputs_[i].shape());
}

namespace {

using detail::PassScope;
using detail::ValueList;

/// Reverse mode over one graph: from a scalar back to the values asked for.
class ReverseSweep {
public:
    ReverseSweep(const Value& loss, std::span<const Value> wanted)
        : loss_(loss), wanted_(wanted.begin(), wanted.end()) {
        visit_order(&loss_, &loss_ + 1, order_);
        // Keep every node alive: rules record new nodes while the order is walked.
        for (Node* node : order_) keep_.emplace_back(node);
        find_active();
    }

    ValueList run() {
        arriving_[loss_.node.get()].resize(loss_.node->outputs.size());
        arriving_[loss_.node.get()][loss_.output] = Tensor::ones(loss_.shape()).value();
        for (auto node = order_.rbegin(); node != order_.rend(); ++node) propagate(**node);
        ValueList results;
        for (const Value& value : wanted_) {
            const Value gradient = arriving(value);
            results.push_back(gradient ? gradient : Tensor::zeros(value.shape()).value());
        }
        return results;
    }

private:
    bool is_wanted(const Value& value) const {
        return std::find(wanted_.begin(), wanted_.end(), value) != wanted_.end();
    }
    bool is_active(const Value& value) const { return active_.contains(value.node.get()) || is_wanted(value); }

    /// Active nodes lie between a wanted value and the loss.
    void find_active() {
        for (const Node* node : order_) {
            if (node->is_leaf() || node->stops_gradient) continue;
            for (const Value& input : node->inputs)
                if (is_active(input)) active_.insert(node);
        }
    }

    Value arriving(const Value& value) const {
        const auto found = arriving_.find(value.node.get());
        return found == arriving_.end() ? Value{} : found->second[value.output];
    }

    void propagate(Node& node) {
        const auto found = arriving_.find(&node);
        if (found == arriving_.end() || !active_.contains(&node)) return;
        if (!node.operation->vjp)
            throw Error(node.operation->name(), "this operation has no gradient",
                        "detach() its input, or give the operation a vjp");
        const size_t count = node.inputs.size();
        ValueList outputs = detail::results_of(NodePtr(&node));
        const auto wanted = std::make_unique<bool[]>(count);
        std::vector<Value> contributions(count);
        for (size_t i = 0; i < count; ++i) wanted[i] = is_active(node.inputs[i]);
        const PassScope scope(node, true);
        const std::vector<Value> gradients = found->second;
        Vjp context(node, {node.inputs.data(), count}, {outputs.data(), outputs.size()}, gradients,
                    {wanted.get(), count}, contributions);
        node.operation->vjp(node.attributes, context);
        for (size_t i = 0; i < count; ++i)
            if (wanted[i] && contributions[i]) add(node, i, contributions[i]);
    }

    void add(const Node& node, size_t i, const Value& contribution) {
        const Value& input = node.inputs[i];
        if (!(contribution.shape() == input.shape()))
            throw Error(node.operation->name(), "its gradient for input " + std::to_string(i) + " is " +
                                                    contribution.shape().str() + " but the input is " +
                                                    input.shape().str());
        std::vector<Value>& slots = arriving_[input.node.get()];
        slots.resize(input.node->outputs.size());
        Value& slot = slots[input.output];
        slot = slot ? (Tensor(slot) + Tensor(contribution)).value() : contribution;
    }

    Value loss_;
    std::vector<Value> wanted_;
    std::vector<Node*> order_;
    std::vector<NodePtr> keep_;
    std::unordered_set<const Node*> active_;
    std::unordered_map<const Node*, std::vector<Value>> arriving_;
};

bool has_request(const Graph& graph) {
    const auto order = graph.order();
    return std::any_of(order.begin(), order.end(),
                       [](const Node* node) { return node->operation == &detail::gradient_request(); });
}

/// The operation in terms of others, when it has no gradient rule of its own.
ValueList open_up(const Node& node, const ValueList& inputs) {
    if (node.operation->vjp || !node.operation->decompose) return {};
    TensorList tensors;
    for (const Value& input : inputs) tensors.push_back(Tensor(input));
    const PassScope scope(node, node.is_gradient);
    ValueList out;
    for (const Tensor& tensor : node.operation->decompose(node.attributes, tensors)) out.push_back(tensor.value());
    return out;
}

/// Opens composites until every node below the values has a gradient rule or cannot be opened.
Graph open_composites(Graph graph) {
    for (bool opened = true; opened;) {
        opened = false;
        graph = detail::rewrite(graph, [&](const Node& node, const ValueList& inputs) {
            ValueList values = open_up(node, inputs);
            opened |= !values.empty();
            return values;
        });
    }
    return graph;
}

}  // namespace

Graph differentiate(const Graph& graph) {
    if (!has_request(graph)) return graph;
    return detail::rewrite(open_composites(graph), [](const Node& node, const ValueList& inputs) -> ValueList {
        if (node.operation != &detail::gradient_request()) return {};
        return ReverseSweep(inputs[0], {inputs.begin() + 1, inputs.size() - 1}).run();
    });
}

}  // namespace liven
