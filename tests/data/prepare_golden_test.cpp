#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>

#include "liven/core/error.hpp"
#include "liven/data/align.hpp"
#include "liven/data/enhance.hpp"
#include "liven/data/quality.hpp"
#include "liven/io/npy.hpp"
#include "tests/data/helpers.hpp"

// Every formula of data preparation against tests/golden/make_prepare.py, which has them in NumPy.

using namespace liven;
using namespace liven::data;

namespace {

class PreparedValues {
public:
    Image image(const std::string& name) const {
        const HostTensor host = reader_.read(name);
        Image out(static_cast<int>(host.shape[1]), static_cast<int>(host.shape[0]));
        const auto values = host.values<uint8_t>();
        out.pixels.assign(values.begin(), values.end());
        return out;
    }
    std::vector<float> numbers(const std::string& name) const {
        const HostTensor host = reader_.read(name);
        const auto values = host.values<float>();
        return {values.begin(), values.end()};
    }
    std::vector<Point> points(const std::string& name, size_t most = 100) const {
        const std::vector<float> v = numbers(name);
        std::vector<Point> out;
        for (size_t i = 0; i + 1 < v.size() && out.size() < most; i += 2) out.push_back({v[i], v[i + 1]});
        return out;
    }

private:
    NpzReader reader_{std::string(LIVEN_GOLDEN) + "/prepare.npz"};
};

struct Difference {
    int largest = 0;
    double mean = 0;
};
Difference difference(const Image& a, const Image& b) {
    REQUIRE(a.width == b.width);
    REQUIRE(a.height == b.height);
    Difference d;
    for (size_t i = 0; i < a.pixels.size(); ++i) {
        const int apart = std::abs(int{a.pixels[i]} - int{b.pixels[i]});
        d.largest = std::max(d.largest, apart);
        d.mean += apart / static_cast<double>(a.pixels.size());
    }
    return d;
}
/// `largest` levels of 256 at most, `mean` on the average.
void check_near(const Image& got, const Image& expected, int largest, double mean) {
    const Difference d = difference(got, expected);
    CHECK(d.largest <= largest);
    CHECK(d.mean <= mean);
}

}  // namespace

TEST_CASE("Quality: its four parts, what they are made of, the composite and the gates equal NumPy's") {
    const PreparedValues golden;
    for (const char* name : {"image", "second", "flat"}) {
        INFO(name);
        const std::vector<float> expected = golden.numbers(std::string(name) + "/quality");
        const Quality q = quality_of(golden.image(name));
        const double got[]{q.sharpness, q.contrast, q.brightness, q.blur, q.mean, q.deviation, q.edges, q.total()};
        // Stored as float32, and the root of Sobel's sum is one of float32.
        for (size_t i = 0; i < 8; ++i) CHECK(got[i] == Approx(expected[i]).epsilon(1e-6).margin(1e-9));
        CHECK(q.passes_gates() == (expected[8] == 1));
    }
}

TEST_CASE("Quality of the smallest pictures is finite, and an empty one is an error") {
    for (const auto& [width, height] : {std::pair{1, 1}, std::pair{1, 7}, std::pair{5, 1}, std::pair{2, 2}}) {
        const Quality q = quality_of(Image(width, height));
        CHECK(q.total() == 0);
        CHECK_FALSE(q.passes_gates());
    }
    CHECK_THROWS_AS(quality_of(Image()), Error);
}

TEST_CASE("Quality of rows longer than one part adds up as that of short ones") {
    // The same columns again and again: means and variances stay, but for the two mirrored ends.
    Image tall(2, 4099), wide(4099, 2);
    for (int i = 0; i < 4099; ++i)
        for (int k = 0; k < 2; ++k)
            for (int c = 0; c < 3; ++c)
                tall.at(k, i)[c] = wide.at(i, k)[c] = static_cast<uint8_t>((i * 37 + k * 90) % 251);
    const Quality a = quality_of(tall), b = quality_of(wide);
    CHECK(a.mean == Approx(b.mean).epsilon(1e-12));
    CHECK(a.edges == Approx(b.edges).epsilon(1e-12));
    CHECK(a.sharpness == Approx(b.sharpness).epsilon(1e-6));
}

