#include "guide.hpp"

#include "liven/graph/custom_op.hpp"
#include "liven/ops/activation.hpp"
#include "src/graph/rewrite.hpp"

namespace liven::saliency {
namespace {

struct PositiveGradient {
    static constexpr std::string_view name = "positive_gradient";
};
const auto positive_gradient =
    custom_operation<PositiveGradient>([](const PositiveGradient&, const TensorList& in) { return in[0]; },
                                       [](const PositiveGradient&, Vjp& v) { v.contribute(0, relu(v.gradient())); });

bool is_rectifier(const Node& node) {
    return detail::is<ops::Relu>(node) || detail::is<ops::LeakyRelu>(node) || detail::is<ops::Prelu>(node);
}

bool same(const Node& node, const detail::ValueList& inputs) {
    for (size_t i = 0; i < inputs.size(); ++i)
        if (!(inputs[i] == node.inputs[i])) return false;
    return true;
}

}  // namespace

Tensor guided(const Tensor& value) {
    const Graph graph{.roots = {{.value = value.value()}}, .leaves = {}};
    const Graph changed = detail::rewrite(graph, [](const Node& node, const detail::ValueList& inputs) {
        detail::ValueList values;
        if (is_rectifier(node))
            values.push_back(positive_gradient({}, {result(detail::reapply(node, inputs))}).value());
        else if (!same(node, inputs))
            values = detail::results_of(detail::reapply(node, inputs));
        return values;
    });
    return Tensor(changed.roots[0].value);
}

}  // namespace liven::saliency
