#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/step.hpp"
#include "liven/graph/graph.hpp"
#include "liven/graph/plan.hpp"

namespace liven::detail {

/// What a value is found by in maps and sets.
using ValueKey = std::pair<const Node*, uint32_t>;
inline ValueKey key_of(const Value& value) { return {value.node.get(), value.output}; }

/// A value as a step reads or writes it: a piece of memory (views are looked through) under a shape.
struct GroupOperand {
    Value value;               ///< the value it is; never a view
    Shape shape;               ///< the shape the step sees
    Value home = {};           ///< the wider value in whose memory it lies, if not its own
    int64_t offset = 0;        ///< channels before it there
    int64_t pixel_stride = 0;  ///< values to the next pixel; 0: dense
    bool bf16 = false;         ///< f32 values that are stored in bf16; see narrow_maps.hpp

    bool dense() const { return pixel_stride == 0; }
    /// The value whose memory it is.
    const Value& storage() const { return home ? home : value; }
    /// How the values lie in memory.
    DType dtype() const { return bf16 ? DType::bf16 : value.type().dtype; }
    /// Of the value whose memory it is.
    size_t storage_bytes() const { return static_cast<size_t>(storage().shape().count()) * size_of(dtype()); }
};

/// What one step computes: an operation of the graph with the pointwise operations that ride along, or pointwise
/// operations by themselves.
struct Group {     // NOLINT(bugprone-reserved-identifier): the name is the compiler's, for arrays with initialisers
    NodePtr core;  ///< null: pointwise only
    Shape domain;  ///< shape of the values the epilogue (or the program by itself) walks
    std::vector<GroupOperand> inputs, outputs;
    std::vector<Value> waits;  ///< values that must stand before it runs, though it does not read them
    kernels::Program prologue[2], epilogue;
    bool has_prologue[2] = {false, false}, has_epilogue = false;
    bool in_place = false;  ///< a concatenation whose parts were written where they belong: nothing is left to do
    Shape prologue_shape[2];
    const kernels::KernelInfo* kernel = nullptr;  ///< null: the reference loops, or in place
    std::vector<std::string> notes;               ///< why something was not merged, why a kernel was refused
    const char* scope = "";
    bool is_gradient = false, is_repeated = false;
    double flops = 0, bytes = 0;

    /// Of `bytes`, those of results.
    double written_bytes() const {
        double written = 0;
        if (in_place) return written;
        for (const GroupOperand& output : outputs)
            written +=
                static_cast<double>(output.value.type().shape.count()) * static_cast<double>(size_of(output.dtype()));
        return written;
    }
    std::string_view op() const;
    std::string_view kernel_name() const { return kernel ? kernel->name : std::string_view("reference"); }
    /// The path of the module it belongs to, and whether it belongs to the backward pass or is repeated for it.
    std::string place() const {
        return std::string(is_repeated ? "again " : is_gradient ? "gradient of " : "") + scope;
    }
    /// The same, with the operation where there is no module.
    std::string place_or_op() const { return place() + (*scope ? "" : std::string(op())); }
    /// Whether a reduction of the epilogue makes this output.
    bool is_reduction(size_t output) const {
        return std::any_of(epilogue.reductions.begin(), epilogue.reductions.end(), [&](const auto& reduction) {
            return reduction.operand == static_cast<int>(output) || reduction.operand2 == static_cast<int>(output);
        });
    }
    /// The problem as the kernels see it; points into this group.
    kernels::Problem problem(bool strict_math) const;
    std::string str() const;
};

/// What computing maps in the steps that read them, rather than storing them, saves a run, in bytes.
struct Recomputed {
    double stored_bytes = 0;  ///< maps that need no memory
    double moved_bytes = 0;   ///< reads and writes less
};

/// The graph cut into groups, in an order in which they can run.
struct FusedGraph {
    Graph graph;  ///< keeps the nodes alive
    std::vector<Group> groups;
    Recomputed recomputed;
    std::string str() const;
    std::string graphviz() const;
};

/// Merges pointwise operations and sums into the steps next to them. The rules, one function each, are in
/// fuse_rules.cpp.
FusedGraph fuse(const Graph& simplified, const EngineOptions& options);

/// X'D of a dense layer so wide that its gradient is worth not storing; see factor_norms.cpp.
bool is_wide_product(const Value& value);

/// The value whose memory a value is: looks through views.
Value storage_of(Value value);

}  // namespace liven::detail