TEST_CASE("Each stage of the enhancement equals NumPy's") {
    const PreparedValues golden;
    const Image image = golden.image("image");
    // OpenCV's weights are float32: one level where a value lies at a half.
    check_near(bilateral(image), golden.image("bilateral"), 1, 0.01);
    // One level of lightness moves a colour by up to three.
    check_near(equalize(image), golden.image("equalize"), 4, 0.2);
    // OpenCV's Gaussian has weights of 8 bits after the point.
    check_near(unsharp(image), golden.image("unsharp"), 1, 0.05);
    CHECK(correct_gamma(image) == golden.image("gamma"));
    CHECK(stretch(image) == golden.image("stretch"));
    // 0.7 v + 0.3 s in float32 or double may round a half differently.
    check_near(sharpen(image), golden.image("sharpen"), 1, 0.01);
    // Weights of 8 to 16 bits, and one level of lightness again.
    check_near(denoise(image), golden.image("denoise"), 6, 1);
}

TEST_CASE("The chains for photos and for video frames equal NumPy's") {
    const PreparedValues golden;
    const Image image = golden.image("image");
    // What one stage rounds differently, sharpening and contrast make 1.5 to 4 times larger.
    check_near(enhance(image, Enhancement::photo), golden.image("photo"), 10, 0.5);
    check_near(enhance(image, Enhancement::video), golden.image("video"), 28, 1.5);
    CHECK(enhance(image, Enhancement::none) == image);
}

TEST_CASE("A chain has the bytes of its stages one after the other") {
    const Image image = PreparedValues().image("second");
    CHECK(enhance(image, Enhancement::photo) == stretch(correct_gamma(unsharp(equalize(bilateral(image))))));
    CHECK(enhance(image, Enhancement::video) == sharpen(equalize(denoise(bilateral(image, 9, 80, 80)), 4)));
}

TEST_CASE("Enhancement refuses what cannot be") {
    const Image image = PreparedValues().image("flat");
    CHECK_THROWS_AS(enhance(Image(), Enhancement::photo), Error);
    CHECK_THROWS_AS(bilateral(image, 0), Error);
    CHECK_THROWS_AS(equalize(image, 0), Error);
    CHECK_THROWS_AS(equalize(image, 3, 0), Error);
    CHECK_THROWS_AS(unsharp(image, 0), Error);
    CHECK_THROWS_AS(unsharp(image, 2, NAN), Error);
    CHECK_THROWS_AS(correct_gamma(image, 0), Error);
    CHECK_THROWS_AS(stretch(image, INFINITY), Error);
    CHECK_THROWS_AS(denoise(image, 0), Error);
    CHECK_THROWS_AS(sharpen(image, 2), Error);
    // A picture smaller than its tiles, and of one pixel, still goes through all of it.
    CHECK(enhance(Image(3, 2), Enhancement::photo).width == 3);
    CHECK(enhance(Image(1, 1), Enhancement::video).height == 1);
}

TEST_CASE("Landmarks come to rest where least squares bring them") {
    const PreparedValues golden;
    const std::vector<Point> landmarks = golden.points("landmarks");
    for (const size_t count : {size_t{2}, size_t{5}})
        for (const auto& [margin, name] : {std::pair{1.0, "1"}, std::pair{2.0, "2"}}) {
            const std::string key = "align/" + std::to_string(count) + "/" + name;
            const std::vector<Point> places = face_template(count, 48, 40, margin);
            const std::vector<Point> expected_places = golden.points(key + "/template");
            REQUIRE(places.size() == count);
            for (size_t i = 0; i < count; ++i) {
                CHECK(places[i].x == Approx(expected_places[i].x).epsilon(1e-6));
                CHECK(places[i].y == Approx(expected_places[i].y).epsilon(1e-6));
            }
            const std::vector<float> expected = golden.numbers(key + "/similarity");
            const Similarity s = align(std::span(landmarks).first(count), places);
            // Places and results are stored as float32, 40 pixels long.
            const double got[]{s.a, s.b, s.dx, s.dy};
            for (size_t i = 0; i < 4; ++i) CHECK(got[i] == Approx(expected[i]).epsilon(1e-5).margin(1e-5));
        }
}

TEST_CASE("Two eyes are met exactly, and a half as large result keeps its edges") {
    const std::vector<Point> eyes{{30, 41}, {61, 35}}, places = face_template(2, 64, 64);
    const Similarity s = align(eyes, places);
    for (size_t i = 0; i < 2; ++i) {
        CHECK(s(eyes[i]).x == Approx(places[i].x).epsilon(1e-5));
        CHECK(s(eyes[i]).y == Approx(places[i].y).epsilon(1e-5));
    }
    const Point p = s.scaled(0.5)(eyes[0]);
    CHECK(p.x == Approx((places[0].x + 0.5) / 2 - 0.5).epsilon(1e-5));
    CHECK(s.scaled(0.5).scale() == Approx(s.scale() / 2));
}

