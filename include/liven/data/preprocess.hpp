#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "liven/data/image.hpp"

namespace liven::data {

enum class ColourOrder : uint8_t { rgb, bgr };

/// How a picture becomes what the network sees. It is stored in the model file and carried out by the library, because
/// a wrong scale, colour order or crop is the commonest reason for a good model to fail.
///
///     value[c] = (pixel[c] * scale - mean[c]) / std[c],   c in `colour_order`
struct Preprocess {
    int width = 256, height = 256;
    Interpolation interpolation = Interpolation::lanczos;
    ColourOrder colour_order = ColourOrder::rgb;
    float scale = 1.0f / 255.0f;
    std::array<float, 3> mean{0, 0, 0};
    std::array<float, 3> std{1, 1, 1};
    float crop_margin =
        0;  ///< the sample's box is grown by this share of its size on every side; no box: whole picture

    bool operator==(const Preprocess&) const = default;

    /// Throws Error naming the field that cannot be: a side outside 1..16384, a scale or std of zero, anything not
    /// finite.
    void validate() const;

    /// Crop and resize, still 8-bit RGB: what the loader caches.
    Image frame(const Image& image, const std::optional<Box>& box = {}) const;
    /// height x width x 3 floats from a picture of exactly that size. Throws Error for another size.
    void to_float(const Image& frame, float* dst) const;
    /// height x width x 3 bytes in the network's colour order, not yet scaled, from such a picture: for what scales
    /// pixels as it reads them. Throws Error for another size.
    void to_pixels(const Image& frame, uint8_t* dst) const;
    /// What the network sees as a picture again: the way back from `to_float`, rounded and clipped to 8 bits.
    Image picture(const float* src) const;
    /// Both steps: a picture to height x width x 3 floats.
    std::vector<float> operator()(const Image& image, const std::optional<Box>& box = {}) const;
    /// The same, not yet scaled.
    std::vector<uint8_t> pixels(const Image& image, const std::optional<Box>& box = {}) const;

    std::string to_json() const;
    /// Every field must be there and nothing else. Throws Error naming the field.
    static Preprocess from_json(std::string_view text);
};

}  // namespace liven::data
