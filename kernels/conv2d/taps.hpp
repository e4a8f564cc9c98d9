#pragma once

#include <cstdint>
#include <vector>

#include "kernels/conv2d/geometry.hpp"

/// Which source pixel meets which kernel element, one axis at a time, for the forward pass and the input gradient
/// alike.
namespace liven::kernels {

/// Source index of the phase's first output, and the kernel element it is multiplied with.
struct Tap {
    int64_t offset = 0;
    int64_t kernel = 0;
};

/// Outputs first, first + step, ... that meet the same kernel elements; output number i meets source i * src_step +
/// offset.
struct TapPhase {
    int64_t first = 0;
    int64_t step = 1;
    int64_t outputs = 0;
    int64_t src_step = 1;
    std::vector<Tap> taps;  ///< by rising offset
};

/// The forward pass has one phase, which strides over the source. The input gradient of a strided convolution has as
/// many phases as the stride, each of them an ordinary convolution of diff_dst with part of the kernel: no zero is ever
/// multiplied.
struct TapAxis {
    std::vector<TapPhase> phases;
    int64_t extent = 0;  ///< of the source
    int64_t src_step = 1;

    int64_t lowest() const;   ///< least source index any output meets, negative in the padding
    int64_t highest() const;  ///< greatest source index
    const TapPhase& phase_of(int64_t output) const { return phases[static_cast<size_t>(output) % phases.size()]; }
    /// Source rows [first, last) inside the map that outputs [begin, end) meet; first == last when there are none.
    struct Range {
        int64_t first = 0, last = 0;
    };
    Range sources(int64_t begin, int64_t end) const;
};

struct TapPlan {
    TapAxis h, w;
};

TapPlan forward_taps(const Conv2dGeometry& geometry);
TapPlan input_grad_taps(const Conv2dGeometry& geometry);

}  // namespace liven::kernels
