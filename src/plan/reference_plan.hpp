#pragma once

#include "liven/graph/plan.hpp"

namespace liven::detail {

/// Node by node, plain loops, no fusion: the oracle.
std::unique_ptr<Plan> make_reference_plan(const Graph& lowered, const EngineOptions& options);

/// The same in double, for the gradient checker: f32 leaves are given as doubles, results are returned as doubles.
std::vector<std::vector<double>> run_in_double(const Graph& lowered, std::span<const void* const> leaves);

}  // namespace liven::detail
