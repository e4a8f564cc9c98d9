#include "kernels/conv2d/taps.hpp"

#include <algorithm>

namespace liven::kernels {
namespace {

TapAxis forward_axis(int64_t src, int64_t dst, int64_t kernel, int64_t stride, int64_t low, int64_t dilation) {
    TapPhase phase{.first = 0, .step = 1, .outputs = dst, .src_step = stride, .taps = {}};
    for (int64_t k = 0; k < kernel; ++k) phase.taps.push_back({.offset = k * dilation - low, .kernel = k});
    return {.phases = {phase}, .extent = src, .src_step = stride};
}

/// diff_src[i] = sum over k with i + low - k * dilation = stride * o of diff_dst[o] * weights[k].
TapAxis input_grad_axis(int64_t src, int64_t dst, int64_t kernel, int64_t stride, int64_t low, int64_t dilation) {
    TapAxis axis{.phases = {}, .extent = dst, .src_step = 1};
    for (int64_t first = 0; first < stride; ++first) {
        TapPhase phase{.first = first,
                       .step = stride,
                       .outputs = src > first ? (src - first + stride - 1) / stride : 0,
                       .src_step = 1,
                       .taps = {}};
        for (int64_t k = kernel - 1; k >= 0; --k) {
            const int64_t distance = first + low - k * dilation;
            if (distance % stride == 0) phase.taps.push_back({.offset = distance / stride, .kernel = k});
        }
        axis.phases.push_back(phase);
    }
    return axis;
}

}  // namespace

int64_t TapAxis::lowest() const {
    int64_t least = extent;
    for (const TapPhase& phase : phases)
        if (!phase.taps.empty() && phase.outputs > 0) least = std::min(least, phase.taps.front().offset);
    return least;
}

int64_t TapAxis::highest() const {
    int64_t greatest = -1;
    for (const TapPhase& phase : phases)
        if (!phase.taps.empty() && phase.outputs > 0)
            greatest = std::max(greatest, (phase.outputs - 1) * phase.src_step + phase.taps.back().offset);
    return greatest;
}

TapAxis::Range TapAxis::sources(int64_t begin, int64_t end) const {
    Range range{.first = extent, .last = 0};
    for (int64_t output = begin; output < end; ++output) {
        const TapPhase& phase = phase_of(output);
        const int64_t index = output / phase.step * phase.src_step;
        for (const Tap& tap : phase.taps) {
            const int64_t source = index + tap.offset;
            if (source < 0 || source >= extent) continue;
            range.first = std::min(range.first, source);
            range.last = std::max(range.last, source + 1);
        }
    }
    if (range.first >= range.last) return {};
    return range;
}

TapPlan forward_taps(const Conv2dGeometry& g) {
    const Window2d& w = g.window;
    return {.h = forward_axis(g.src_h, g.dst_h, w.kernel.h, w.stride.h, w.padding.top, w.dilation.h),
            .w = forward_axis(g.src_w, g.dst_w, w.kernel.w, w.stride.w, w.padding.left, w.dilation.w)};
}

TapPlan input_grad_taps(const Conv2dGeometry& g) {
    const Window2d& w = g.window;
    return {.h = input_grad_axis(g.src_h, g.dst_h, w.kernel.h, w.stride.h, w.padding.top, w.dilation.h),
            .w = input_grad_axis(g.src_w, g.dst_w, w.kernel.w, w.stride.w, w.padding.left, w.dilation.w)};
}

}  // namespace liven::kernels
