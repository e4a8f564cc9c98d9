#include "liven/data/augment.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "helpers.hpp"
#include "liven/core/error.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;
using liven::Random;

namespace {

constexpr int side = 33;
const Preprocess unscaled{.width = side, .height = side};

std::vector<float> run(const Image& image, const Draw& d, const Preprocess& p = unscaled) {
    std::vector<float> out(static_cast<size_t>(p.width) * static_cast<size_t>(p.height) * 3);
    augment(image, d, p, out.data());
    return out;
}

Image flat(uint8_t r, uint8_t g, uint8_t b) { return one_colour(side, r, g, b); }

}  // namespace

TEST_CASE("No augmentation is the unscaled preprocessing, bit for bit") {
    const Image image = picture(side, side);
    std::vector<float> expected(image.pixels.size());
    unscaled.to_float(image, expected.data());
    CHECK(run(image, draw(Augmentation::none(), 1)) == expected);
    CHECK_FALSE(Augmentation::none().active());
    CHECK(Augmentation::paper_k().active());
}

TEST_CASE("The presets are those of the papers") {
    const Augmentation k = Augmentation::paper_k(), m = Augmentation::paper_m();
    CHECK(k.rotation == 20);
    CHECK(k.flip == 0.5f);
    CHECK(k.brightness == 0.2f);
    CHECK(k.contrast == 0.2f);
    CHECK(k.saturation == 0.3f);
    CHECK(k.noise == 0.3f);
    CHECK(k.noise_low == 0.01f);
    CHECK(k.noise_high == 0.03f);
    CHECK(k.blur == 0.3f);
    CHECK(k.blur_length == 5);
    CHECK(m.rotation == 20);
    CHECK(m.shift_x == 0.2f);
    CHECK(m.shear == 0.15f);
    CHECK(m.zoom == 0.15f);
    CHECK(m.fill == Fill::nearest);
    const Augmentation w = Augmentation::paper_w(), a = Augmentation::paper_a();
    CHECK(w ==
          Augmentation{
              .flip = 0.5f, .brightness = 0.2f, .contrast = 0.2f, .noise = 1, .noise_low = 0.01f, .noise_high = 0.01f});
    CHECK(a == Augmentation{.rotation = 30});
}

TEST_CASE("Draws depend on the key alone, stay in their ranges and fill them") {
    const Augmentation k = Augmentation::paper_k();
    float low = 99, high = -99;
    int flips = 0, noisy = 0, blurred = 0;
    std::set<std::string> different;
    for (uint64_t i = 0; i < 2000; ++i) {
        const Draw d = draw(k, Random::mix(Random::mix(42, 3), i));
        CHECK(d.to_json() == draw(k, Random::mix(Random::mix(42, 3), i)).to_json());
        different.insert(d.to_json());
        low = std::min(low, d.rotation);
        high = std::max(high, d.rotation);
        REQUIRE(std::abs(d.rotation) <= 20);
        REQUIRE(std::abs(d.brightness - 1) <= 0.2001f);
        REQUIRE(std::abs(d.contrast - 1) <= 0.2001f);
        REQUIRE(std::abs(d.saturation - 1) <= 0.3001f);
        REQUIRE((d.noise == 0 || (d.noise >= 0.01f && d.noise <= 0.03f)));
        flips += d.flip;
        noisy += d.noise > 0;
        blurred += d.blur_length > 0;
    }
    CHECK(different.size() == 2000);
    CHECK(low < -19);
    CHECK(high > 19);
    // Four standard deviations of a binomial count: 4 * sqrt(2000 p (1 - p)).
    CHECK(std::abs(flips - 1000) < 90);
    CHECK(std::abs(noisy - 600) < 82);
    CHECK(std::abs(blurred - 600) < 82);
}

TEST_CASE("A flip mirrors exactly, twice is nothing") {
    const Image image = picture(side, side);
    const Image once = augment(image, {.flip = true});
    for (int x = 0; x < side; ++x) CHECK(std::equal(once.at(x, 5), once.at(x, 5) + 3, image.at(side - 1 - x, 5)));
    CHECK(augment(once, {.flip = true}) == image);
}

TEST_CASE("A quarter turn moves pixels exactly, a shift by whole pixels too") {
    const Image image = picture(side, side);
    const Image turned = augment(image, {.rotation = 90});
    // OpenCV's warp works in 1/32 pixels and 15-bit weights.
    for (int i = 1; i < side - 1; ++i) CHECK(std::abs(turned.at(side - 1 - 7, i)[0] - image.at(i, 7)[0]) <= 1);
    const Image shifted = augment(image, {.shift_x = 4.0f / side, .shift_y = -3.0f / side});
    CHECK(std::abs(shifted.at(20, 10)[1] - image.at(16, 13)[1]) <= 1);
    CHECK(std::abs(shifted.at(0, 10)[0] - image.at(0, 13)[0]) <= 1);  // nearest fill repeats the first column
    const Image mirrored = augment(image, {.shift_x = 4.0f / side, .fill = Fill::reflect});
    CHECK(std::abs(mirrored.at(2, 10)[0] - image.at(2, 10)[0]) <= 1);  // column -2 is column 2 mirrored
}

