#include "liven/data/augment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"
#include "src/data/fields.hpp"
#include "src/data/image/distort.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace {

constexpr std::array<std::string_view, 3> kFills{"nearest", "reflect", "black"};
std::string_view name_of(Fill fill) { return kFills[static_cast<size_t>(fill)]; }

double radians(float degrees) { return degrees * (std::numbers::pi / 180.0); }

/// Inverse of the normal distribution's cumulative function, by bisection on erfc: exact enough, and run once.
double normal_quantile(double p) {
    double low = -8, high = 8;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (0.5 * std::erfc(-middle / std::numbers::sqrt2) < p ? low : high) = middle;
    }
    return (low + high) / 2;
}

/// Standard normal numbers from 12 random bits each: a table of 4,096 quantiles, scaled to unit variance. Noise on an
/// 8-bit picture needs no finer ones, and 16 KiB stay in the first cache.
const std::array<float, 4096>& normal_table() {
    static const std::array<float, 4096> table = [] {
        std::array<double, 4096> q{};
        double square = 0;
        for (size_t i = 0; i < q.size(); ++i) {
            q[i] = normal_quantile((static_cast<double>(i) + 0.5) / static_cast<double>(q.size()));
            square += q[i] * q[i];
        }
        const double scale = 1 / std::sqrt(square / static_cast<double>(q.size()));
        std::array<float, 4096> out{};
        for (size_t i = 0; i < q.size(); ++i) out[i] = static_cast<float>(q[i] * scale);
        return out;
    }();
    return table;
}

/// A row of normal numbers; row y of a picture has its own counters, so rows may be made in any order.
void normal_row(uint64_t key, uint64_t row, std::vector<float>& out) {
    const auto& table = normal_table();
    const Philox philox(key);
    for (size_t i = 0; i < out.size(); i += 8) {
        const Philox::Block words = philox(i / 8, row);
        for (size_t k = 0; k < std::min(out.size() - i, size_t{8}); ++k)
            out[i + k] = table[(words[k / 2] >> (k % 2 ? 20 : 4)) & 4095];
    }
}

bool crops(const Draw& d) { return d.crop_left + d.crop_right + d.crop_top + d.crop_bottom > 0; }

bool moves(const Draw& d) {
    return d.rotation != 0 || d.shift_x != 0 || d.shift_y != 0 || d.shear != 0 || d.zoom_x != 1 || d.zoom_y != 1 ||
           crops(d);
}

/// dst pixel -> src pixel, about the centre: flip, then zoom, shear, rotation, shift.
cv::Matx23d inverse_warp(const Draw& d, int width, int height) {
    const double a = radians(d.rotation), s = radians(d.shear);
    const double flip = d.flip ? -1 : 1;
    // Forward: dst = R * Sh * Z * F * src + shift, in centred coordinates; inverted as a 2 x 2 matrix.
    const cv::Matx22d rotate(std::cos(a), -std::sin(a), std::sin(a), std::cos(a)),
        shear(1, -std::sin(s), 0, std::cos(s));
    const cv::Matx22d inverse = (rotate * shear * cv::Matx22d(d.zoom_x * flip, 0, 0, d.zoom_y)).inv();
    const double cx = (width - 1) / 2.0, cy = (height - 1) / 2.0;
    const double ox = cx + double{d.shift_x} * width, oy = cy + double{d.shift_y} * height;
    return {inverse(0, 0), inverse(0, 1), cx - inverse(0, 0) * ox - inverse(0, 1) * oy,
            inverse(1, 0), inverse(1, 1), cy - inverse(1, 0) * ox - inverse(1, 1) * oy};
}

/// Pixel of the frame -> pixel of the picture before its sides were cut off, half-pixel centres.
cv::Matx33d uncrop(const Draw& d, int width, int height) {
    const double sx = 1 - double{d.crop_left} - double{d.crop_right},
                 sy = 1 - double{d.crop_top} - double{d.crop_bottom};
    return {sx, 0, double{d.crop_left} * width + (sx - 1) / 2, 0, sy, double{d.crop_top} * height + (sy - 1) / 2, 0,
            0,  1};
}

