#pragma once

#include <string>

#include "liven/graph/graph.hpp"

namespace liven::cli {

/// The primitive operations of a traced step that touch at least 16,384 elements, a line each: operation, extents of
/// its inputs, extents of its results, and how often it occurs. What the benchmarks of single kernels read
/// (bench/shapes).
std::string shapes_of(const Graph& traced);

}  // namespace liven::cli
