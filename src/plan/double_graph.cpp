#include "double_graph.hpp"

#include "reference_plan.hpp"

namespace liven::detail {

DoubleGraph::DoubleGraph(std::span<const Value> values) {
    const std::vector<Value> roots(values.begin(), values.end());
    std::vector<Node*> order;
    visit_order(roots.data(), roots.data() + roots.size(), order);
    for (Node* node : order)
        if (node->is_leaf()) leaves_.emplace_back(node);
    lowered_ = lower(differentiate(trace(roots)));
    reals_.resize(leaves_.size());
    for (size_t i = 0; i < leaves_.size(); ++i) {
        const TensorType& type = leaves_[i]->outputs[0].type;
        const void* stored = leaves_[i]->value();
        if (type.dtype == DType::f32) {
            const auto* numbers = static_cast<const float*>(stored);
            reals_[i].assign(numbers, numbers + type.shape.count());
            stored = reals_[i].data();
        }
        values_.push_back(stored);
    }
}

std::span<double> DoubleGraph::leaf(const Node* leaf) {
    for (size_t i = 0; i < leaves_.size(); ++i)
        if (leaves_[i].get() == leaf) return reals_[i];
    return {};
}

std::vector<std::vector<double>> DoubleGraph::run() const { return run_in_double(lowered_, values_); }

}  // namespace liven::detail
