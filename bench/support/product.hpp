#pragma once

#include <cstdint>
#include <optional>

#include "bench/support/shape_line.hpp"

namespace liven::bench {

/// dst (m x n) = op(a) op(b), op transposing; all row by row.
struct Product {
    int64_t m = 0, n = 0, k = 0;
    bool transpose_a = false, transpose_b = false;
};

/// The product that a line is: a matmul of rank 2, or a convolution of 1x1 without stride, padding and groups, in any
/// of its three directions. Nothing for other lines.
inline std::optional<Product> product_of(const ShapeLine& line) {
    if (line.is_matmul() && line.outputs[0].rank() == 2) {
        const bool a = line.integer("transpose_a", 0) != 0, b = line.integer("transpose_b", 0) != 0;
        return Product{line.outputs[0][0], line.outputs[0][1], line.inputs[0][a ? 0 : 1], a, b};
    }
    if (!line.is_conv2d()) return std::nullopt;
    const Convolution c = convolution_of(line);
    if (c.weights[0] * c.weights[1] != 1 || c.src.count() / c.src[3] != c.dst.count() / c.dst[3] || c.groups != 1)
        return std::nullopt;
    const int64_t pixels = c.src.count() / c.src[3], in = c.src[3], out = c.dst[3];
    if (line.op == "conv2d_input_grad") return Product{pixels, in, out, false, true};
    if (line.op == "conv2d_weight_grad") return Product{in, out, pixels, true, false};
    return Product{pixels, out, in, false, false};
}

}  // namespace liven::bench