int border_of(Fill fill) {
    switch (fill) {
        case Fill::reflect:
            return cv::BORDER_REFLECT_101;
        case Fill::black:
            return cv::BORDER_CONSTANT;
        case Fill::nearest:
            break;
    }
    return cv::BORDER_REPLICATE;
}

cv::Mat geometry(const cv::Mat& src, const Draw& d) {
    cv::Mat dst;
    if (moves(d)) {
        const cv::Matx23d warp = inverse_warp(d, src.cols, src.rows) * uncrop(d, src.cols, src.rows);
        cv::warpAffine(src, dst, warp, src.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, border_of(d.fill));
    } else if (d.flip) {
        cv::flip(src, dst, 1);
    } else {
        dst = src;
    }
    return dst;
}

/// A line of `length` pixels through the centre, each tap shared out bilinearly; sums to 1.
cv::Mat motion_kernel(int length, float angle) {
    cv::Mat kernel = cv::Mat::zeros(length, length, CV_32F);
    const int centre = length / 2;
    const double dx = std::cos(radians(angle)), dy = std::sin(radians(angle));
    for (int i = -centre; i <= centre; ++i) {
        const double x = centre + i * dx, y = centre + i * dy;
        const int x0 = static_cast<int>(std::floor(x)), y0 = static_cast<int>(std::floor(y));
        for (int v = 0; v < 2; ++v)
            for (int u = 0; u < 2; ++u) {
                const double share = (u ? x - x0 : 1 - (x - x0)) * (v ? y - y0 : 1 - (y - y0));
                if (share > 1e-9 && x0 + u < length && y0 + v < length)
                    kernel.at<float>(y0 + v, x0 + u) += static_cast<float>(share / length);
            }
    }
    return kernel;
}

cv::Mat moved_and_blurred(const cv::Mat& src, const Draw& d) {
    cv::Mat moved = geometry(distorted(src, d), d);
    if (d.blur_length == 0) return moved;
    cv::Mat blurred;
    cv::filter2D(moved, blurred, -1, motion_kernel(d.blur_length, d.blur_angle), {-1, -1}, 0, cv::BORDER_REPLICATE);
    return blurred;
}

/// Brightness, contrast about the mean grey and saturation are all linear in a pixel: out = own * pixel + grey_share *
/// grey + offset.
struct Colour {
    float own = 1, grey = 0, offset = 0;

    Colour(const cv::Mat& image, const Draw& d) {
        own = d.saturation * d.contrast * d.brightness;
        grey = (1 - d.saturation) * d.contrast * d.brightness;
        if (d.contrast != 1) {
            const cv::Scalar mean = cv::mean(image);
            offset = (1 - d.contrast) * d.brightness *
                     grey_of(static_cast<float>(mean[0]), static_cast<float>(mean[1]), static_cast<float>(mean[2]));
        }
    }
    static float grey_of(float r, float g, float b) { return 0.299f * r + 0.587f * g + 0.114f * b; }
    bool changes() const { return own != 1 || grey != 0 || offset != 0; }
};

/// One row, RGB bytes to coloured and noisy floats in 0..255.
void colour_row(const uint8_t* src, int width, const Colour& colour, float noise, const std::vector<float>& normal,
                std::vector<float>& out) {
    for (int x = 0; x < width; ++x) {
        const size_t i = static_cast<size_t>(x) * 3;
        const auto r = static_cast<float>(src[i]), g = static_cast<float>(src[i + 1]),
                   b = static_cast<float>(src[i + 2]);
        const float base = colour.grey * Colour::grey_of(r, g, b) + colour.offset;
        out[i] = colour.own * r + base;
        out[i + 1] = colour.own * g + base;
        out[i + 2] = colour.own * b + base;
    }
    const float sigma = noise * 255;
    if (sigma > 0)
        for (size_t i = 0; i < out.size(); ++i) out[i] += sigma * normal[i];
    for (float& v : out) v = std::min(std::max(v, 0.0f), 255.0f);
}

