#pragma once

#include <initializer_list>
#include <string_view>
#include <type_traits>

#include "liven/graph/record.hpp"

namespace liven {
namespace detail {

using CustomForward = TensorList (*)(const void* attributes, const TensorList& inputs);
/// The types of what `forward` makes of operands of these types. Nothing stays recorded.
void infer_custom(std::string_view name, const void* attributes, CustomForward forward, InputTypes in,
                  OutputTypes& out);

struct NoGradient {};

inline TensorList as_list(const Tensor& tensor) { return {tensor}; }
inline TensorList as_list(const TensorList& tensors) { return tensors; }

/// What `custom_operation` records: the user's attributes, with the type of both lambdas in its own type.
template <class Attributes, class Forward, class Gradient>
struct CustomOp {
    Attributes attributes;

    static constexpr OperationDoc doc{
        .name = Attributes::name, .category = "user", .summary = "user-defined operation"};

    void infer(InputTypes in, OutputTypes& out) const {
        const CustomForward forward = [](const void* a, const TensorList& inputs) {
            return as_list(Forward{}(*static_cast<const Attributes*>(a), inputs));
        };
        infer_custom(doc.name, &attributes, forward, in, out);
    }
    void fields(FieldVisitor& visitor) const {
        if constexpr (requires(const Attributes& a) { a.fields(visitor); })
            attributes.fields(visitor);
        else
            static_assert(std::is_empty_v<Attributes>, "attributes are named in fields(): they are part of the plan");
    }
    TensorList decompose(const TensorList& in) const { return as_list(Forward{}(attributes, in)); }
    void vjp(Vjp& v) const requires(!std::is_same_v<Gradient, NoGradient>) { Gradient{}(attributes, v); }
};

}  // namespace detail

/// An operation that a user defines; made by `custom_operation`.
template <class Attributes, class Forward, class Gradient = detail::NoGradient>
class CustomOperation {
public:
    /// Records the operation as one node and returns its first result.
    Tensor operator()(const Attributes& attributes, const TensorList& inputs) const {
        return result(record(Op{attributes}, inputs));
    }
    /// All results.
    TensorList results(const Attributes& attributes, const TensorList& inputs) const {
        const NodePtr node = record(Op{attributes}, inputs);
        TensorList tensors;
        for (uint32_t i = 0; i < node->outputs.size(); ++i) tensors.push_back(result(node, i));
        return tensors;
    }

private:
    using Op = detail::CustomOp<Attributes, Forward, Gradient>;
};

/// Defines an operation by what it computes and, when the chain rule through that is not what is wanted, by its
/// gradient. Both are lambdas without captures over tensors; whatever they depend on stands in `Attributes`, a
/// trivially copyable struct of at most 112 bytes:
///
///     struct Swish {
///         float beta = 1;
///         static constexpr std::string_view name = "swish";
///         void fields(FieldVisitor& visitor) const { visitor.field("beta", double{beta}); }
///     };
///     const auto swish = custom_operation<Swish>(
///         [](const Swish& op, const TensorList& in) { return in[0] * sigmoid(scale(in[0], op.beta)); },
///         [](const Swish& op, Vjp& v) { v.contribute(0, v.gradient() * ...); });
///     Tensor y = swish({.beta = 2}, {x});
///
/// `forward` returns a Tensor or a TensorList. The operation is recorded as one node, differentiated by `gradient` (by
/// the operations inside when there is none) and replaced by the operations of `forward` before fusion, so it runs as
/// fast as they do. Its type and its attributes are part of the plan's key; a number that changes from step to step
/// belongs among the inputs. The lambdas record, they cannot read: `data()` in one throws Error.
template <class Attributes, class Forward, class Gradient = detail::NoGradient>
constexpr CustomOperation<Attributes, Forward, Gradient> custom_operation(Forward, Gradient = {}) {
    static_assert(std::is_empty_v<Forward> && std::is_empty_v<Gradient>,
                  "lambdas of a custom operation capture nothing: what they depend on stands in the attributes");
    return {};
}

}  // namespace liven
