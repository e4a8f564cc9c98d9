#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "liven/core/attributes.hpp"
#include "src/reference/array.hpp"

/// Resizing of the two middle axes of N x H x W x C, half-pixel centres, edges clamped.
namespace liven::reference {

/// One input pixel's part in an output pixel along one axis.
struct ResizeTap {
    int64_t input = 0;
    double weight = 0;
};

/// Output pixel o of `outputs` has its centre at (o + 1/2) * inputs / outputs of the input's axis, whose pixel i covers
/// [i, i + 1). Nearest takes the pixel there; bilinear the two whose centres enclose it.
inline std::array<ResizeTap, 2> resize_taps(ResizeAttributes::Mode mode, int64_t inputs, int64_t outputs, int64_t o) {
    if (mode == ResizeAttributes::Mode::nearest) return {{{(2 * o + 1) * inputs / (2 * outputs), 1.0}, {0, 0.0}}};
    const double centre = (static_cast<double>(o) + 0.5) * static_cast<double>(inputs) / static_cast<double>(outputs);
    const double at = std::clamp(centre - 0.5, 0.0, static_cast<double>(inputs - 1));
    const auto lower = static_cast<int64_t>(at);
    const double share = at - static_cast<double>(lower);
    return {{{lower, 1.0 - share}, {std::min(lower + 1, inputs - 1), share}}};
}

/// Calls `visit(source value, result value, weight)` for every pair that belongs together.
template <class Visit>
void each_resize_pair(ResizeAttributes::Mode mode, const Shape& src, const Shape& dst, Visit visit) {
    for (int64_t n = 0; n < dst[0]; ++n)
        for (int64_t y = 0; y < dst[1]; ++y)
            for (int64_t x = 0; x < dst[2]; ++x)
                for (const ResizeTap& row : resize_taps(mode, src[1], dst[1], y))
                    for (const ResizeTap& column : resize_taps(mode, src[2], dst[2], x)) {
                        const double weight = row.weight * column.weight;
                        if (weight == 0) continue;
                        for (int64_t c = 0; c < dst[3]; ++c)
                            visit(((n * src[1] + row.input) * src[2] + column.input) * src[3] + c,
                                  ((n * dst[1] + y) * dst[2] + x) * dst[3] + c, weight);
                    }
}

template <class T>
void resize(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const auto mode = static_cast<const ResizeAttributes*>(attributes)->mode;
    std::vector<double> sums(static_cast<size_t>(outputs[0].count()), 0.0);
    each_resize_pair(mode, inputs[0].shape, outputs[0].shape, [&](int64_t from, int64_t to, double weight) {
        sums[static_cast<size_t>(to)] += weight * static_cast<double>(inputs[0].real()[from]);
    });
    for (size_t i = 0; i < sums.size(); ++i) outputs[0].real()[i] = static_cast<T>(sums[i]);
}

/// The transpose of `resize`: every diff_dst goes back to the pixels it was made from, by the same weights.
template <class T>
void resize_grad(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const auto mode = static_cast<const ResizeAttributes*>(attributes)->mode;
    std::vector<double> sums(static_cast<size_t>(outputs[0].count()), 0.0);
    each_resize_pair(mode, outputs[0].shape, inputs[0].shape, [&](int64_t to, int64_t from, double weight) {
        sums[static_cast<size_t>(to)] += weight * static_cast<double>(inputs[0].real()[from]);
    });
    for (size_t i = 0; i < sums.size(); ++i) outputs[0].real()[i] = static_cast<T>(sums[i]);
}

}  // namespace liven::reference