/// Calls `row(y, floats)` for every coloured row.
template <class Row>
void coloured_rows(const cv::Mat& image, const Draw& d, Row row) {
    const Colour colour(image, d);
    const size_t values = static_cast<size_t>(image.cols) * 3;
    std::vector<float> out(values), normal(d.noise > 0 ? values : 0);
    for (int y = 0; y < image.rows; ++y) {
        if (d.noise > 0) normal_row(d.noise_key, static_cast<uint64_t>(y), normal);
        colour_row(image.ptr(y), image.cols, colour, d.noise, normal, out);
        row(y, out);
    }
}

bool recolours(const Draw& d) { return d.brightness != 1 || d.contrast != 1 || d.saturation != 1 || d.noise > 0; }

}  // namespace

bool Augmentation::active() const {
    Augmentation still;
    still.fill = fill;
    still.noise_low = noise_low;
    still.noise_high = noise_high;
    still.blur_length = blur_length;
    still.chance = chance;
    return !(*this == still);
}

void Augmentation::validate() const {
    const auto within = [](const char* name, float value, float low, float high) {
        if (!(value >= low && value <= high))
            throw Error("augmentation", std::string("expected ") + name + " from " + number(low) + " to " +
                                            number(high) + ", but got " + number(value));
    };
    within("rotation", rotation, 0, 180);
    within("shift_x", shift_x, 0, 1);
    within("shift_y", shift_y, 0, 1);
    within("shear", shear, 0, 60);
    within("zoom", zoom, 0, 0.9f);
    within("flip", flip, 0, 1);
    within("brightness", brightness, 0, 1);
    within("contrast", contrast, 0, 1);
    within("saturation", saturation, 0, 1);
    within("noise", noise, 0, 1);
    within("noise_low", noise_low, 0, 1);
    within("noise_high", noise_high, noise_low, 1);
    within("blur", blur, 0, 1);
    within("chance", chance, 0, 1);
    within("offset", offset, 0, 255);
    within("gain", gain, 0, 1);
    within("hsv_saturation", hsv_saturation, 0, 1);
    within("hue", hue, 0, 180);
    within("crop", crop, 0, 0.45f);
    within("erase", erase, 0, 1);
    within("cut_out", cut_out, 0, 1);
    if (blur_length < 3 || blur_length > 31 || blur_length % 2 == 0)
        throw Error("augmentation", "expected an odd blur_length from 3 to 31, but got " + std::to_string(blur_length));
}

Augmentation Augmentation::paper_k() {
    return {.rotation = 20,
            .flip = 0.5f,
            .fill = Fill::reflect,
            .brightness = 0.2f,
            .contrast = 0.2f,
            .saturation = 0.3f,
            .noise = 0.3f,
            .blur = 0.3f};
}

Augmentation Augmentation::paper_m() {
    return {.rotation = 20,
            .shift_x = 0.2f,
            .shift_y = 0.2f,
            .shear = 0.15f,
            .zoom = 0.15f,
            .flip = 0.5f,
            .fill = Fill::nearest};
}

Augmentation Augmentation::paper_w() {
    return {.flip = 0.5f, .brightness = 0.2f, .contrast = 0.2f, .noise = 1, .noise_low = 0.01f, .noise_high = 0.01f};
}

Augmentation Augmentation::paper_a() { return {.rotation = 30}; }

Augmentation Augmentation::lgsc() {
    return {.rotation = 30,
            .flip = 0.5f,
            .fill = Fill::black,
            .chance = 0.5f,
            .offset = 32,
            .gain = 0.5f,
            .hsv_saturation = 0.2f,
            .hue = 16,
            .crop = 0.12f,
            .erase = 0.5f,
            .cut_out = 0.5f};
}

std::string Augmentation::to_json() const {
    return nlohmann::ordered_json{{"rotation", rotation},
                                  {"shift_x", shift_x},
                                  {"shift_y", shift_y},
                                  {"shear", shear},
                                  {"zoom", zoom},
                                  {"flip", flip},
                                  {"fill", name_of(fill)},
                                  {"brightness", brightness},
                                  {"contrast", contrast},
                                  {"saturation", saturation},
                                  {"noise", noise},
                                  {"noise_low", noise_low},
                                  {"noise_high", noise_high},
                                  {"blur", blur},
                                  {"blur_length", blur_length},
                                  {"chance", chance},
                                  {"offset", offset},
                                  {"gain", gain},
                                  {"hsv_saturation", hsv_saturation},
                                  {"hue", hue},
                                  {"crop", crop},
                                  {"erase", erase},
                                  {"cut_out", cut_out}}
        .dump();
}

