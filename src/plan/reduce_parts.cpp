#include "reduce_parts.hpp"

#include <algorithm>

#include "liven/ops/reduce.hpp"
#include "liven/ops/shape.hpp"
#include "src/graph/rewrite.hpp"

// Sums and moments by channel of a concatenation are those of its parts, side by side: they ride in the steps that
// write the parts, and nothing reads the joined map for their sake.
//     moments(concat(a, b)) = concat(moments(a), moments(b))    where the axis of the concatenation is not reduced

namespace liven::detail {
namespace {

/// Whether the parts of what is reduced stay apart in the result, and some step makes one of them.
bool reduces_parts(const Node& node, const ValueList& in) {
    if ((!is<ops::MomentsOp>(node) && !is<ops::ReduceSum>(node)) || !is<ops::Concat>(in[0])) return false;
    const ValueList& parts = in[0].node->inputs;
    const auto is_given = [](const Value& part) { return part.node->is_leaf(); };
    return !(node.as<ReduceAttributes>().axes >> in[0].node->as<ops::Concat>().axis & 1u) &&
           !std::all_of(parts.begin(), parts.end(), is_given);
}

}  // namespace

Graph reduce_parts(const Graph& graph) {
    return rewrite(graph, [](const Node& node, const ValueList& in) -> ValueList {
        if (!reduces_parts(node, in)) return {};
        const PassScope scope(node, false);
        ValueList reduced[2];
        for (const Value& part : in[0].node->inputs) {
            const NodePtr made = reapply(node, ValueList{part});
            for (uint32_t i = 0; i < made->outputs.size(); ++i) reduced[i].push_back({made, i});
        }
        ValueList joined;
        for (size_t i = 0; i < node.outputs.size(); ++i) joined.push_back({reapply(*in[0].node, reduced[i]), 0});
        return joined;
    });
}

}  // namespace liven::detail