TEST_CASE("One warp does flip and rotation together") {
    const Image image = picture(side, side);
    const Image both = augment(image, {.rotation = 90, .flip = true}),
                steps = augment(augment(image, {.flip = true}), {.rotation = 90});
    int most = 0;
    for (size_t i = 0; i < both.pixels.size(); ++i) most = std::max(most, std::abs(both.pixels[i] - steps.pixels[i]));
    CHECK(most <= 1);
}

TEST_CASE("Rotation, shear, zoom and shift put every pixel where the matrices say, the last pixel beyond the edge") {
    // On a slope a bilinear value is the value of the place itself: the place can be computed by hand.
    Image slope(side, side);
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) {
            slope.at(x, y)[0] = static_cast<uint8_t>(40 + 4 * x);
            slope.at(x, y)[1] = static_cast<uint8_t>(40 + 4 * y);
        }
    for (const Draw& d : {Draw{.rotation = 25}, Draw{.shear = 20}, Draw{.zoom_x = 1.3f, .zoom_y = 0.8f},
                          Draw{.rotation = -17,
                          .shift_x = 0.1f,
                          .shift_y = -0.2f,
                          .shear = 9,
                          .zoom_x = 0.9f,
                          .zoom_y = 1.1f,
                          .flip = true}}) {
        const Image moved = augment(slope, d);
        const double a = static_cast<double>(d.rotation) * M_PI / 180, s = static_cast<double>(d.shear) * M_PI / 180;
        const double zx = d.flip ? -static_cast<double>(d.zoom_x) : static_cast<double>(d.zoom_x);
        const auto zy = static_cast<double>(d.zoom_y);
        // rotation * shear * zoom, row by row.
        const double m00 = std::cos(a) * zx, m01 = (-std::cos(a) * std::sin(s) - std::sin(a) * std::cos(s)) * zy;
        const double m10 = std::sin(a) * zx, m11 = (-std::sin(a) * std::sin(s) + std::cos(a) * std::cos(s)) * zy;
        const double determinant = m00 * m11 - m01 * m10, centre = (side - 1) / 2.0;
        for (int y = 0; y < side; y += 3)
            for (int x = 0; x < side; x += 3) {
                const double u = x - centre - static_cast<double>(d.shift_x) * side,
                             v = y - centre - static_cast<double>(d.shift_y) * side;
                const double from_x = std::clamp((m11 * u - m01 * v) / determinant + centre, 0.0, side - 1.0);
                const double from_y = std::clamp((-m10 * u + m00 * v) / determinant + centre, 0.0, side - 1.0);
                // OpenCV rounds places to 1/32 of a pixel, an eighth of a level here, and values to whole ones.
                CHECK(std::abs(moved.at(x, y)[0] - (40 + 4 * from_x)) < 0.75);
                CHECK(std::abs(moved.at(x, y)[1] - (40 + 4 * from_y)) < 0.75);
            }
    }
}

TEST_CASE("Zoom above one enlarges") {
    Image image(side, side);
    for (int y = 12; y <= 20; ++y)
        for (int x = 12; x <= 20; ++x) image.at(x, y)[0] = 255;
    const auto lit = [](const Image& i) { return std::count(i.pixels.begin(), i.pixels.end(), uint8_t{255}); };
    CHECK(lit(augment(image, {.zoom_x = 1.5f, .zoom_y = 1.5f})) > lit(image));
    CHECK(lit(augment(image, {.zoom_x = 0.7f, .zoom_y = 0.7f})) < lit(image));
}

TEST_CASE("Brightness, contrast and saturation follow their formulas") {
    // Floats of one multiply-add chain on values up to 1: a few roundings of 6e-8.
    const auto close = [](double v) { return Approx(v).margin(1e-5); };
    const Image image = flat(100, 150, 50);
    const double r = 100 / 255.0, g = 150 / 255.0, b = 50 / 255.0, grey = 0.299 * r + 0.587 * g + 0.114 * b;
    std::vector<float> out = run(image, {.brightness = 1.2f});
    CHECK(out[0] == close(1.2 * r));
    CHECK(out[1] == close(1.2 * g));
    out = run(image, {.saturation = 0.7f});
    CHECK(out[0] == close(0.7 * r + 0.3 * grey));
    CHECK(out[2] == close(0.7 * b + 0.3 * grey));
    out = run(image, {.contrast = 0.8f});  // a flat picture is its own mean in grey
    CHECK(out[0] == close(0.8 * r + 0.2 * grey));
    out = run(flat(200, 200, 200), {.brightness = 2.0f});
    CHECK(out[0] == close(1));  // clipped
    out = run(image, {.saturation = 0});
    CHECK(out[0] == close(grey));
    CHECK(out[2] == close(grey));
}

