#pragma once

#include <cstdint>
#include <tuple>

namespace liven {

/// Height and width of something. `{3}` means 3 x 3.
struct Extent2d {
    int64_t h = 1, w = 1;
    constexpr Extent2d(int64_t both = 1) : h(both), w(both) {}  // NOLINT(google-explicit-constructor): {.kernel = 3}
    constexpr Extent2d(int64_t height, int64_t width) : h(height), w(width) {}
    bool operator==(const Extent2d&) const = default;
};

/// Rows and columns of zeros around an image, each side by itself.
struct Padding2d {
    int64_t top = 0, bottom = 0, left = 0, right = 0;
    bool operator==(const Padding2d&) const = default;
};

/// A window that slides over an image: what convolution and pooling have in common.
struct Window2d {
    Extent2d kernel{1};
    Extent2d stride{1};
    Padding2d padding{};
    Extent2d dilation{1};
    bool ceil_mode = false;  ///< pooling only: a last, partly outside window counts when it starts inside
    bool operator==(const Window2d&) const = default;

    /// Output extent along one axis of `input` pixels: floor or ceil((input + lo + hi - dilation*(kernel-1) -
    /// 1)/stride) + 1.
    static constexpr int64_t out(int64_t input, int64_t kernel, int64_t stride, int64_t lo, int64_t hi,
                                 int64_t dilation, bool ceil_mode = false) {
        const int64_t span = input + lo + hi - dilation * (kernel - 1) - 1;
        if (span < 0) return 0;
        int64_t count = (span + (ceil_mode ? stride - 1 : 0)) / stride + 1;
        // PyTorch's rule: the last window starts inside the image or its low padding.
        if (ceil_mode && (count - 1) * stride >= input + lo) --count;
        return count;
    }
    constexpr int64_t out_h(int64_t h) const {
        return out(h, kernel.h, stride.h, padding.top, padding.bottom, dilation.h, ceil_mode);
    }
    constexpr int64_t out_w(int64_t w) const {
        return out(w, kernel.w, stride.w, padding.left, padding.right, dilation.w, ceil_mode);
    }
};

/// Structural attributes of the convolution family: weights are kernel.h x kernel.w x (in / groups) x out.
struct Conv2dAttributes {
    Window2d window{};
    int64_t groups = 1;
    /// The weights are 3x3, and along each axis the middle one is the sum of the outer two: what a 2x2 kernel over an
    /// upsampled map comes to. Of the gradient for such weights only the sums of the middle one with either outer one
    /// are defined, along each axis. Kernels may make use of it; src/plan/fold_upsampling.cpp says it.
    bool middle_is_sum = false;
    bool operator==(const Conv2dAttributes&) const = default;
};

/// Structural attributes of matmul: y = op(a) op(b), op transposing the last two axes.
struct MatmulAttributes {
    bool transpose_a = false;
    bool transpose_b = false;
    bool operator==(const MatmulAttributes&) const = default;
};

}  // namespace liven
