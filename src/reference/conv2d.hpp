#pragma once

#include <vector>

#include "liven/core/attributes.hpp"
#include "src/reference/array.hpp"

/// Convolution of N x H x W x C maps with weights kernel.h x kernel.w x (C / groups) x O, and its two gradients.
namespace liven::reference {

/// One product of a convolution, as offsets of elements: dst[dst] += src[src] * weights[weights].
struct Conv2dTerm {
    int64_t src = 0, weights = 0, dst = 0;
};

/// Calls term(Conv2dTerm) for every product whose source pixel lies inside the map.
template <class Term>
void for_each_conv2d_term(const Conv2dAttributes& conv2d, const Shape& src, const Shape& dst, const Term& term) {
    const Window2d& w = conv2d.window;
    const int64_t src_c = src[3], dst_c = dst[3], group_src = src_c / conv2d.groups, group_dst = dst_c / conv2d.groups;
    for (int64_t n = 0; n < dst[0]; ++n)
        for (int64_t oy = 0; oy < dst[1]; ++oy)
            for (int64_t ox = 0; ox < dst[2]; ++ox)
                for (int64_t ky = 0; ky < w.kernel.h; ++ky)
                    for (int64_t kx = 0; kx < w.kernel.w; ++kx) {
                        const int64_t y = oy * w.stride.h - w.padding.top + ky * w.dilation.h;
                        const int64_t x = ox * w.stride.w - w.padding.left + kx * w.dilation.w;
                        if (y < 0 || y >= src[1] || x < 0 || x >= src[2]) continue;
                        for (int64_t g = 0; g < conv2d.groups; ++g)
                            for (int64_t i = 0; i < group_src; ++i)
                                for (int64_t o = g * group_dst; o < (g + 1) * group_dst; ++o)
                                    term(Conv2dTerm{.src = ((n * src[1] + y) * src[2] + x) * src_c + g * group_src + i,
                                                    .weights = ((ky * w.kernel.w + kx) * group_src + i) * dst_c + o,
                                                    .dst = ((n * dst[1] + oy) * dst[2] + ox) * dst_c + o});
                    }
}

/// Rounds sums to the type that tensors are stored as.
template <class T>
void store_sums(const std::vector<double>& sums, const Array<T>& out) {
    for (size_t i = 0; i < sums.size(); ++i) out.real()[i] = static_cast<T>(sums[i]);
}

/// dst[n, y, x, o] = sum over ky, kx, i of src[n, y*stride - top + ky*dilation, x*stride - left + kx*dilation, i] *
/// weights[ky, kx, i, o]; pixels outside the map count as zero.
template <class T>
void conv2d(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const Array<T>&src = inputs[0], &weights = inputs[1], &dst = outputs[0];
    std::vector<double> sums(static_cast<size_t>(dst.count()));
    for_each_conv2d_term(*static_cast<const Conv2dAttributes*>(attributes), src.shape, dst.shape, [&](Conv2dTerm t) {
        sums[static_cast<size_t>(t.dst)] +=
            static_cast<double>(src.real()[t.src]) * static_cast<double>(weights.real()[t.weights]);
    });
    store_sums(sums, dst);
}

/// diff_src: every product hands diff_dst * weights back to its source element.
template <class T>
void conv2d_input_grad(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const Array<T>&diff_dst = inputs[0], &weights = inputs[1], &diff_src = outputs[0];
    std::vector<double> sums(static_cast<size_t>(diff_src.count()));
    for_each_conv2d_term(
        *static_cast<const Conv2dAttributes*>(attributes), diff_src.shape, diff_dst.shape, [&](Conv2dTerm t) {
            sums[static_cast<size_t>(t.src)] +=
                static_cast<double>(diff_dst.real()[t.dst]) * static_cast<double>(weights.real()[t.weights]);
        });
    store_sums(sums, diff_src);
}

/// diff_weights: every product hands src * diff_dst back to its weight.
template <class T>
void conv2d_weight_grad(const void* attributes, std::span<const Array<T>> inputs, std::span<const Array<T>> outputs) {
    const Array<T>&src = inputs[0], &diff_dst = inputs[1], &diff_weights = outputs[0];
    std::vector<double> sums(static_cast<size_t>(diff_weights.count()));
    for_each_conv2d_term(*static_cast<const Conv2dAttributes*>(attributes), src.shape, diff_dst.shape,
                         [&](Conv2dTerm t) {
                             sums[static_cast<size_t>(t.weights)] +=
                                 static_cast<double>(src.real()[t.src]) * static_cast<double>(diff_dst.real()[t.dst]);
                         });
    store_sums(sums, diff_weights);
}

}  // namespace liven::reference
