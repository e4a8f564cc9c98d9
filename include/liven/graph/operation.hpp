#pragma once

#include <cstdint>
#include <cstring>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "liven/graph/node.hpp"

namespace liven {

class Tensor;
class Vjp;

/// What the documentation and `liven ops` say of an operation.
struct OperationDoc {
    std::string_view name;
    std::string_view category;
    std::string_view summary;
    std::string_view formula = {};
    std::string_view source = {};
};

/// Work of one evaluation.
struct Cost {
    double flops = 0;
    double bytes = 0;  ///< operands read and results written, each once
};

using InputTypes = std::span<const TensorType* const>;
using OutputTypes = SmallVector<TensorType, 3>;
using TensorList = SmallVector<Tensor, 4>;

/// Receives the fields of an attribute struct, by name: the one description from which keys, printing and comparison
/// come.
class FieldVisitor {
public:
    virtual void field(std::string_view name, int64_t value) = 0;
    virtual void field(std::string_view name, double value) = 0;

protected:
    ~FieldVisitor() = default;
};

/// The descriptor of an operation: built once from its struct by `operation<Op>()`.
///
/// An operation is a trivially copyable struct of structural attributes with
///     static constexpr OperationDoc doc;
///     void infer(InputTypes in, OutputTypes& out) const;          // the shape rule; throws Error with the shapes
/// and as many of these as apply
///     void fields(FieldVisitor&) const;                           // all its attributes
///     void vjp(Vjp&) const;                                       // vector-Jacobian product in terms of operations
///     TensorList decompose(const TensorList& inputs) const;       // the operation in terms of simpler ones
///     Cost cost(InputTypes in, InputTypes out) const;
///     static constexpr bool pointwise = true;                     // one value from the values at the same place
struct Operation {
    OperationDoc doc;
    bool pointwise = false;
    bool view = false;  ///< the result is the input's memory under another shape

    void (*infer)(const void* attributes, InputTypes in, OutputTypes& out) = nullptr;
    void (*fields)(const void* attributes, FieldVisitor& visitor) = nullptr;
    void (*vjp)(const void* attributes, Vjp& context) = nullptr;
    TensorList (*decompose)(const void* attributes, const TensorList& inputs) = nullptr;
    Cost (*cost)(const void* attributes, InputTypes in, InputTypes out) = nullptr;

    std::string_view name() const { return doc.name; }
};

namespace detail {
/// Reads and writes every operand once; one FLOP an output element.
Cost default_cost(InputTypes in, InputTypes out);
}  // namespace detail

/// The descriptor of Op; the same object at every call.
template <class Op>
const Operation& operation();

/// All operations of the library, in the order of the documentation.
const std::vector<const Operation*>& all_operations();

/// "conv2d[kernel=3x3 stride=1x1]": the operation with its attributes.
std::string describe(const Node& node);

/// Work of one node.
Cost cost_of(const Node& node);

}  // namespace liven
