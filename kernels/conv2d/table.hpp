#pragma once

#include <cstddef>
#include <cstdint>

#include "liven/core/isa.hpp"

/// What the drivers of the direct convolutions call, once per instruction set. Output channels come in blocks of 16,
/// whose weights (or partial sums) are contiguous: one AVX-512 register, two of AVX2, four of SSE2.
namespace liven::kernels {

inline constexpr int64_t conv_block = 16;

/// One row of output pixels for up to `max_row_channels` output channels. Output pixel p is the sum over runs r and
/// elements j of runs[r][p * src_step + j] * weights[r * run_length + j]: a run is as many source values as lie
/// contiguous, kernel width times channels when neither dilation nor groups part them. With dot products a value is a
/// pair of bf16, two channels, and so is each of the 16 weights it meets.
struct ConvRow {
    const float* const* runs = nullptr;
    int64_t run_count = 0;
    int64_t run_length = 0;
    int64_t src_step = 0;            ///< floats from the sources of one output pixel to those of the next
    const float* weights = nullptr;  ///< run_count x run_length x 16
    int64_t block_step = 0;          ///< floats to the weights of the next 16 channels
    float* dst = nullptr;
    int64_t dst_step = 0;  ///< floats from one output pixel to the next
    int64_t channels = 0;
    int64_t pixels = 0;
    const std::byte* soon = nullptr;  ///< memory that will be read next: asked into L2 while the row is computed
    int64_t soon_bytes = 0;
};

/// One row of a depthwise convolution: dst[p][c] = sum over taps t of taps[t][p * src_step + c] * weights[t *
/// weight_step + c].
struct DepthwiseRow {
    const float* const* taps = nullptr;
    int64_t tap_count = 0;
    int64_t src_step = 0;
    const float* weights = nullptr;
    int64_t weight_step = 0;
    float* dst = nullptr;
    int64_t dst_step = 0;
    int64_t channels = 0;
    int64_t pixels = 0;
};

/// dst[p * dst_step + j] += sum over rows r of rows[r][p * src_step + j] for j < length: what a pixel p adds to a row
/// of results. Runs of neighbouring pixels overlap; rows are readable up to a whole vector beyond their last value.
struct ConvRuns {
    const float* const* rows = nullptr;
    int64_t row_count = 0;
    int64_t src_step = 0;
    int64_t length = 0;
    float* dst = nullptr;
    int64_t dst_step = 0;
    int64_t pixels = 0;
};

/// Adds to `partial` (run_count x length x 16) the products of `rows` rows of source and of diff_dst:
/// partial[u][j][o] += sum over rows r, pixels p of src[u * rows + r][p * src_step + j] * diff_dst[r][p * diff_step +
/// o].
struct ConvGradRows {
    const float* const* src = nullptr;  ///< run_count x rows
    const float* const* diff_dst = nullptr;
    int64_t run_count = 0;
    int64_t rows = 0;
    int64_t pixels = 0;
    int64_t src_step = 0;
    int64_t diff_step = 0;
    int64_t length = 0;
    int64_t channels = 0;  ///< 1 .. 16 of the block are there
    float* partial = nullptr;
};

/// partial[t * partial_step + c] += sum over pixels p of taps[t][p * src_step + c] * diff_dst[p * diff_step + c].
struct DepthwiseGradRow {
    const float* const* taps = nullptr;
    int64_t tap_count = 0;
    int64_t src_step = 0;
    const float* diff_dst = nullptr;
    int64_t diff_step = 0;
    int64_t channels = 0;
    int64_t pixels = 0;
    float* partial = nullptr;
    int64_t partial_step = 0;
};

struct ConvForwardTable {
    void (*row)(const ConvRow&) noexcept = nullptr;
    void (*row_dots)(const ConvRow&) noexcept = nullptr;  ///< null where there are none
    /// 16 weights of an even source channel and of the odd one behind it, rounded, as pairs.
    void (*pair_weights)(const float* even, const float* odd, float* pairs) noexcept = nullptr;
    void (*add_runs)(const ConvRuns&) noexcept = nullptr;
    int64_t max_row_channels = conv_block;
};

struct ConvGradTable {
    void (*rows)(const ConvGradRows&) noexcept = nullptr;
    /// The same over pairs of pixels in bf16 where floats would be; null where there are no dot products.
    void (*rows_dots)(const ConvGradRows&) noexcept = nullptr;
    /// Up to how many values of `length` three runs go in one call: all accumulators of a small kernel in registers. 0:
    /// never.
    int64_t fused_length = 0;
};

struct DepthwiseTable {
    void (*row)(const DepthwiseRow&) noexcept = nullptr;
    void (*grad_row)(const DepthwiseGradRow&) noexcept = nullptr;
};

const ConvForwardTable& conv_forward_table(Isa isa);
const ConvGradTable& conv_grad_table(Isa isa);
const DepthwiseTable& depthwise_table(Isa isa);

}  // namespace liven::kernels
