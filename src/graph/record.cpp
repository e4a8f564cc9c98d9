#include "liven/graph/record.hpp"

#include <cstring>
#include <string>

#include "liven/core/error.hpp"
#include "recording.hpp"

namespace liven {
namespace detail {

Recording& recording() {
    thread_local Recording state;
    return state;
}

namespace {

void mark(Node& node) {
    const Recording& state = recording();
    if (state.pass_scopes.empty()) {
        node.stops_gradient = state.no_grad > 0;
        node.scope = state.scope;
    } else {
        node.scope = state.pass_scopes.back().scope;
        node.is_gradient = state.pass_scopes.back().gradient;
    }
}

}  // namespace

NodePtr record(const Operation& operation, const void* attributes, size_t bytes, std::span<const Value> inputs) {
    NodePtr node = Node::make();
    node->operation = &operation;
    std::memset(node->attributes, 0, Node::attribute_bytes);
    std::memcpy(node->attributes, attributes, bytes);
    SmallVector<const TensorType*, 8> types;
    for (const Value& input : inputs) {
        if (!input)
            throw Error(operation.name(), "an operand is no tensor", "a default-constructed Tensor holds nothing");
        types.push_back(&input.type());
    }
    OutputTypes outputs;
    operation.infer(attributes, {types.data(), types.size()}, outputs);
    for (const Value& input : inputs) node->inputs.push_back(input);
    for (const TensorType& type : outputs) node->outputs.push_back({.type = type, .storage = {}});
    mark(*node);
    Trace::current().add(node.get());
    return node;
}

}  // namespace detail

NoGrad::NoGrad() { ++detail::recording().no_grad; }
NoGrad::~NoGrad() { --detail::recording().no_grad; }
bool NoGrad::active() { return detail::recording().no_grad > 0; }

Scope::Scope(std::string_view name) : outer_(detail::recording().scope) {
    // A steady step enters the same scopes again and again: joining them must not allocate.
    char path[256];
    const std::string_view outer(outer_);
    if (outer.empty() || outer.size() + name.size() + 1 > sizeof path) {
        detail::recording().scope = intern(name);
        return;
    }
    std::memcpy(path, outer.data(), outer.size());
    path[outer.size()] = '/';
    std::memcpy(path + outer.size() + 1, name.data(), name.size());
    detail::recording().scope = intern({path, outer.size() + 1 + name.size()});
}
Scope::~Scope() { detail::recording().scope = outer_; }
const char* Scope::path() { return detail::recording().scope; }

}  // namespace liven
