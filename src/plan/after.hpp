#pragma once

#include <vector>

#include "fused.hpp"
#include "liven/graph/record.hpp"

namespace liven {
namespace ops {

/// The first operand, not to be read before the second has been computed. Only passes of the planner record it.
struct After {
    static constexpr bool view = true;
    static constexpr OperationDoc doc{.name = "after",
                                      .category = "shape",
                                      .summary = "the first operand, read once the second has been computed",
                                      .formula = "y = x"};
    void infer(InputTypes in, OutputTypes& out) const { out.push_back(*in[0]); }
};

}  // namespace ops

namespace detail {

/// Adds the values that must stand before this one may be read.
inline void collect_waits(Value value, std::vector<Value>& waits) {
    while (!value.node->is_leaf() && value.node->operation->view) {
        if (value.node->operation == &operation<ops::After>()) waits.push_back(storage_of(value.node->inputs[1]));
        value = Value(value.node->inputs[0]);
    }
}

}  // namespace detail
}  // namespace liven
