#include "liven/data/preprocess.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "liven/core/error.hpp"
#include "src/data/fields.hpp"
#include "src/data/loading/pixel_table.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace {

std::string_view name_of(ColourOrder order) { return order == ColourOrder::rgb ? "rgb" : "bgr"; }

ColourOrder colour_order_from(std::string_view name) {
    if (name == "rgb") return ColourOrder::rgb;
    if (name == "bgr") return ColourOrder::bgr;
    throw Error("preprocessing", "expected colour_order rgb or bgr, but got " + in_quotes(name));
}

void expect_size(const Image& frame, const Preprocess& p) {
    if (frame.width == p.width && frame.height == p.height) return;
    throw Error("preprocessing", "expected a frame of " + std::to_string(p.width) + " x " + std::to_string(p.height) +
                                     ", but got " + std::to_string(frame.width) + " x " + std::to_string(frame.height));
}

}  // namespace

void Preprocess::validate() const {
    const auto fail = [](const std::string& what) { throw Error("preprocessing", what); };
    if (width < 1 || height < 1 || width > 16384 || height > 16384 || int64_t{width} * height > max_pixels)
        fail("expected a size within 1..16384, but got " + std::to_string(width) + " x " + std::to_string(height));
    if (!std::isfinite(scale) || scale == 0) fail("expected a scale other than 0, but got " + number(scale));
    for (size_t c = 0; c < 3; ++c) {
        if (!std::isfinite(mean[c])) fail("a mean is not finite");
        if (!std::isfinite(std[c]) || std[c] == 0) fail("expected a std other than 0, but got " + number(std[c]));
    }
    if (!(crop_margin > -0.5f && crop_margin <= 4))
        fail("expected a crop_margin from -0.5 to 4, but got " + number(crop_margin));
}

Image Preprocess::frame(const Image& image, const std::optional<Box>& box) const {
    return box ? resize(crop(image, *box, crop_margin), width, height, interpolation)
               : resize(image, width, height, interpolation);
}

void Preprocess::to_float(const Image& frame, float* dst) const {
    expect_size(frame, *this);
    const PixelTable table(*this);
    const uint8_t* src = frame.pixels.data();
    for (size_t i = 0; i < frame.pixels.size(); i += 3) table.store(src + i, dst + i);
}

void Preprocess::to_pixels(const Image& frame, uint8_t* dst) const {
    expect_size(frame, *this);
    std::copy(frame.pixels.begin(), frame.pixels.end(), dst);
    if (colour_order == ColourOrder::rgb) return;
    for (size_t i = 0; i < frame.pixels.size(); i += 3) std::swap(dst[i], dst[i + 2]);
}

Image Preprocess::picture(const float* src) const {
    Image image(width, height);
    for (size_t i = 0; i < image.pixels.size(); ++i) {
        const size_t c = i % 3, from = colour_order == ColourOrder::rgb ? i : i - c + (2 - c);
        const float value = (src[from] * std[from % 3] + mean[from % 3]) / scale;
        image.pixels[i] = static_cast<uint8_t>(std::clamp(std::round(value), 0.0f, 255.0f));
    }
    return image;
}

std::vector<float> Preprocess::operator()(const Image& image, const std::optional<Box>& box) const {
    std::vector<float> out(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
    to_float(frame(image, box), out.data());
    return out;
}

std::vector<uint8_t> Preprocess::pixels(const Image& image, const std::optional<Box>& box) const {
    std::vector<uint8_t> out(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
    to_pixels(frame(image, box), out.data());
    return out;
}

std::string Preprocess::to_json() const {
    return nlohmann::ordered_json{{"width", width},
                                  {"height", height},
                                  {"interpolation", name_of(interpolation)},
                                  {"colour_order", name_of(colour_order)},
                                  {"scale", scale},
                                  {"mean", mean},
                                  {"std", std},
                                  {"crop_margin", crop_margin}}
        .dump();
}

Preprocess Preprocess::from_json(std::string_view text) {
    Fields fields("preprocessing", text);
    Preprocess p;
    std::string interpolation, order;
    fields.required("width", p.width);
    fields.required("height", p.height);
    fields.required("interpolation", interpolation);
    fields.required("colour_order", order);
    fields.required("scale", p.scale);
    fields.required("mean", p.mean);
    fields.required("std", p.std);
    fields.required("crop_margin", p.crop_margin);
    fields.finish();
    p.interpolation = interpolation_from(interpolation);
    p.colour_order = colour_order_from(order);
    p.validate();
    return p;
}

}  // namespace liven::data
