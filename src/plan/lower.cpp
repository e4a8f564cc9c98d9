#include "src/graph/rewrite.hpp"

namespace liven {

Graph lower(const Graph& graph) {
    Graph lowered = graph;
    for (bool opened = true; opened;) {
        opened = false;
        lowered = detail::rewrite(lowered, [&](const Node& node, const detail::ValueList& inputs) {
            detail::ValueList values;
            if (!node.operation->decompose) return values;
            TensorList tensors;
            for (const Value& input : inputs) tensors.push_back(Tensor(input));
            const detail::PassScope scope(node, node.is_gradient);
            for (const Tensor& tensor : node.operation->decompose(node.attributes, tensors))
                values.push_back(tensor.value());
            opened = true;
            return values;
        });
    }
    return lowered;
}

}  // namespace liven