TEST_CASE("Contrast keeps the mean and stretches about it") {
    Image image = flat(100, 100, 100);
    for (size_t i = 0; i < image.pixels.size() / 2; ++i) image.pixels[i] = 140;
    double before = 0, after = 0;
    for (uint8_t v : image.pixels) before += v;
    for (float v : run(image, {.contrast = 1.2f})) after += 255.0 * static_cast<double>(v);
    CHECK(after / before == Approx(1).margin(1e-4));
}

TEST_CASE("Noise has the deviation drawn, mean zero and its own key") {
    const Preprocess p{.width = 128, .height = 128};
    Image image(128, 128);
    std::fill(image.pixels.begin(), image.pixels.end(), uint8_t{128});
    const auto noisy = [&](uint64_t key) { return run(image, {.noise = 0.03f, .noise_key = key}, p); };
    const std::vector<float> a = noisy(1);
    double sum = 0, square = 0;
    for (float v : a) {
        const double d = static_cast<double>(v) - 128.0 / 255;
        sum += d;
        square += d * d;
    }
    const double n = static_cast<double>(a.size());
    // 49,152 values: the mean's deviation is 0.03 / 222 = 1.4e-4, that of the deviation 0.03 / sqrt(2 n) = 1e-4.
    CHECK(std::abs(sum / n) < 6e-4);
    CHECK(std::sqrt(square / n) == Approx(0.03).margin(5e-4));
    CHECK(noisy(1) == a);
    CHECK(noisy(2) != a);
}

TEST_CASE("Motion blur keeps flat pictures and smears a dot along its line") {
    CHECK(augment(flat(9, 99, 199), {.blur_length = 5, .blur_angle = 30}) == flat(9, 99, 199));
    Image dot(side, side);
    dot.at(16, 16)[0] = 250;
    const Image smeared = augment(dot, {.blur_length = 5, .blur_angle = 0});
    for (int x = 14; x <= 18; ++x) CHECK(smeared.at(x, 16)[0] == 50);
    CHECK(smeared.at(13, 16)[0] == 0);
    CHECK(smeared.at(16, 15)[0] == 0);
    CHECK(augment(dot, {.blur_length = 5, .blur_angle = 90}).at(16, 14)[0] == 50);
}

TEST_CASE("Colour order, mean and scale hold after augmentation too") {
    const Preprocess p{.width = side,
                       .height = side,
                       .colour_order = ColourOrder::bgr,
                       .scale = 1,
                       .mean = {10, 20, 30},
                       .std = {2, 4, 5}};
    const std::vector<float> out = run(flat(100, 150, 50), {.brightness = 0.5f}, p);
    CHECK(out[0] == Approx((25 - 10) / 2.0));
    CHECK(out[1] == Approx((75 - 20) / 4.0));
    CHECK(out[2] == Approx((50 - 30) / 5.0));
}

TEST_CASE("Pictures of one pixel and of odd shape are augmented") {
    for (auto [w, h] : {std::pair{1, 1}, {1, 7}, {13, 1}, {5, 3}}) {
        const Preprocess p{.width = w, .height = h};
        for (uint64_t key = 0; key < 20; ++key)
            for (float v : run(picture(w, h), draw(Augmentation::paper_k(), key), p)) REQUIRE((v >= 0 && v <= 1));
    }
}

TEST_CASE("Augmentations survive their JSON, and bad ones are refused by name") {
    for (const Augmentation& a : {Augmentation::paper_k(), Augmentation::paper_m(), Augmentation::none()})
        CHECK(Augmentation::from_json(a.to_json()) == a);
    CHECK(Augmentation::from_json("{\"flip\":0.5}").flip == 0.5f);
    CHECK_THROWS_WITH(Augmentation::from_json("{\"flop\":0.5}"), Contains("flop"));
    CHECK_THROWS_WITH(Augmentation::from_json("{\"flip\":1.5}"), Contains("flip"));
    CHECK_THROWS_WITH(Augmentation::from_json("{\"blur_length\":4}"), Contains("blur_length"));
    CHECK_THROWS_WITH(Augmentation::from_json("{\"fill\":\"zero\"}"), Contains("zero"));
    CHECK_THROWS_WITH(Augmentation::from_json("{\"rotation\":\"x\"}"), Contains("rotation"));
    CHECK_THROWS_AS((Augmentation{.noise_low = 0.5f, .noise_high = 0.1f}.validate()), Error);
}

TEST_CASE("Augmentation refuses a frame of another size") {
    std::vector<float> out(side * side * 3);
    CHECK_THROWS_AS(augment(picture(5, 5), {.brightness = 0.5f}, unscaled, out.data()), Error);
    CHECK_THROWS_AS(augment(Image(), Draw{}), Error);
}
