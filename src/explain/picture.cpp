#include "liven/explain/picture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/data/sheet.hpp"

namespace liven::saliency {
namespace {

constexpr double kCover = 0.75;  // of the picture, by the strongest colour

constexpr uint8_t kRoom = 225;
int scale_height(const data::Image& picture) { return std::max(2, picture.height / 16); }
int room_below(const data::Image& picture) { return scale_height(picture) + std::max(1, scale_height(picture) / 4); }

double grey(const uint8_t* pixel) { return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]; }

void mix(uint8_t* pixel, double base, const std::array<double, 3>& colour, double share) {
    for (size_t c = 0; c < 3; ++c)
        pixel[c] = static_cast<uint8_t>(std::clamp(base + (colour[c] - base) * share + 0.5, 0.0, 255.0));
}

/// Wong's colour-blind safe blue and vermilion.
void mix_signed(uint8_t* pixel, double base, double share) {
    constexpr std::array<double, 3> blue{0, 114, 178}, vermilion{213, 94, 0};
    mix(pixel, base, share < 0 ? blue : vermilion, kCover * std::min(1.0, std::abs(share)));
}

/// Colours of one sign lie over a darkened picture, so that what does not count recedes.
void mix_unsigned(uint8_t* pixel, double base, const uint8_t* colour, double share) {
    mix(pixel, base * 0.6, {double(colour[0]), double(colour[1]), double(colour[2])},
        kCover * std::clamp(std::sqrt(share), 0.0, 1.0));
}

/// The numbers a scale shows, over its whole width.
std::vector<float> ramp(int width, int height, double low, double high) {
    std::vector<float> values;
    for (int i = 0; i < width * height; ++i) {
        const double at = static_cast<double>(i % width) / std::max(1, width - 1);
        values.push_back(static_cast<float>(low + (high - low) * at));
    }
    return values;
}

data::Image coloured(const data::Image& picture, std::span<const float> heat, double full, bool both_signs) {
    data::Image out = picture;
    const data::Image colours = data::colour_map(heat, picture.width, picture.height, full);
    for (size_t i = 0; i < heat.size(); ++i) {
        uint8_t* pixel = out.pixels.data() + 3 * i;
        const double base = grey(pixel), share = static_cast<double>(heat[i]) / full;
        if (both_signs)
            mix_signed(pixel, base, share);
        else
            mix_unsigned(pixel, base, colours.pixels.data() + 3 * i, std::max(0.0, share));
    }
    return out;
}

}  // namespace

data::Image without_overlay(const data::Image& picture) {
    data::Image out(picture.width, picture.height + room_below(picture));
    std::fill(out.pixels.begin(), out.pixels.end(), kRoom);
    std::copy(picture.pixels.begin(), picture.pixels.end(), out.pixels.begin());
    return out;
}

data::Image overlay(const data::Image& picture, std::span<const float> heat, double full, bool both_signs) {
    if (!(full > 0)) full = 1;  // nothing counts: the picture stays grey
    const data::Image above = coloured(picture, heat, full, both_signs);
    const int height = scale_height(picture);
    data::Image middle(picture.width, height);
    std::fill(middle.pixels.begin(), middle.pixels.end(), uint8_t{128});
    const data::Image scale =
        coloured(middle, ramp(picture.width, height, both_signs ? -full : 0, full), full, both_signs);
    data::Image out = without_overlay(above);
    std::copy(scale.pixels.begin(), scale.pixels.end(), out.at(0, out.height - height));
    return out;
}

}  // namespace liven::saliency
