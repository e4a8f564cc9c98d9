#include <algorithm>
#include <unordered_map>
#include <vector>

#include "fused.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/reduce.hpp"
#include "src/graph/rewrite.hpp"

// The gradient of a wide dense layer, G = X'D with a row of X and D per image, is as large as the layer. Its norm is
// what forces it into memory: the update may begin only when the norm is known. So the norm is taken from X and D,
//     |X'D + c W|^2 = |X'D|^2 + 2 c sum(D * (X W)) + c^2 |W|^2,
// and the product itself is left to the update, where every element lives in a register only. The first term comes from
// the two matrices X X' and D D'; with many rows these cost more than the product, which is then made once more for its
// norm, as D'X: of two equal values a graph keeps one.

namespace liven {
namespace {

using detail::is;
using detail::is_wide_product;
using detail::ValueList;

// With fewer elements, storing the gradient costs less than it saves.
constexpr int64_t kFewestElements = 1 << 16;
constexpr int64_t kMostFactoredRows = 64;

/// A gradient as product + factor * weights; weights may be missing.
struct Factored {
    Value product, weights;
    float factor = 0;
};

Factored factor(const Value& gradient) {
    if (is_wide_product(gradient)) return {.product = gradient, .weights = {}};
    if (!is<ops::Add>(gradient)) return {};
    for (size_t i = 0; i < 2; ++i) {
        const Value product(gradient.node->inputs[i]), decay(gradient.node->inputs[1 - i]);
        if (is_wide_product(product) && is<ops::ScaleConst>(decay) && decay.shape() == product.shape())
            return {.product = product,
                    .weights = Value(decay.node->inputs[0]),
                    .factor = decay.node->as<ops::ScaleConst>().imm0};
    }
    return {};
}

Tensor squared_norm(const Factored& gradient) {
    const Tensor x(Value(gradient.product.node->inputs[0])), d(Value(gradient.product.node->inputs[1]));
    Tensor norm = x.shape()[0] <= kMostFactoredRows ? apply(ops::ProductNorm{}, {x, d})
                                                    : sum(square(matmul(d, x, {.transpose_a = true})));
    if (!gradient.weights) return norm;
    const Tensor w(gradient.weights);
    const Tensor crossed = sum(d * matmul(x, w)), own = sum(square(w));
    return norm + scale(crossed, 2.0f * gradient.factor) + scale(own, gradient.factor * gradient.factor);
}

/// Whether a gradient is read by nothing but the square of its norm and the pointwise update: otherwise it is stored
/// anyway.
class Readers {
public:
    explicit Readers(const Graph& graph) {
        for (const Node* node : graph.order())
            for (const auto& input : node->inputs) readers_[input.node.get()].push_back(node);
        for (const Graph::Root& root : graph.roots) readers_[root.value.node.get()].push_back(nullptr);
    }
    bool allow(const Node* gradient) const {
        const auto& readers = readers_.at(gradient);
        if (!std::all_of(readers.begin(), readers.end(),
                         [](const Node* reader) { return reader && reader->operation->pointwise; }))
            return false;
        // With weight decay the product is an operand of the gradient.
        if (gradient->operation != &operation<ops::Add>()) return true;
        return std::all_of(gradient->inputs.begin(), gradient->inputs.end(),
                           [this](const auto& input) { return allow(input.node.get()); });
    }

private:
    std::unordered_map<const Node*, std::vector<const Node*>> readers_;
};

}  // namespace

bool detail::is_wide_product(const Value& value) {
    if (!is<ops::Matmul>(value)) return false;
    const auto& matmul = value.node->as<ops::Matmul>();
    return matmul.transpose_a && !matmul.transpose_b && value.node->inputs[0].shape().rank() == 2 &&
           value.shape().count() >= kFewestElements;
}

Graph factor_norms(const Graph& graph) {
    const Readers readers(graph);
    return detail::rewrite(graph, [&](const Node& node, const ValueList& in) -> ValueList {
        if (node.operation != &operation<ops::ReduceSum>() || node.outputs[0].type.shape.count() != 1) return {};
        if (!is<ops::Square>(in[0])) return {};
        const Node* original = node.inputs[0].node->inputs[0].node.get();
        const Factored gradient = factor(Value(in[0].node->inputs[0]));
        if (!gradient.product || !readers.allow(original)) return {};
        return {reshape(squared_norm(gradient), node.outputs[0].type.shape).value()};
    });
}

}  // namespace liven
