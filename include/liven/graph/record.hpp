#pragma once

#include <initializer_list>
#include <new>

#include "liven/graph/tensor.hpp"

namespace liven {

/// What a gradient rule sees: the node that was recorded, the gradients that arrive at its results, and where to put
/// the contributions to its inputs. Everything is a tensor: the rule records operations.
class Vjp {
public:
    Vjp(const Node& node, std::span<const Value> inputs, std::span<const Value> outputs,
        std::span<const Value> gradients, std::span<const bool> wanted, std::span<Value> contributions)
        : node_(node),
          inputs_(inputs),
          outputs_(outputs),
          gradients_(gradients),
          wanted_(wanted),
          contributions_(contributions) {}

    const Node& node() const { return node_; }
    size_t input_count() const { return inputs_.size(); }
    Tensor input(size_t i) const { return Tensor(inputs_[i]); }
    Tensor output(size_t i = 0) const { return Tensor(outputs_[i]); }
    /// The gradient arriving at a result; zeros when nothing depends on it.
    Tensor gradient(size_t i = 0) const;
    bool has_gradient(size_t i = 0) const { return static_cast<bool>(gradients_[i]); }
    /// Whether anybody asks for the gradient of an input: skip the work otherwise.
    bool wants(size_t i) const { return wanted_[i]; }
    void contribute(size_t i, const Tensor& gradient) { contributions_[i] = gradient.value(); }

private:
    const Node& node_;
    std::span<const Value> inputs_, outputs_, gradients_;
    std::span<const bool> wanted_;
    std::span<Value> contributions_;
};

template <class Op>
const Operation& operation() {
    static_assert(std::is_trivially_copyable_v<Op> && sizeof(Op) <= Node::attribute_bytes,
                  "an operation is a small struct of plain attributes");
    static const Operation built = [] {
        Operation op;
        op.doc = Op::doc;
        const auto self = [](const void* attributes) -> const Op& { return *static_cast<const Op*>(attributes); };
        static_cast<void>(self);
        op.infer = [](const void* a, InputTypes in, OutputTypes& out) { static_cast<const Op*>(a)->infer(in, out); };
        if constexpr (requires { Op::pointwise; }) op.pointwise = Op::pointwise;
        if constexpr (requires { Op::view; }) op.view = Op::view;
        if constexpr (requires(const Op& o, FieldVisitor& v) { o.fields(v); })
            op.fields = [](const void* a, FieldVisitor& v) { static_cast<const Op*>(a)->fields(v); };
        else
            static_assert(std::is_empty_v<Op>, "an operation with attributes names them in fields()");
        if constexpr (requires(const Op& o, Vjp& c) { o.vjp(c); })
            op.vjp = [](const void* a, Vjp& c) { static_cast<const Op*>(a)->vjp(c); };
        if constexpr (requires(const Op& o, const TensorList& in) { o.decompose(in); })
            op.decompose = [](const void* a, const TensorList& in) { return static_cast<const Op*>(a)->decompose(in); };
        if constexpr (requires(const Op& o, InputTypes in) { o.cost(in, in); })
            op.cost = [](const void* a, InputTypes in, InputTypes out) {
                return static_cast<const Op*>(a)->cost(in, out);
            };
        return op;
    }();
    return built;
}

namespace detail {
NodePtr record(const Operation& operation, const void* attributes, size_t bytes, std::span<const Value> inputs);
}  // namespace detail

/// Records an operation: infers the shapes, throws Error when they do not fit, computes nothing. `result(i)` picks
/// results.
template <class Op>
NodePtr record(const Op& op, std::initializer_list<Tensor> inputs) {
    SmallVector<Value, 8> values;
    for (const Tensor& input : inputs) values.push_back(input.value());
    return detail::record(operation<Op>(), &op, sizeof(Op), {values.data(), values.size()});
}

template <class Op>
NodePtr record(const Op& op, const TensorList& inputs) {
    SmallVector<Value, 8> values;
    for (const Tensor& input : inputs) values.push_back(input.value());
    return detail::record(operation<Op>(), &op, sizeof(Op), {values.data(), values.size()});
}

inline Tensor result(const NodePtr& node, uint32_t output = 0) { return Tensor(Value{node, output}); }

/// Records an operation with one result.
template <class Op>
Tensor apply(const Op& op, std::initializer_list<Tensor> inputs) {
    return result(record(op, inputs));
}

}  // namespace liven