Augmentation Augmentation::from_json(std::string_view text) {
    Fields fields("augmentation", text);
    Augmentation a;
    std::string fill(name_of(a.fill));
    for (const auto& [key, value] : {std::pair{"rotation", &a.rotation},
                                     {"shift_x", &a.shift_x},
                                     {"shift_y", &a.shift_y},
                                     {"shear", &a.shear},
                                     {"zoom", &a.zoom},
                                     {"flip", &a.flip},
                                     {"brightness", &a.brightness},
                                     {"contrast", &a.contrast},
                                     {"saturation", &a.saturation},
                                     {"noise", &a.noise},
                                     {"noise_low", &a.noise_low},
                                     {"noise_high", &a.noise_high},
                                     {"blur", &a.blur},
                                     {"chance", &a.chance},
                                     {"offset", &a.offset},
                                     {"gain", &a.gain},
                                     {"hsv_saturation", &a.hsv_saturation},
                                     {"hue", &a.hue},
                                     {"crop", &a.crop},
                                     {"erase", &a.erase},
                                     {"cut_out", &a.cut_out}})
        fields.optional(key, *value);
    fields.optional("blur_length", a.blur_length);
    fields.optional("fill", fill);
    fields.finish();
    const auto known = std::find(kFills.begin(), kFills.end(), fill);
    if (known == kFills.end())
        throw Error("augmentation", "expected the fill nearest, reflect or black, but got " + in_quotes(fill));
    a.fill = static_cast<Fill>(known - kFills.begin());
    a.validate();
    return a;
}

namespace {

nlohmann::ordered_json patches_json(const std::array<Draw::Patch, 3>& patches) {
    auto list = nlohmann::ordered_json::array();
    for (const Draw::Patch& patch : patches)
        if (patch.width > 0) list.push_back({patch.x, patch.y, patch.width, patch.height, patch.value});
    return list;
}

/// A rectangle somewhere, wholly inside.
Draw::Patch erased(Random& random) {
    const float area = random.uniform(0.01f, 0.03f), aspect = random.uniform(0.5f, 2.0f);
    Draw::Patch patch{.width = std::sqrt(area / aspect), .height = std::sqrt(area * aspect), .value = 80};
    patch.x = random.uniform(0, 1 - patch.width);
    patch.y = random.uniform(0, 1 - patch.height);
    return patch;
}

/// A square about any pixel; what lies outside is cut off.
Draw::Patch cut_out(Random& random) {
    const float x = random.uniform(), y = random.uniform(), side = random.uniform(0, 20.0f / 224);
    return {.x = x - side / 2, .y = y - side / 2, .width = side, .height = side, .value = 0};
}

/// The part of a draw that has a chance of its own; every number is drawn whether it is used or not.
void draw_by_chance(const Augmentation& a, Random& random, Draw& d) {
    const auto happens = [&](float chance) { return random.uniform() < chance; };
    const auto either = [&](float range) {
        const float value = random.uniform(-range, range);
        return happens(a.chance) ? value : 0.0f;
    };
    if (!happens(a.chance)) d.rotation = 0;
    d.offset = either(a.offset);
    d.gain = 1 + either(a.gain);
    d.hsv_saturation = 1 + either(a.hsv_saturation);
    d.hue = either(a.hue);
    const bool cropped = happens(a.chance);
    for (float* side : {&d.crop_left, &d.crop_right, &d.crop_top, &d.crop_bottom}) {
        const float share = random.uniform(0, a.crop);
        *side = cropped ? share : 0;
    }
    const bool erases = happens(a.erase), twice = happens(0.5f);
    const std::array<Draw::Patch, 3> patches{erased(random), erased(random), cut_out(random)};
    const bool cuts = happens(a.cut_out);
    if (erases) d.patches[0] = patches[0];
    if (erases && twice) d.patches[1] = patches[1];
    if (cuts) d.patches[2] = patches[2];
}

}  // namespace

