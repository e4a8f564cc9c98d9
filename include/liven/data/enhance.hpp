#pragma once

#include <cstdint>
#include <string_view>

#include "liven/data/image.hpp"

/// Enhancement of face pictures (Kuznetsov et al. 2026, section 3.3 and the published code): each stage by itself, and
/// the two chains. All of them throw Error for an empty picture or parameters that cannot be, and round to the nearest
/// of 0 to 255.
namespace liven::data {

/// Noise away, edges kept: the mean over a disc of that diameter, by distance in space and in colour (the sum of the
/// channels' differences), each a Gaussian (Tomasi and Manduchi 1998).
Image bilateral(const Image& image, int diameter = 9, double sigma_colour = 75, double sigma_space = 75);
/// Contrast limited adaptive histogram equalisation of the lightness (CIE L*a*b*) over tiles x tiles parts of the
/// picture (Zuiderveld 1994); `clip` is in multiples of an even histogram.
Image equalize(const Image& image, double clip = 3, int tiles = 8);
/// Unsharp mask: amount * image + (1 - amount) * the image blurred by a Gaussian.
Image unsharp(const Image& image, double sigma = 2, double amount = 1.5);
/// 255 (v / 255)^(1 / gamma).
Image correct_gamma(const Image& image, double gamma = 1.2);
/// gain * v + offset.
Image stretch(const Image& image, double gain = 1.1, double offset = 5);
/// Non-local means (Buades et al. 2005) with windows of 7 x 7 sought in 21 x 21, lightness and colour apart.
Image denoise(const Image& image, double lightness = 10, double colour = 10);
/// keep * image + (1 - keep) * the image less its 8 neighbours' (9 v - the sum of the neighbours).
Image sharpen(const Image& image, double keep = 0.7);

/// photo: bilateral(9, 75, 75), equalize(3), unsharp(2, 1.5), correct_gamma(1.2), stretch(1.1, 5).
/// video: bilateral(9, 80, 80), denoise(10, 10), equalize(4), sharpen(0.7).
enum class Enhancement : uint8_t { none, photo, video };
std::string_view name_of(Enhancement enhancement);

Image enhance(const Image& image, Enhancement enhancement);

}  // namespace liven::data
