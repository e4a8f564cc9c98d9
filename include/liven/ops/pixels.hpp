#pragma once

#include <array>

#include "liven/core/attributes.hpp"
#include "liven/graph/record.hpp"

/// Pictures as cameras and decoders give them: 8-bit pixels, which the first convolution widens as it reads them, so
/// that the fp32 picture (four times the bytes) is never stored.
namespace liven {

/// How an 8-bit value becomes what the network sees, channel by channel: (pixel * scale - mean) / std.
struct PixelScale {
    float scale = 1.0f / 255.0f;
    std::array<float, 3> mean{0, 0, 0};
    std::array<float, 3> std{1, 1, 1};

    bool operator==(const PixelScale&) const = default;
};

/// u8 values as floats. Throws Error for another type. No gradient flows to pixels.
Tensor widen(const Tensor& pixels);

/// u8 pixels (... x 3) as the network sees them, each operation of the formula rounded once: the same bits as
/// data::Preprocess gives. Throws Error for another type or shape, and for a std of zero.
Tensor scale_pixels(const Tensor& pixels, const PixelScale& scaling);

namespace ops {

struct Widen {
    static constexpr bool pointwise = true;
    static constexpr OperationDoc doc{.name = "widen",
                                      .category = "arithmetic",
                                      .summary = "8-bit values as floats; no gradient flows to them",
                                      .formula = "y = a"};
    void infer(InputTypes in, OutputTypes& out) const;
    void vjp(Vjp&) const {}
};

}  // namespace ops
}  // namespace liven
