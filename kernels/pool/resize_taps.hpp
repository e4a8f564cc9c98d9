#pragma once

#include <cstdint>
#include <vector>

#include "kernels/pool/resize.hpp"

namespace liven::kernels {

/// Which inputs make each output along one axis; see TapsView.
struct AxisTaps {
    std::vector<int64_t> begin{0};
    std::vector<int64_t> index;
    std::vector<float> weight;

    int64_t outputs() const { return static_cast<int64_t>(begin.size()) - 1; }
    TapsView view() const { return {begin.data(), index.data(), weight.data(), outputs()}; }
    /// Most inputs from the first to the last of an output.
    int64_t reach() const;
    void add(int64_t input, double factor) {
        index.push_back(input);
        weight.push_back(static_cast<float>(factor));
    }
    void end_output() { begin.push_back(static_cast<int64_t>(index.size())); }
    /// The same weights the other way: what the gradient along this axis uses.
    AxisTaps transposed(int64_t inputs) const;
};

/// Pixel i of `outputs` covers [i, i + 1) * inputs / outputs; the input pixel at its centre.
AxisTaps nearest_taps(int64_t inputs, int64_t outputs);
/// The two input pixels whose centres enclose the output's centre, by distance; clamped at the edges.
AxisTaps bilinear_taps(int64_t inputs, int64_t outputs);

/// Means of windows that start at o * stride - low. The divisor is the number of taps in the image or, when padding
/// counts, in the image with its padding (PyTorch's rule: what a last window of ceil mode has beyond the padding never
/// counts).
struct AverageAxis {
    int64_t inputs = 0, outputs = 0, kernel = 1, stride = 1, dilation = 1, low = 0, high = 0;
    bool count_padding = false;
};
AxisTaps average_taps(const AverageAxis& axis);

}  // namespace liven::kernels
