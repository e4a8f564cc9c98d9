#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "liven/graph/node.hpp"

namespace liven {

/// What the passes work on: the nodes that some results depend on. Passes are pure functions from graph to graph:
///     trace -> differentiate -> lower -> simplify -> fuse -> schedule -> allocate -> run
struct Graph {
    struct Root {
        Value value;
        int assigns = -1;  ///< index in `leaves` of the state this result overwrites, or -1
    };
    std::vector<Root> roots;
    std::vector<NodePtr> leaves;  ///< the leaves of the trace, in the order in which a run is given their values

    /// Every node the roots need, producers before consumers; sets each node's `index`.
    std::vector<Node*> order() const;
    /// "%3 = conv2d[kernel=3x3](%0, w)   16x256x256x16   4.83 GFLOP", a line a node.
    std::string str() const;
    /// The same as a Graphviz digraph.
    std::string graphviz() const;
};

std::ostream& operator<<(std::ostream& out, const Graph& graph);

/// Producers before consumers, for any set of values; marks with a fresh visit number and sets `index`. `order` is
/// reused.
void visit_order(const Value* first, const Value* last, std::vector<Node*>& order);

/// A copy of the graph of these values as the trace stands now, with placeholders for the leaves.
Graph trace(const std::vector<Value>& roots);

/// Replaces every gradient request by the operations that compute it (reverse mode). Source: the chain rule; each
/// operation's `vjp` gives its factor.
Graph differentiate(const Graph& graph);

/// Replaces composite operations (batch_norm, cross_entropy, gru, an optimiser's update, user operations) by primitive
/// ones.
Graph lower(const Graph& graph);

/// Removes what need not be computed: dead nodes, common subexpressions, arithmetic with constants 0 and 1, batch-norm
/// after a convolution at inference.
Graph simplify(const Graph& graph);
/// Upsampling before a 2x2 convolution, in that convolution: see src/plan/fold_upsampling.cpp.
Graph fold_upsampling(const Graph& graph);

/// Sums over the gradient of a max pool, taken over the pooled map: see src/plan/sum_behind_pools.cpp.
Graph sum_behind_pools(const Graph& graph);

/// The norm of a wide dense layer's gradient without the gradient: see src/plan/factor_norms.cpp. The last rule of
/// simplify().
Graph factor_norms(const Graph& graph);

}  // namespace liven
