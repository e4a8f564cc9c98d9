#include "liven/graph/custom_op.hpp"

#include "liven/core/error.hpp"
#include "recording.hpp"

namespace liven::detail {
namespace {

/// While one lives, no tensor can be read: the operands have types and no values.
class TypesOnly {
public:
    TypesOnly() { ++recording().types_only; }
    ~TypesOnly() { --recording().types_only; }
    TypesOnly(const TypesOnly&) = delete;
    TypesOnly& operator=(const TypesOnly&) = delete;
};

}  // namespace

void infer_custom(std::string_view name, const void* attributes, CustomForward forward, InputTypes in,
                  OutputTypes& out) {
    const TypesOnly types_only;
    TensorList operands;
    for (const TensorType* type : in) {
        const NodePtr node = Node::make();
        node->outputs.push_back({.type = *type, .storage = {}});
        operands.push_back(Tensor(Value{node, 0}));
    }
    for (const Tensor& tensor : forward(attributes, operands)) {
        if (!tensor.defined()) throw Error(name, "its forward function returned a tensor that holds nothing");
        out.push_back(tensor.type());
    }
    if (out.empty()) throw Error(name, "its forward function returned no tensor");
}

}  // namespace liven::detail
