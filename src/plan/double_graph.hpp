#pragma once

#include <span>
#include <vector>

#include "liven/graph/graph.hpp"

namespace liven::detail {

/// Recorded values computed in double by the reference loops, as often as wanted and with other numbers in the leaves:
/// what gradients and float results are measured against.
class DoubleGraph {
public:
    explicit DoubleGraph(std::span<const Value> values);

    /// The numbers of an f32 leaf, to be changed at will. Empty when nothing depends on the leaf.
    std::span<double> leaf(const Node* leaf);
    std::vector<std::vector<double>> run() const;

private:
    Graph lowered_;
    std::vector<NodePtr> leaves_;
    std::vector<std::vector<double>> reals_;
    std::vector<const void*> values_;
};

}  // namespace liven::detail
