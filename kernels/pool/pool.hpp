#pragma once

#include <cstdint>

#include "liven/core/isa.hpp"

/// Maximum pooling: what one ISA does with the rows under one row of windows.
namespace liven::kernels {

/// One row of windows. A row pointer is that of the row's first pixel; a null one lies outside of the image.
struct PoolRow {
    const float* const* src = nullptr;  ///< kernel_h rows under the windows
    int64_t src_pixel = 0;              ///< floats to the next pixel
    int64_t width = 0, out_width = 0, channels = 0;
    int64_t kernel_h = 1, kernel_w = 1, stride_w = 1, left = 0, dilation_w = 1;

    const float* const* picked = nullptr;  ///< pick: rows like src, of which the values at the maxima are taken
    int64_t picked_pixel = 0;
    float* dst = nullptr;  ///< max, pick
    int64_t dst_pixel = 0;
    const float* diff_dst = nullptr;  ///< grad
    int64_t diff_dst_pixel = 0;
    float* const* diff_src = nullptr;  ///< grad: rows that diff_dst is added to; null where another unit does it
    int64_t diff_src_pixel = 0;
};

/// The first maximum in row-major order wins, NaN wins over numbers, and what lies outside never wins.
struct PoolKernels {
    void (*max)(const PoolRow&) = nullptr;
    void (*pick)(const PoolRow&) = nullptr;
    void (*grad)(const PoolRow&) = nullptr;
};

const PoolKernels& pool_kernels(Isa isa);

}  // namespace liven::kernels
