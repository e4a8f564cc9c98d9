#pragma once

#include "liven/core/attributes.hpp"
#include "liven/core/shape.hpp"

namespace liven::testing {

/// A layer to test: the shapes of its operands follow from the source's.
struct Convolution {
    Shape src;
    int64_t filters = 16;
    Conv2dAttributes attributes;

    Shape dst() const {
        const Window2d& w = attributes.window;
        return {src[0], w.out_h(src[1]), w.out_w(src[2]), filters};
    }
    Shape weights() const {
        const Window2d& w = attributes.window;
        return {w.kernel.h, w.kernel.w, src[3] / attributes.groups, filters};
    }
};

}  // namespace liven::testing
