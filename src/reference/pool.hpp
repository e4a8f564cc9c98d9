#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "liven/core/attributes.hpp"
#include "src/reference/array.hpp"

/// Pooling over N x H x W x C: maximum (with gradient and pick) and average (with gradient).
namespace liven::reference {

/// The pixels of an H x W image under the window of output (y, x), in row-major order, as y * W + x.
inline std::vector<int64_t> pixels_under(const Window2d& window, int64_t y, int64_t x, int64_t height, int64_t width) {
    std::vector<int64_t> out;
    for (int64_t ky = 0; ky < window.kernel.h; ++ky) {
        for (int64_t kx = 0; kx < window.kernel.w; ++kx) {
            const int64_t row = y * window.stride.h - window.padding.top + ky * window.dilation.h;
            const int64_t column = x * window.stride.w - window.padding.left + kx * window.dilation.w;
            if (row >= 0 && row < height && column >= 0 && column < width) out.push_back(row * width + column);
        }
    }
    return out;
}

/// Calls `visit(result, pixels)` for every value of the pooled map: its flat index, and the flat indices of the source
/// values under its window.
template <class Visit>
void each_window(const Window2d& window, const Shape& src, const Shape& dst, Visit visit) {
    for (int64_t n = 0; n < dst[0]; ++n) {
        for (int64_t y = 0; y < dst[1]; ++y) {
            for (int64_t x = 0; x < dst[2]; ++x) {
                const std::vector<int64_t> pixels = pixels_under(window, y, x, src[1], src[2]);
                for (int64_t c = 0; c < dst[3]; ++c) {
                    std::vector<int64_t> values;
                    for (const int64_t pixel : pixels) values.push_back((n * src[1] * src[2] + pixel) * src[3] + c);
                    visit(((n * dst[1] + y) * dst[2] + x) * dst[3] + c, y, x, values);
                }
            }
        }
    }
}

/// Which of these values is the maximum: the first one in order; NaN beats numbers; -1 when there is none.
template <class T>
int64_t argmax(const T* src, const std::vector<int64_t>& values) {
    int64_t best = -1;
    for (const int64_t value : values)
        if (best < 0 || src[value] > src[best] || (std::isnan(src[value]) && !std::isnan(src[best]))) best = value;
    return best;
}

/// dst = the maximum of each window; -infinity where a window lies in the padding altogether.
template <class T>
void max_pool(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const Window2d& window = static_cast<const PoolAttributes*>(attributes)->window;
    const T* src = inputs[0].real();
    each_window(window, inputs[0].shape, outputs[0].shape,
                [&](int64_t at, int64_t, int64_t, const std::vector<int64_t>& values) {
                    const int64_t best = argmax(src, values);
                    outputs[0].real()[at] = best < 0 ? -std::numeric_limits<T>::infinity() : src[best];
                });
}

/// diff_src = diff_dst at each window's maximum of src, added where windows share it; 0 elsewhere.
template <class T>
void max_pool_grad(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const Window2d& window = static_cast<const PoolAttributes*>(attributes)->window;
    std::vector<double> sums(static_cast<size_t>(outputs[0].count()), 0.0);
    each_window(window, inputs[0].shape, inputs[1].shape,
                [&](int64_t at, int64_t, int64_t, const std::vector<int64_t>& values) {
                    const int64_t best = argmax(inputs[0].real(), values);
                    if (best >= 0) sums[static_cast<size_t>(best)] += static_cast<double>(inputs[1].real()[at]);
                });
    for (size_t i = 0; i < sums.size(); ++i) outputs[0].real()[i] = static_cast<T>(sums[i]);
}

/// dst = t at each window's maximum of src; 0 where a window lies in the padding altogether.
template <class T>
void max_pool_pick(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const Window2d& window = static_cast<const PoolAttributes*>(attributes)->window;
    each_window(window, inputs[0].shape, outputs[0].shape,
                [&](int64_t at, int64_t, int64_t, const std::vector<int64_t>& values) {
                    const int64_t best = argmax(inputs[0].real(), values);
                    outputs[0].real()[at] = best < 0 ? T{0} : inputs[1].real()[best];
                });
}

/// What the sum over the window of output (y, x) is divided by: its pixels in the image or, when padding counts, in the
/// image with its padding. What a last window of ceil mode has beyond that never counts (PyTorch's rule).
inline double average_divisor(const PoolAttributes& attributes, const Shape& src, int64_t y, int64_t x, size_t inside) {
    if (!attributes.count_include_pad) return static_cast<double>(std::max<size_t>(inside, 1));
    const Window2d& w = attributes.window;
    const auto taps = [](int64_t start, int64_t kernel, int64_t dilation, int64_t end) {
        int64_t count = 0;
        for (int64_t k = 0; k < kernel; ++k) count += start + k * dilation < end;
        return count;
    };
    const int64_t rows = taps(y * w.stride.h - w.padding.top, w.kernel.h, w.dilation.h, src[1] + w.padding.bottom);
    const int64_t columns = taps(x * w.stride.w - w.padding.left, w.kernel.w, w.dilation.w, src[2] + w.padding.right);
    return static_cast<double>(std::max<int64_t>(rows * columns, 1));
}

/// dst = the mean of each window; 0 where a window lies in the padding altogether.
template <class T>
void avg_pool(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const auto& pool = *static_cast<const PoolAttributes*>(attributes);
    const Shape& src = inputs[0].shape;
    each_window(pool.window, src, outputs[0].shape,
                [&](int64_t at, int64_t y, int64_t x, const std::vector<int64_t>& values) {
                    double sum = 0;
                    for (const int64_t value : values) sum += static_cast<double>(inputs[0].real()[value]);
                    outputs[0].real()[at] = static_cast<T>(sum / average_divisor(pool, src, y, x, values.size()));
                });
}

/// diff_src = every window's diff_dst over its divisor, added up.
template <class T>
void avg_pool_grad(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const auto& pool = *static_cast<const PoolAttributes*>(attributes);
    const Shape& src = outputs[0].shape;
    std::vector<double> sums(static_cast<size_t>(outputs[0].count()), 0.0);
    each_window(pool.window, src, inputs[0].shape,
                [&](int64_t at, int64_t y, int64_t x, const std::vector<int64_t>& values) {
                    const double share =
                        static_cast<double>(inputs[0].real()[at]) / average_divisor(pool, src, y, x, values.size());
                    for (const int64_t value : values) sums[static_cast<size_t>(value)] += share;
                });
    for (size_t i = 0; i < sums.size(); ++i) outputs[0].real()[i] = static_cast<T>(sums[i]);
}

}  // namespace liven::reference
