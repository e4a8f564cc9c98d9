#pragma once

#include "liven/core/attributes.hpp"
#include "liven/graph/record.hpp"

namespace liven {
namespace ops {

/// A tensor of one repeated number that belongs to the structure of the graph.
struct Constant {
    float value = 0;
    int32_t rank = 0;
    AxisArray extents{};

    static constexpr OperationDoc doc{
        .name = "constant", .category = "source", .summary = "one number, repeated", .formula = "y = value"};
    void infer(InputTypes, OutputTypes& out) const {
        out.push_back({.shape = Shape(std::span<const int64_t>(extents.data(), static_cast<size_t>(rank)))});
    }
    void vjp(Vjp&) const {}
    void fields(FieldVisitor& visitor) const {
        visitor.field("value", static_cast<double>(value));
        for (int32_t axis = 0; axis < rank; ++axis) visitor.field("extent", extents[static_cast<size_t>(axis)]);
    }
};

/// The value itself; gradients do not pass.
struct Detach {
    static constexpr bool view = true;
    static constexpr OperationDoc doc{.name = "detach",
                                      .category = "source",
                                      .summary = "the value, cut off from gradients",
                                      .formula = "y = x, dx = 0"};
    void infer(InputTypes in, OutputTypes& out) const { out.push_back(*in[0]); }
    void vjp(Vjp&) const {}
};

}  // namespace ops
}  // namespace liven