TEST_CASE("Landmarks that are no face are errors") {
    const std::vector<Point> places = face_template(2, 64, 64);
    CHECK_THROWS_AS(align(std::vector<Point>{{5, 5}, {5, 5}}, places), Error);
    CHECK_THROWS_AS(align(std::vector<Point>{{5, 5}, {NAN, 5}}, places), Error);
    CHECK_THROWS_AS(align(std::vector<Point>{{5, 5}}, places), Error);
    CHECK_THROWS_AS(align(std::vector<Point>{{5, 5}, {9, 5}, {7, 8}}, places), Error);
    CHECK_THROWS_AS(face_template(3, 64, 64), Error);
    CHECK_THROWS_AS(face_template(5, 64, 64, 0), Error);
    CHECK_THROWS_AS(warp(Image(4, 4), {.a = 0, .b = 0}, 4, 4, Interpolation::bilinear), Error);
    CHECK_THROWS_AS(warp(Image(4, 4), {}, 0, 4, Interpolation::bilinear), Error);
}

TEST_CASE("Warping, Lanczos and the grown box equal NumPy's") {
    const PreparedValues golden;
    const std::vector<Point> landmarks = golden.points("landmarks");
    // OpenCV takes the place between two pixels to 1/32: two levels on a smooth picture.
    check_near(
        warp(golden.image("smooth"), align(landmarks, face_template(5, 48, 40)), 48, 40, Interpolation::bilinear),
        golden.image("warp"), 3, 0.5);
    // Its weights have 11 bits after the point, in both directions.
    check_near(resize(golden.image("image"), 32, 40, Interpolation::lanczos), golden.image("lanczos"), 1, 0.1);
    check_near(resize(golden.image("second"), 77, 64, Interpolation::lanczos), golden.image("lanczos_up"), 1, 0.1);
    const std::vector<float> boxes = golden.numbers("boxes"), windows = golden.numbers("windows");
    const Image image = golden.image("image");
    for (size_t i = 0; i < boxes.size() / 5; ++i) {
        const float* b = &boxes[5 * i];
        const Box window = crop_window(image, {b[0], b[1], b[2], b[3]}, (b[4] - 1) / 2);
        CHECK(window == Box{windows[4 * i], windows[4 * i + 1], windows[4 * i + 2], windows[4 * i + 3]});
        const Image cut = crop(image, {b[0], b[1], b[2], b[3]}, (b[4] - 1) / 2);
        REQUIRE(cut.width == static_cast<int>(window.width));
        REQUIRE(cut.height == static_cast<int>(window.height));
        for (int y = 0; y < cut.height; ++y)
            for (int x = 0; x < cut.width; ++x) {
                const int from_x = std::clamp(static_cast<int>(window.x) + x, 0, image.width - 1);
                const int from_y = std::clamp(static_cast<int>(window.y) + y, 0, image.height - 1);
                if (!std::equal(cut.at(x, y), cut.at(x, y) + 3, image.at(from_x, from_y))) FAIL("another pixel");
            }
    }
}

TEST_CASE("Lanczos keeps an even surface at every size, and neither overflows nor leaves a picture of one pixel") {
    for (const auto& [width, height] : {std::pair{1, 1}, std::pair{3, 50}, std::pair{64, 7}, std::pair{40, 40}}) {
        const Image even = resize(one_colour(23, 255, 0, 77), width, height, Interpolation::lanczos);
        for (size_t i = 0; i < even.pixels.size(); i += 3)
            if (even.pixels[i] != 255 || even.pixels[i + 1] != 0 || even.pixels[i + 2] != 77) FAIL("another colour");
        CHECK(resize(one_colour(1, 9, 8, 7), width, height, Interpolation::lanczos).at(0, 0)[1] == 8);
    }
    // Black and white by turns, where the window overshoots most in both directions.
    Image board(31, 29);
    for (size_t i = 0; i < board.pixels.size(); ++i) board.pixels[i] = i / 3 % 2 == 0 ? 255 : 0;
    const Image half = resize(board, 47, 44, Interpolation::lanczos);
    const auto [least, most] = std::minmax_element(half.pixels.begin(), half.pixels.end());
    CHECK(*least == 0);
    CHECK(*most == 255);
}
