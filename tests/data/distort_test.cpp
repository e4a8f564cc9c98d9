#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "helpers.hpp"
#include "liven/data/augment.hpp"

using namespace liven::data;
using liven::Random;

// The parts of LGSC's augmentation: offset, gain, HSV, patches, crops, black corners, each with a chance of its own.

namespace {

int64_t count(const Image& image, uint8_t value) { return std::count(image.pixels.begin(), image.pixels.end(), value); }

}  // namespace

TEST_CASE("Offset comes before gain, and both are clipped") {
    const Image grey = one_colour(8, 100, 150, 200);
    const Image changed = augment(grey, {.offset = -20, .gain = 1.5f});
    CHECK(changed.pixels[0] == 120);
    CHECK(changed.pixels[1] == 195);
    CHECK(changed.pixels[2] == 255);
    CHECK(augment(grey, {.offset = -120}).pixels[0] == 0);
}

TEST_CASE("Saturation and hue change in HSV: the largest channel stays, grey stays grey") {
    const Image image = one_colour(8, 100, 150, 50);
    const Image paler = augment(image, {.hsv_saturation = 0.5f});
    // Value 150, saturation 2/3 -> 1/3: the least channel is 100, the middle one 125. Rounded once.
    CHECK(std::abs(paler.pixels[0] - 125) <= 1);
    CHECK(paler.pixels[1] == 150);
    CHECK(std::abs(paler.pixels[2] - 100) <= 1);
    const Image turned = augment(one_colour(8, 200, 0, 0), {.hue = 120});
    CHECK(turned.pixels[0] <= 1);
    CHECK(turned.pixels[1] == 200);
    const Image back = augment(one_colour(8, 200, 0, 0), {.hue = -120});
    CHECK(back.pixels[2] == 200);
    const Image grey = one_colour(8, 90, 90, 90);
    CHECK(augment(grey, {.hsv_saturation = 1.2f, .hue = 16}) == grey);
}

TEST_CASE("Patches lie where they were drawn and are cut off at the border") {
    const Image white = one_colour(100, 255, 255, 255);
    Draw d;
    d.patches[0] = {.x = 0.1f, .y = 0.2f, .width = 0.3f, .height = 0.1f, .value = 80};
    d.patches[2] = {.x = -0.05f, .y = 0.9f, .width = 0.1f, .height = 0.2f, .value = 0};
    const Image patched = augment(white, d);
    CHECK(count(patched, 80) == 30 * 10 * 3);
    CHECK(patched.at(10, 20)[0] == 80);
    CHECK(patched.at(9, 20)[0] == 255);
    CHECK(patched.at(39, 29)[2] == 80);
    CHECK(patched.at(40, 30)[2] == 255);
    CHECK(count(patched, 0) == 5 * 10 * 3);
    CHECK(white == one_colour(100, 255, 255, 255));  // the frame itself stays as it is
}

TEST_CASE("A crop fills the frame with what is left of the picture") {
    Image halves = one_colour(40, 0, 0, 0);
    for (int y = 0; y < 40; ++y)
        for (int x = 20; x < 40; ++x) halves.at(x, y)[0] = 200;
    const Image right = augment(halves, {.crop_left = 0.25f});  // columns 10 to 39: the edge moves to 13.3
    CHECK(right.at(11, 5)[0] == 0);
    CHECK(right.at(15, 5)[0] == 200);
    const Image lower = augment(halves, {.crop_top = 0.4f});
    CHECK(lower.at(10, 0)[0] == 0);
    CHECK(lower.at(30, 39)[0] == 200);
    const Image same = augment(halves, {.crop_left = 0.2f, .crop_right = 0.2f});  // about the middle
    CHECK(same.at(18, 9)[0] == 0);
    CHECK(same.at(21, 9)[0] == 200);
}

TEST_CASE("Black corners after a turn, where a fill would repeat pixels") {
    const Image white = one_colour(64, 255, 255, 255);
    CHECK(augment(white, {.rotation = 30, .fill = Fill::black}).at(0, 0)[0] == 0);
    CHECK(augment(white, {.rotation = 30, .fill = Fill::nearest}).at(0, 0)[0] == 255);
}

TEST_CASE("LGSC's draws stay in their ranges, and each part has its own chance") {
    const Augmentation lgsc = Augmentation::lgsc();
    CHECK(Augmentation::from_json(lgsc.to_json()) == lgsc);
    CHECK(lgsc.active());
    int turned = 0, offset = 0, gain = 0, saturated = 0, hue = 0, cropped = 0, erased = 0, twice = 0, cut = 0;
    float largest_area = 0;
    for (uint64_t i = 0; i < 2000; ++i) {
        const Draw d = draw(lgsc, Random::mix(Random::mix(7, 1), i));
        REQUIRE(std::abs(d.rotation) <= 30);
        REQUIRE(std::abs(d.offset) <= 32);
        REQUIRE(std::abs(d.gain - 1) <= 0.5001f);
        REQUIRE(std::abs(d.hsv_saturation - 1) <= 0.2001f);
        REQUIRE(std::abs(d.hue) <= 16);
        REQUIRE(std::max({d.crop_left, d.crop_right, d.crop_top, d.crop_bottom}) <= 0.12f);
        REQUIRE(d.patches[2].width * 224 < 20.001f);
        for (size_t k = 0; k < 2; ++k) {
            const Draw::Patch& patch = d.patches[k];
            largest_area = std::max(largest_area, patch.width * patch.height);
            REQUIRE((patch.x >= 0 && patch.x + patch.width <= 1.0001f));
            REQUIRE((patch.y >= 0 && patch.y + patch.height <= 1.0001f));
        }
        turned += d.rotation != 0, offset += d.offset != 0, gain += d.gain != 1, hue += d.hue != 0;
        saturated += d.hsv_saturation != 1, cropped += d.crop_left > 0, cut += d.patches[2].width > 0;
        erased += d.patches[0].width > 0, twice += d.patches[1].width > 0;
    }
    CHECK(largest_area <= 0.0301f);
    // Four standard deviations of a binomial count: 4 * sqrt(2000 p (1 - p)).
    for (int happened : {turned, offset, gain, saturated, hue, cropped, erased, cut})
        CHECK(std::abs(happened - 1000) < 90);
    CHECK(std::abs(twice - 500) < 78);
}

TEST_CASE("What was drawn before LGSC's parts came is drawn as before") {
    Augmentation with = Augmentation::paper_k();
    with.offset = 32;
    with.crop = 0.1f;
    for (uint64_t key = 0; key < 50; ++key) {
        const Draw a = draw(Augmentation::paper_k(), key), b = draw(with, key);
        CHECK(a.rotation == b.rotation);
        CHECK(a.noise_key == b.noise_key);
        CHECK(a.offset == 0.0f);
        CHECK(b.offset != 0.0f);
    }
}

TEST_CASE("LGSC's augmentation takes pictures of one pixel and of odd shape") {
    for (auto [w, h] : {std::pair{1, 1}, {1, 7}, {13, 1}, {5, 3}})
        for (uint64_t key = 0; key < 20; ++key)
            CHECK(augment(picture(w, h), draw(Augmentation::lgsc(), key)).pixels.size() ==
                  static_cast<size_t>(w) * static_cast<size_t>(h) * 3);
}
