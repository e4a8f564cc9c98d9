#pragma once

#include "liven/core/window.hpp"
#include "liven/graph/operation.hpp"

namespace liven::ops {

/// The fields that convolution and pooling share; `kernel` names the extents of the window.
inline void visit_window(FieldVisitor& visitor, const Window2d& window, const char* kernel_h, const char* kernel_w) {
    visitor.field(kernel_h, window.kernel.h);
    visitor.field(kernel_w, window.kernel.w);
    visitor.field("stride_h", window.stride.h);
    visitor.field("stride_w", window.stride.w);
    visitor.field("top", window.padding.top);
    visitor.field("bottom", window.padding.bottom);
    visitor.field("left", window.padding.left);
    visitor.field("right", window.padding.right);
}

}  // namespace liven::ops
