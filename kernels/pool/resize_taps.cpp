#include "kernels/pool/resize_taps.hpp"

#include <algorithm>
#include <cmath>

namespace liven::kernels {

int64_t AxisTaps::reach() const {
    int64_t most = 0;
    for (size_t o = 0; o + 1 < begin.size(); ++o)
        if (begin[o] < begin[o + 1])
            most =
                std::max(most, index[static_cast<size_t>(begin[o + 1] - 1)] - index[static_cast<size_t>(begin[o])] + 1);
    return most;
}

AxisTaps AxisTaps::transposed(int64_t inputs) const {
    AxisTaps out;
    out.begin.assign(static_cast<size_t>(inputs) + 1, 0);
    for (const int64_t input : index) ++out.begin[static_cast<size_t>(input) + 1];
    for (size_t i = 1; i < out.begin.size(); ++i) out.begin[i] += out.begin[i - 1];
    out.index.resize(index.size());
    out.weight.resize(index.size());
    std::vector<int64_t> next(out.begin.begin(), out.begin.end() - 1);
    for (int64_t o = 0; o < outputs(); ++o) {
        for (int64_t j = begin[static_cast<size_t>(o)]; j < begin[static_cast<size_t>(o) + 1]; ++j) {
            const auto at = static_cast<size_t>(next[static_cast<size_t>(index[static_cast<size_t>(j)])]++);
            out.index[at] = o;
            out.weight[at] = weight[static_cast<size_t>(j)];
        }
    }
    return out;
}

AxisTaps nearest_taps(int64_t inputs, int64_t outputs) {
    AxisTaps taps;
    for (int64_t o = 0; o < outputs; ++o) {
        taps.add((2 * o + 1) * inputs / (2 * outputs), 1.0);
        taps.end_output();
    }
    return taps;
}

AxisTaps bilinear_taps(int64_t inputs, int64_t outputs) {
    AxisTaps taps;
    for (int64_t o = 0; o < outputs; ++o) {
        const double centre =
            (static_cast<double>(o) + 0.5) * static_cast<double>(inputs) / static_cast<double>(outputs);
        const double at = std::max(centre - 0.5, 0.0);
        const int64_t first = std::min(static_cast<int64_t>(at), inputs - 1);
        const double share = at - static_cast<double>(first);
        if (first + 1 < inputs) {
            taps.add(first, 1.0 - share);
            taps.add(first + 1, share);
        } else {
            taps.add(first, 1.0);
        }
        taps.end_output();
    }
    return taps;
}

AxisTaps average_taps(const AverageAxis& axis) {
    AxisTaps taps;
    for (int64_t o = 0; o < axis.outputs; ++o) {
        const int64_t start = o * axis.stride - axis.low;
        int64_t inside = 0, padded = 0;
        for (int64_t k = 0; k < axis.kernel; ++k) {
            const int64_t i = start + k * axis.dilation;
            inside += i >= 0 && i < axis.inputs;
            padded += i < axis.inputs + axis.high;
        }
        const double divisor = static_cast<double>(std::max<int64_t>(axis.count_padding ? padded : inside, 1));
        for (int64_t k = 0; k < axis.kernel; ++k) {
            const int64_t i = start + k * axis.dilation;
            if (i >= 0 && i < axis.inputs) taps.add(i, 1.0 / divisor);
        }
        taps.end_output();
    }
    return taps;
}

}  // namespace liven::kernels
