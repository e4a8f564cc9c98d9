#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "liven/graph/constant.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "reduce_parts.hpp"
#include "src/graph/rewrite.hpp"
#include "sum_before_slices.hpp"

namespace liven {
namespace {

using detail::is;
using detail::ValueList;

std::optional<float> constant(const Value& value) {
    if (!is<ops::Constant>(value)) return {};
    return value.node->as<ops::Constant>().value;
}

ValueList one(const Tensor& tensor) { return {tensor.value()}; }

/// The value itself where an operation changes nothing. One rule a line.
ValueList without_effect(const Node& node, const ValueList& in) {
    const auto same_shape = [&](size_t i) { return in[i].shape() == node.outputs[0].type.shape; };
    const auto keeps = [&](size_t i) { return same_shape(i) ? ValueList{in[i]} : ValueList{}; };
    if (is<ops::Detach>(node)) return {in[0]};
    if (is<ops::Reshape>(node) || is<ops::Broadcast>(node)) return keeps(0);
    if (is<ops::ScaleConst>(node) && node.as<ops::ScaleConst>().imm0 == 1.0f) return {in[0]};
    if (is<ops::AddConst>(node) && node.as<ops::AddConst>().imm0 == 0.0f) return {in[0]};
    if (is<ops::Mul>(node) && constant(in[1]) == 1.0f) return keeps(0);
    if (is<ops::Mul>(node) && constant(in[0]) == 1.0f) return keeps(1);
    if (is<ops::Div>(node) && constant(in[1]) == 1.0f) return keeps(0);
    if (is<ops::Add>(node) && constant(in[1]) == 0.0f) return keeps(0);
    if (is<ops::Add>(node) && constant(in[0]) == 0.0f) return keeps(1);
    if (is<ops::Sub>(node) && constant(in[1]) == 0.0f) return keeps(0);
    if (is<ops::Neg>(node) && is<ops::Neg>(in[0])) return {in[0].node->inputs[0]};
    return {};
}

/// Views of views look at the original.
ValueList shorter_view(const Node& node, const ValueList& in) {
    if (is<ops::Reshape>(node) && is<ops::Reshape>(in[0]))
        return one(reshape(Tensor(in[0].node->inputs[0]), node.outputs[0].type.shape));
    return {};
}

/// Two constant factors are one.
ValueList join_factors(const Node& node, const ValueList& in) {
    if (!is<ops::ScaleConst>(node) || !is<ops::ScaleConst>(in[0])) return {};
    const float factor = node.as<ops::ScaleConst>().imm0 * in[0].node->as<ops::ScaleConst>().imm0;
    return one(scale(Tensor(in[0].node->inputs[0]), factor));
}

/// A constant operand becomes part of the operation.
ValueList absorb_constant(const Node& node, const ValueList& in) {
    const Shape& shape = node.outputs[0].type.shape;
    const auto with = [&](size_t i, auto&& make) -> ValueList {
        if (!constant(in[1 - i]) || !(in[i].shape() == shape)) return {};
        return one(make(Tensor(in[i]), *constant(in[1 - i])));
    };
    for (size_t i = 0; i < 2 && in.size() == 2; ++i) {
        ValueList out;
        if (is<ops::Mul>(node)) out = with(i, [](const Tensor& x, float c) { return scale(x, c); });
        if (is<ops::Add>(node)) out = with(i, [](const Tensor& x, float c) { return shift(x, c); });
        if (is<ops::Sub>(node) && i == 0) out = with(i, [](const Tensor& x, float c) { return shift(x, -c); });
        if (!out.empty()) return out;
    }
    return {};
}

/// Arithmetic on constants is done now, in double.
ValueList fold(const Node& node, const ValueList& in) {
    if (in.empty()) return {};
    for (const Value& value : in)
        if (!constant(value)) return {};
    const auto a = static_cast<double>(*constant(in[0]));
    const auto b = in.size() > 1 ? static_cast<double>(*constant(in[1])) : 0.0;
    double y = 0;
    if (is<ops::Add>(node))
        y = a + b;
    else if (is<ops::Sub>(node))
        y = a - b;
    else if (is<ops::Mul>(node))
        y = a * b;
    else if (is<ops::Div>(node))
        y = a / b;
    else if (is<ops::Neg>(node))
        y = -a;
    else if (is<ops::Square>(node))
        y = a * a;
    else if (is<ops::Sqrt>(node))
        y = std::sqrt(a);
    else if (is<ops::ScaleConst>(node))
        y = a * static_cast<double>(node.as<ops::ScaleConst>().imm0);
    else if (is<ops::AddConst>(node))
        y = a + static_cast<double>(node.as<ops::AddConst>().imm0);
    else if (is<ops::Broadcast>(node) || is<ops::Reshape>(node))
        y = a;
    else
        return {};
    return one(Tensor::full(node.outputs[0].type.shape, static_cast<float>(y)));
}

ValueList improve(const Node& node, const ValueList& in) {
    for (const auto rule : {without_effect, shorter_view, join_factors, fold, absorb_constant}) {
        ValueList out = rule(node, in);
        if (!out.empty()) return out;
    }
    return {};
}

/// Operation, attributes and operands as a comparable key.
class Fingerprint final : public FieldVisitor {
public:
    Fingerprint(const Node& node, const ValueList& inputs) {
        words_.push_back(reinterpret_cast<uint64_t>(node.operation));
        if (node.operation->fields) node.operation->fields(node.attributes, *this);
        for (const Value& input : inputs) {
            words_.push_back(reinterpret_cast<uint64_t>(input.node.get()));
            words_.push_back(input.output);
        }
    }
    void field(std::string_view, int64_t value) override { words_.push_back(static_cast<uint64_t>(value)); }
    void field(std::string_view, double value) override { words_.push_back(std::bit_cast<uint64_t>(value)); }
    const std::vector<uint64_t>& words() const { return words_; }

private:
    std::vector<uint64_t> words_;
};

/// Equal operations on equal operands are computed once.
Graph share_common(const Graph& graph) {
    std::map<std::vector<uint64_t>, ValueList> known;
    return detail::rewrite(graph, [&](const Node& node, const ValueList& inputs) -> ValueList {
        const Fingerprint key(node, inputs);
        const auto found = known.find(key.words());
        if (found != known.end()) return found->second;
        ValueList mine = detail::results_of(detail::clone(node, inputs));
        known.emplace(key.words(), mine);
        return mine;
    });
}

bool is_inference(const Graph& graph) {
    for (const Graph::Root& root : graph.roots)
        if (root.assigns >= 0) return false;
    for (const Node* node : graph.order())
        if (node->is_gradient) return false;
    return true;
}

/// mad(conv2d(x, w) [+ b] - mean, factor, beta) -> conv2d(x, w * factor) + ((b - mean) * factor + beta), with
/// per-channel vectors: at inference a batch-norm right behind a convolution costs nothing.
Graph fold_batch_norm(const Graph& graph) {
    if (!is_inference(graph)) return graph;
    const auto uses = detail::count_uses(graph);
    const auto used_once = [&](const Node* original) { return uses.at(original) == 1; };
    return detail::rewrite(graph, [&](const Node& node, const ValueList& in) -> ValueList {
        if (!is<ops::Mad>(node) || !is<ops::Sub>(in[0]) || !used_once(node.inputs[0].node.get())) return {};
        const Value &mean = in[0].node->inputs[1], &factor = in[1], &beta = in[2];
        Value core = in[0].node->inputs[0];
        const Node* original = node.inputs[0].node->inputs[0].node.get();
        Value bias;
        if (is<ops::Add>(core) && is<ops::Conv2d>(core.node->inputs[0])) {
            if (!used_once(original)) return {};
            bias = core.node->inputs[1];
            original = original->inputs[0].node.get();
            core = core.node->inputs[0];
        }
        if (!is<ops::Conv2d>(core) || !used_once(original)) return {};
        const Shape channels{core.shape()[-1]};
        for (const Value& value : {mean, factor, beta})
            if (!(value.shape() == channels)) return {};
        if (bias && !(bias.shape() == channels)) return {};
        const detail::PassScope scope(*core.node, core.node->is_gradient);
        const Tensor offset = bias ? Tensor(bias) - Tensor(mean) : -Tensor(mean);
        const Tensor weights = Tensor(core.node->inputs[1]) * Tensor(factor);
        const Tensor y = apply(core.node->as<ops::Conv2d>(), {Tensor(core.node->inputs[0]), weights});
        return one(y + mad(offset, Tensor(factor), Tensor(beta)));
    });
}

}  // namespace

Graph simplify(const Graph& graph) {
    Graph simple = graph;
    for (int round = 0; round < 3; ++round) simple = share_common(detail::rewrite(simple, improve));
    simple = fold_upsampling(fold_batch_norm(simple));
    const Graph apart = detail::sum_before_slices(detail::reduce_parts(simple));
    return share_common(factor_norms(sum_behind_pools(apart)));
}

}  // namespace liven
