#pragma once

#include <cstdint>
#include <vector>

#include "kernels/step.hpp"

namespace liven::kernels {

/// The vector loops of reductions and softmax for one ISA.
struct ReduceTable {
    /// Adds `pixels` rows of `channels` values, `stride` floats apart, to `slot`: sums, maxima (NaN wins), or counts,
    /// means and sums of squared deviations, each a plane of `channels` doubles. `block` is scratch of 3 x channels
    /// floats.
    using Accumulate = void (*)(const float* src, int64_t pixels, int64_t stride, int64_t channels, float* block,
                                double* slot) noexcept;
    Accumulate sum, maximum, moments;

    /// `count` rows of `channels` values each, strides in floats.
    using Rows = void (*)(float* dst, int64_t dst_stride, const float* src, int64_t src_stride, int64_t count,
                          int64_t channels) noexcept;
    Rows softmax, log_softmax;

    /// Adds the products of all pairs of `count` rows, over `columns` of them, to the upper triangle of `sums`
    /// (count x count): every product and sum in double.
    void (*gram)(const float* rows, int64_t stride, int64_t count, int64_t columns, double* sums) noexcept;
    /// `count` rows of bf16, `stride` values apart, as floats without gaps.
    void (*widen)(const uint16_t* rows, int64_t stride, int64_t count, int64_t columns, float* dst) noexcept;
};

const ReduceTable* reduce_table_baseline();
const ReduceTable* reduce_table_avx2();
const ReduceTable* reduce_table_avx512();

const ReduceTable& reduce_table(Isa isa);

void register_softmax(std::vector<KernelInfo>& out);
void register_one_hot(std::vector<KernelInfo>& out);
void register_product_norm(std::vector<KernelInfo>& out);

}  // namespace liven::kernels
