#pragma once

#include <cstdint>

#include "liven/core/isa.hpp"

/// Maps whose rows and columns are mixed independently: resizing, average pooling, and the gradients of both.
namespace liven::kernels {

/// Output o along an axis is the sum of weight[j] * input index[j], begin[o] <= j < begin[o + 1], the indices of an
/// output ascending.
struct TapsView {
    const int64_t* begin = nullptr;
    const int64_t* index = nullptr;
    const float* weight = nullptr;
    int64_t outputs = 0;
};

/// What one ISA offers.
struct ResizeKernels {
    /// dst[i] = the sum of weights[r] * rows[r][i]; zero without rows.
    void (*mix_rows)(const float* const* rows, const float* weights, int64_t count, int64_t size, float* dst) = nullptr;
    /// Pixel x of dst from the dense pixels of src, by the taps of x.
    void (*mix_columns)(const float* src, const TapsView& taps, int64_t channels, float* dst,
                        int64_t dst_pixel) = nullptr;
};

const ResizeKernels& resize_kernels(Isa isa);

}  // namespace liven::kernels
