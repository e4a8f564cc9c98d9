#include <optional>
#include <unordered_map>
#include <vector>

#include "liven/ops/arithmetic.hpp"
#include "liven/ops/dropout.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "src/graph/rewrite.hpp"

// Behind a batch-norm, the gradient G of a max pool is needed twice: for its sums (of G and of G * t, t the centred
// input), and, once these are known, for the gradient of the input. G is zero but at each window's maximum, so
//     sum(G) = sum(dy)    and    sum(G * t) = sum(dy * p),    p = t at the maximum,
// over a map that is smaller by the window. p is made where the pool is made, which is bound to reading t anyway, and
// the pool's result follows from p: a pointwise function gives at the maximum what it gives there. The second use is
// then the only one, and G stays in registers.

namespace liven {
namespace {

using detail::is;
using detail::ValueList;

/// The way from a pointwise value down to another: by operand, step by step.
using Path = std::vector<size_t>;

/// Whether a pooled map can be combined with the operand as the map itself was: it does not vary over pixels.
bool is_flat(const Value& operand) {
    const Shape& shape = operand.shape();
    return shape.rank() <= 1 || (shape.rank() == 4 && shape[1] == 1 && shape[2] == 1);
}

/// The way from `from` down to `to` if all that comes in on it does not vary over pixels. Dropout is not on it: its
/// mask hangs on where an element lies, and on a pooled map it would be another. Neither is a way of no steps: what is
/// pooled then is the factor itself.
std::optional<Path> find_path(Value from, const Value& to) {
    Path path;
    while (!(from == to)) {
        const Node& node = *from.node;
        if (node.is_leaf() || !node.operation->pointwise || is<ops::Dropout>(node)) return {};
        std::optional<size_t> onward;
        for (size_t i = 0; i < node.inputs.size(); ++i) {
            if (is_flat(node.inputs[i])) continue;
            if (onward || !(node.inputs[i].shape() == from.shape())) return {};
            onward = i;
        }
        if (!onward) return {};
        path.push_back(*onward);
        from = Value(node.inputs[*onward]);
    }
    if (path.empty()) return {};
    return path;
}

/// The value at the end of the way, in a graph whose nodes on it may have been replaced by their like.
Value at_end(Value value, const Path& path) {
    for (const size_t operand : path) value = Value(value.node->inputs[operand]);
    return value;
}

/// What `value` becomes when `end` stands at the end of the way.
Value with_end(const Value& value, const Path& path, size_t depth, const Value& end) {
    if (depth == path.size()) return end;
    ValueList inputs;
    for (size_t i = 0; i < value.node->inputs.size(); ++i) {
        const Value& input = value.node->inputs[i];
        inputs.push_back(i == path[depth] ? with_end(input, path, depth + 1, end) : input);
    }
    return {detail::reapply(*value.node, inputs), value.output};
}

bool sums_pixels(const Node& node) {
    constexpr uint32_t pixels = 0b0110;
    return is<ops::ReduceSum>(node) && node.inputs[0].shape().rank() == 4 &&
           (node.as<ops::ReduceSum>().axes & pixels) == pixels;
}

/// A max pool whose gradient is multiplied by a value that the pool's operand is a function of.
struct CentredPool {
    const Node* pool = nullptr;
    std::optional<Path> path;  ///< from the pool's operand to t
    Value picked;              ///< p, once it has been made
};

class PoolRules {
public:
    explicit PoolRules(const Graph& graph) {
        for (const Node* node : graph.order())
            if (!node->is_leaf() && is<ops::MaxPool>(*node)) pools_.push_back({.pool = node, .path = {}, .picked = {}});
        for (const Node* node : graph.order())
            if (!node->is_leaf()) note_sum(*node);
    }

    bool any() const { return !by_product_.empty(); }

    ValueList operator()(const Node& node, const ValueList& in) {
        if (is<ops::MaxPool>(node)) return pick(node, in);
        if (!sums_pixels(node)) return {};
        if (const auto found = by_product_.find(node.inputs[0].node.get()); found != by_product_.end()) {
            const auto [pool, gradient] = found->second;
            const Node& made = *in[0].node->inputs[gradient].node;
            // The pool itself may come later: its gradient does not depend on it.
            const Value picked = picked_of(pools_[pool], made.inputs[0]);
            return sum_of((Tensor(made.inputs[1]) * Tensor(picked)).value(), node);
        }
        if (by_gradient_.contains(node.inputs[0].node.get())) return sum_of(Value(in[0].node->inputs[1]), node);
        return {};
    }

private:
    static ValueList sum_of(const Value& value, const Node& sum) {
        return detail::results_of(detail::reapply(sum, ValueList{value}));
    }

    /// The pool whose gradient the value is; -1 when it is none.
    int pool_of(const Value& value) const {
        if (value.node->is_leaf() || !is<ops::MaxPoolGrad>(value)) return -1;
        const auto& attributes = static_cast<const PoolAttributes&>(value.node->as<ops::MaxPoolGrad>());
        for (size_t i = 0; i < pools_.size(); ++i)
            if (value.node->inputs[0] == pools_[i].pool->inputs[0] &&
                attributes == static_cast<const PoolAttributes&>(pools_[i].pool->as<ops::MaxPool>()))
                return static_cast<int>(i);
        return -1;
    }

    void note_sum(const Node& sum) {
        if (!sums_pixels(sum) || !is<ops::Mul>(sum.inputs[0])) return;
        const Node& product = *sum.inputs[0].node;
        for (size_t i = 0; i < 2; ++i) {
            const int pool = pool_of(product.inputs[i]);
            if (pool < 0 || !(product.inputs[1 - i].shape() == product.inputs[i].shape())) continue;
            CentredPool& entry = pools_[static_cast<size_t>(pool)];
            const std::optional<Path> path = find_path(entry.pool->inputs[0], product.inputs[1 - i]);
            if (!path || (entry.path && *entry.path != *path)) continue;
            entry.path = path;
            by_product_[&product] = {static_cast<size_t>(pool), i};
            by_gradient_[product.inputs[i].node.get()] = true;
        }
    }

    ValueList pick(const Node& node, const ValueList& in) {
        for (CentredPool& entry : pools_)
            if (entry.pool == &node && entry.path) return {with_end(in[0], *entry.path, 0, picked_of(entry, in[0]))};
        return {};
    }

    /// p, from the pool's operand as it is in the new graph.
    static Value picked_of(CentredPool& entry, const Value& operand) {
        if (entry.picked) return entry.picked;
        const detail::PassScope scope(*entry.pool, false);
        ops::MaxPoolPick op;
        static_cast<PoolAttributes&>(op) = entry.pool->as<ops::MaxPool>();
        return entry.picked = apply(op, {Tensor(operand), Tensor(at_end(operand, *entry.path))}).value();
    }

    std::vector<CentredPool> pools_;
    /// By product: its pool, and which operand is the pool's gradient.
    std::unordered_map<const Node*, std::pair<size_t, size_t>> by_product_;
    std::unordered_map<const Node*, bool> by_gradient_;
};

}  // namespace

Graph sum_behind_pools(const Graph& graph) {
    PoolRules rules(graph);
    return rules.any() ? detail::rewrite(graph, rules) : graph;
}

}  // namespace liven
