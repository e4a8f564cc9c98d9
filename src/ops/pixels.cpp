#include "liven/ops/pixels.hpp"

#include <algorithm>
#include <string>

#include "liven/core/error.hpp"
#include "liven/ops/arithmetic.hpp"

namespace liven {

Tensor widen(const Tensor& pixels) { return apply(ops::Widen{}, {pixels}); }

Tensor scale_pixels(const Tensor& pixels, const PixelScale& scaling) {
    const Shape& shape = pixels.shape();
    if (shape.rank() < 2 || shape[-1] != 3)
        throw Error("scale_pixels", "expected pixels of three channels, got " + shape.str());
    if (std::count(scaling.std.begin(), scaling.std.end(), 0.0f) > 0)
        throw Error("scale_pixels", "expected a std other than 0 for each channel");
    // Subtracting 0 and dividing by 1 would change no bit: they are left out.
    Tensor values = scale(widen(pixels), scaling.scale);
    if (scaling.mean != std::array<float, 3>{0, 0, 0})
        values = values - Tensor::from(std::span<const float>(scaling.mean), {3});
    if (scaling.std != std::array<float, 3>{1, 1, 1})
        values = values / Tensor::from(std::span<const float>(scaling.std), {3});
    return values;
}

namespace ops {

void Widen::infer(InputTypes in, OutputTypes& out) const {
    if (in[0]->dtype != DType::u8)
        throw Error("widen", "expected u8 values, got " + std::string(name_of(in[0]->dtype)));
    out.push_back({.shape = in[0]->shape});
}

}  // namespace ops
}  // namespace liven
