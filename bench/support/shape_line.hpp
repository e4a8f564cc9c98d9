#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "liven/core/attributes.hpp"
#include "liven/core/shape.hpp"
#include "liven/core/window.hpp"

namespace liven::bench {

/// One line of a file in bench/shapes, as `liven plan MODEL --shapes` prints them:
/// "conv2d[kernel=3x3 padding=1] 16x256x256x16 3x3x16x16 -> 16x256x256x16 *2".
struct ShapeLine {
    std::string text;  ///< without the count
    std::string op;
    std::map<std::string, std::string> attributes;
    std::vector<Shape> inputs, outputs;
    int64_t count = 1;  ///< how often a training step has it

    bool is_conv2d() const { return op.starts_with("conv2d"); }
    bool is_matmul() const { return op == "matmul"; }
    /// Extents like "3x3", or the fallback when nothing is said.
    Extent2d extent(const std::string& name, Extent2d fallback) const;
    /// One number for all sides, or four: top, bottom, left, right.
    Padding2d padding() const;
    /// Numbers by axis like "0x0x0x32x0x0", or zeros.
    AxisArray axes(const std::string& name) const;
    int64_t integer(const std::string& name, int64_t fallback) const;
    double number(const std::string& name, double fallback) const;

    /// Nominal FLOPs: products and sums of convolutions and matrices with padding counted; one an element for others.
    double flops() const;
    /// FLOPs without the products with padding: what a direct kernel cannot do in less than the peak allows.
    double least_flops() const;
    /// Operands read and results written, each once, as float32.
    double bytes() const;
};

/// A convolution in the forward sense, whichever of the three directions a line is.
struct Convolution {
    Shape src, weights, dst;
    Window2d window;
    int64_t groups = 1;
    bool middle_is_sum = false;
};
Convolution convolution_of(const ShapeLine& line);

/// Throws Error with the text when it is no such line.
ShapeLine shape_line_from(const std::string& text);

/// A file of bench/shapes. It begins with the command that prints it, "# liven plan MODEL --batch N --shapes", or with
/// "# by hand" when its lines are no model's.
struct Shapes {
    std::string model;  ///< the file's name too
    int64_t batch = 0;  ///< images or clips of the model's training step; 0: by hand
    std::vector<ShapeLine> lines;
};
/// Throws Error with file and line number.
Shapes read_shapes(const std::filesystem::path& file);

}  // namespace liven::bench
