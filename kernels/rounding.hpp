#pragma once

#include <cstddef>
#include <cstdint>

namespace liven::kernels {

/// How many pieces of b hold a; neither is negative.
constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// The next multiple of `unit`.
constexpr int64_t round_up(int64_t value, int64_t unit) { return ceil_div(value, unit) * unit; }

/// Bytes of whole cache lines: what parts of a workspace are cut by, so that each begins aligned.
constexpr size_t whole_lines(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace liven::kernels