std::string Draw::to_json() const {
    return nlohmann::ordered_json{{"rotation", rotation},
                                  {"shift_x", shift_x},
                                  {"shift_y", shift_y},
                                  {"shear", shear},
                                  {"zoom_x", zoom_x},
                                  {"zoom_y", zoom_y},
                                  {"flip", flip},
                                  {"brightness", brightness},
                                  {"contrast", contrast},
                                  {"saturation", saturation},
                                  {"noise", noise},
                                  {"blur_length", blur_length},
                                  {"blur_angle", blur_angle},
                                  {"offset", offset},
                                  {"gain", gain},
                                  {"hsv_saturation", hsv_saturation},
                                  {"hue", hue},
                                  {"crop", {crop_left, crop_right, crop_top, crop_bottom}},
                                  {"patches", patches_json(patches)}}
        .dump();
}

uint64_t augmentation_key(uint64_t seed, int64_t epoch, int64_t sample, uint32_t repeat) {
    const uint64_t key = Random::mix(Random::mix(seed, static_cast<uint64_t>(epoch)), static_cast<uint64_t>(sample));
    return repeat > 0 ? Random::mix(key, repeat) : key;
}

Draw draw(const Augmentation& a, uint64_t key) {
    Random random(key);
    // Every number is drawn whether it is used or not: switching one part off leaves the others as they were.
    const auto either = [&](float range) { return random.uniform(-range, range); };
    Draw d;
    d.rotation = either(a.rotation);
    d.shift_x = either(a.shift_x);
    d.shift_y = either(a.shift_y);
    d.shear = either(a.shear);
    d.zoom_x = 1 + either(a.zoom);
    d.zoom_y = 1 + either(a.zoom);
    d.flip = random.uniform() < a.flip;
    d.fill = a.fill;
    d.brightness = 1 + either(a.brightness);
    d.contrast = 1 + either(a.contrast);
    d.saturation = 1 + either(a.saturation);
    const bool noisy = random.uniform() < a.noise;
    const float sigma = random.uniform(a.noise_low, a.noise_high);
    d.noise = noisy ? sigma : 0;
    d.blur_length = random.uniform() < a.blur ? a.blur_length : 0;
    d.blur_angle = random.uniform(0, 180);
    d.noise_key = random.bits64();
    draw_by_chance(a, random, d);
    return d;
}

void augment(const Image& frame, const Draw& d, const Preprocess& preprocess, float* dst) {
    if (frame.width != preprocess.width || frame.height != preprocess.height)
        return preprocess.to_float(frame, dst);  // says what is wrong
    guarded("augmentation", [&] {
        const cv::Mat image = moved_and_blurred(view(frame), d);
        if (!recolours(d)) return preprocess.to_float(image_from(image), dst);
        const bool rgb = preprocess.colour_order == ColourOrder::rgb;
        std::array<float, 3> scale{}, offset{};
        for (size_t c = 0; c < 3; ++c) {
            scale[c] = preprocess.scale / preprocess.std[c];
            offset[c] = preprocess.mean[c] / preprocess.std[c];
        }
        const size_t red = rgb ? 0 : 2, blue = 2 - red;
        coloured_rows(image, d, [&](int y, const std::vector<float>& row) {
            float* out = dst + static_cast<size_t>(y) * row.size();
            for (size_t i = 0; i < row.size(); i += 3) {
                out[i + red] = row[i] * scale[red] - offset[red];
                out[i + 1] = row[i + 1] * scale[1] - offset[1];
                out[i + blue] = row[i + 2] * scale[blue] - offset[blue];
            }
        });
    });
}

Image augment(const Image& source, const Draw& d) {
    if (source.empty()) throw Error("augmentation", "the picture is empty");
    return guarded("augmentation", [&] {
        Image out = image_from(moved_and_blurred(view(source), d));
        if (!recolours(d)) return out;
        const Image before = out;
        coloured_rows(view(before), d, [&](int y, const std::vector<float>& row) {
            uint8_t* line = out.at(0, y);
            for (size_t i = 0; i < row.size(); ++i) line[i] = static_cast<uint8_t>(std::lround(row[i]));
        });
        return out;
    });
}

}  // namespace liven::data
