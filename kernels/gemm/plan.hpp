#pragma once

#include <cstdint>
#include <string>

#include "kernels/gemm/gemm.hpp"
#include "kernels/step.hpp"

namespace liven::kernels {

/// A matrix as it lies in memory, one of a batch.
struct GemmMatrix {
    int64_t row = 0;          ///< floats from one stored row to the next
    int64_t batch = 0;        ///< floats from one matrix of the batch to the next; 0: shared
    bool transposed = false;  ///< the operation uses the transpose of what is stored
};

/// How the units are cut.
enum class GemmForm {
    tiles,    ///< blocks of dst
    split_k,  ///< blocks of k as well, partial results added in a second stage
    turned    ///< few rows of dst: dst' = b' a' with the long side of b as rows
};

/// How products are made.
enum class GemmProducts {
    f32,  ///< one by one; what is stored in bf16 is widened
    dots  ///< two by two, as dot products of pairs of bf16 along k; weights in f32 are rounded
};

/// Sizes and cuts of a product dst (m x n) = a (m x k) b (k x n). In the turned form a and b, m and n have changed
/// places. With dot products every extent along k counts pairs.
struct GemmPlan {
    GemmForm form = GemmForm::tiles;
    int64_t batch = 1, samples = 1;
    int64_t m = 0, n = 0, k = 0;
    int64_t inner = 0;      ///< products of a result: k, or what its pairs hold
    int64_t step_size = 1;  ///< products of a step of k
    GemmMatrix a, b;
    int64_t dst_row = 0, dst_batch = 0;

    int64_t unit_m = 0, unit_n = 0, unit_k = 0;     ///< largest extents of a unit
    int64_t units_m = 0, units_n = 0, units_k = 0;  ///< how many of them
    int64_t block_k = 0;                            ///< k is walked in blocks of this depth
    int64_t strip = 0;                              ///< rows of a tile
    bool a_direct = false, b_direct = false;        ///< read in place instead of packed
    bool packed_ahead = false;                      ///< a first stage packs both operands whole, once
    bool a_bf16 = false;                            ///< operand a is stored in bf16
    bool b_bf16 = false;                            ///< operand b is stored in bf16
    bool stream = false;                            ///< dst is too large for any cache
    double overhead = 1;                            ///< expected time over the time of the bare FMAs

    bool dots() const { return step_size == 2; }
    int64_t blocks_k() const { return (k + block_k - 1) / block_k; }
    int64_t units() const { return batch * units_m * units_n * units_k; }
    /// Rows and columns of dst as the caller sees it.
    int64_t dst_rows() const { return form == GemmForm::turned ? n : m; }
    int64_t dst_columns() const { return form == GemmForm::turned ? m : n; }
};

/// Fits the problem to the form and cuts it by its shape alone. Returns why it does not fit, or an empty string.
std::string plan_gemm(const Problem& problem, GemmForm form, GemmProducts products, const GemmKernels& kernels,
                      GemmPlan& plan);

}  // namespace liven::kernels
