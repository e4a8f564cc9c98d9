#pragma once

#include <optional>
#include <string>

#include "kernels/maps/band.hpp"
#include "kernels/step.hpp"
#include "liven/core/attributes.hpp"

/// What the three convolution operations have in common: sizes, and where each operand of the core comes from.
///
/// Convention for programs: Problem.inputs lists exactly the pointers the step gets. The core's operands come first, in
/// the order of the operation, except those that a prologue makes: these are absent and their shape is
/// Problem.prologue_shape. Then follows whatever the programs read. With an epilogue, Problem.outputs are the
/// epilogue's; the shape of the core's result is Problem.epilogue_shape or, when that is not given, the shape of
/// outputs[0].
namespace liven::kernels {

/// Sizes under their forward names, whichever way the data flows.
struct Conv2dGeometry {
    int64_t samples = 0;
    int64_t src_h = 0, src_w = 0, src_c = 0;
    int64_t dst_h = 0, dst_w = 0, dst_c = 0;
    int64_t groups = 1;
    Window2d window{};

    int64_t group_src_c() const { return src_c / groups; }
    int64_t group_dst_c() const { return dst_c / groups; }
    bool depthwise() const { return groups > 1 && groups == src_c && src_c == dst_c; }
    int64_t weights() const { return window.kernel.h * window.kernel.w * group_src_c() * dst_c; }
    /// Multiplications and additions of any of the three operations, those with padding included.
    double flops() const { return 2.0 * static_cast<double>(samples * dst_h * dst_w) * static_cast<double>(weights()); }
};

/// The convolution whose weight gradient is this one's with maps and channels exchanged and the taps turned round, if
/// there is one (stride, dilation and groups of 1) and it fills its vectors better: they run along channels of
/// diff_dst.
std::optional<Conv2dGeometry> better_exchanged(const Conv2dGeometry& geometry);

/// A convolution problem taken apart. When `refusal` is not empty, it says what does not fit and the rest is
/// meaningless.
struct Conv2dProblem {
    std::string refusal;
    Conv2dGeometry geometry;
    MapSource map;  ///< what slides under the window: src (conv2d, conv2d_weight_grad) or diff_dst (conv2d_input_grad)
    MapSource diff_dst;          ///< conv2d_weight_grad only
    int weights = -1;            ///< index among the inputs; conv2d and conv2d_input_grad
    bool middle_is_sum = false;  ///< Conv2dAttributes'
    Shape result;                ///< of the core
};

/// Takes apart problems of "conv2d", "conv2d_input_grad" and "conv2d_weight_grad".
Conv2dProblem parse_conv2d(const Problem& problem);

}  // namespace liven::kernels
