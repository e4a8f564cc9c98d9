#include "liven/data/preprocess.hpp"

#include <catch2/catch.hpp>

#include "helpers.hpp"
#include "liven/core/error.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;

TEST_CASE("A value is (pixel * scale - mean) / std in the network's colour order") {
    Image image(1, 1);
    image.pixels = {255, 51, 0};
    Preprocess p{.width = 1, .height = 1, .mean = {0.5f, 0.25f, 0.125f}, .std = {0.5f, 2, 4}};
    // Exact to rounding of three float operations.
    const auto close = [](float v) { return Approx(v).epsilon(1e-6).margin(1e-7); };
    const std::vector<float> rgb = p(image);
    CHECK(rgb[0] == close(1));
    CHECK(rgb[1] == close(-0.025f));
    CHECK(rgb[2] == close(-0.03125f));
    p.colour_order = ColourOrder::bgr;
    const std::vector<float> bgr = p(image);
    CHECK(bgr[0] == close(-1));
    CHECK(bgr[1] == close(-0.025f));
    CHECK(bgr[2] == close(0.21875f));
}

TEST_CASE("A box is cropped before resizing, and without one the whole picture is taken") {
    Image image(20, 10);
    for (int y = 0; y < 10; ++y)
        for (int x = 10; x < 20; ++x) image.at(x, y)[0] = 200;
    const Preprocess p{.width = 4, .height = 4, .interpolation = Interpolation::area};
    CHECK(p.frame(image, Box{10, 0, 10, 10}).at(0, 0)[0] == 200);
    CHECK(p.frame(image).at(0, 0)[0] == 0);
    CHECK(p.frame(image).at(3, 0)[0] == 200);
}

TEST_CASE("A frame of another size is refused") {
    const Preprocess p{.width = 4, .height = 4};
    std::vector<float> out(48);
    CHECK_THROWS_WITH(p.to_float(picture(5, 4), out.data()), Contains("4 x 4") && Contains("5 x 4"));
}

TEST_CASE("Preprocessing survives its JSON, float for float") {
    const Preprocess p{.width = 224,
                       .height = 192,
                       .interpolation = Interpolation::bilinear,
                       .colour_order = ColourOrder::bgr,
                       .scale = 1.0f / 3,
                       .mean = {0.485f, 0.456f, 0.406f},
                       .std = {0.229f, 0.224f, 0.225f},
                       .crop_margin = 0.5f};
    CHECK(Preprocess::from_json(p.to_json()) == p);
    CHECK(Preprocess::from_json(Preprocess{}.to_json()) == Preprocess{});
}

TEST_CASE("Preprocessing that lacks, adds or bends a field is refused by name") {
    const std::string good = Preprocess{}.to_json();
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        REQUIRE(text.find(from) != std::string::npos);
        return text.replace(text.find(from), from.size(), to);
    };
    CHECK_THROWS_WITH(Preprocess::from_json(with("\"scale\"", "\"skale\"")), Contains("scale"));
    CHECK_THROWS_WITH(Preprocess::from_json(with("{", "{\"extra\":1,")), Contains("extra"));
    CHECK_THROWS_WITH(Preprocess::from_json(with("256", "256.5")), Contains("width"));
    CHECK_THROWS_WITH(Preprocess::from_json(with("256", "1e99")), Contains("width"));
    CHECK_THROWS_WITH(Preprocess::from_json(with("256", "4294967552")),
                      Contains("width"));  // 256 after a cut to 32 bits
    CHECK_THROWS_WITH(Preprocess::from_json(with("256", "-3")), Contains("-3"));
    CHECK_THROWS_WITH(Preprocess::from_json(with("\"rgb\"", "\"grb\"")), Contains("grb"));
    CHECK_THROWS_WITH(Preprocess::from_json(with("\"std\":[1.0,1.0,1.0]", "\"std\":[1.0,0.0,1.0]")), Contains("std"));
    CHECK_THROWS_WITH(Preprocess::from_json(with("\"std\":[1.0,1.0,1.0]", "\"std\":[1.0,1.0]")), Contains("std"));
    CHECK_THROWS_WITH(Preprocess::from_json(with("\"std\":[1.0,1.0,1.0]", "\"std\":[1.0,1.0,1.0,1.0]")),
                      Contains("std"));
    for (const char* text : {"", "null", "[]", "{", "\"x\"", "{\"width\":"})
        CHECK_THROWS_AS(Preprocess::from_json(text), Error);
}

TEST_CASE("What the network sees becomes the same picture again, in either colour order") {
    Image image(3, 2);
    for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(13 * i);
    for (const ColourOrder order : {ColourOrder::rgb, ColourOrder::bgr}) {
        const Preprocess p{.width = 3,
                           .height = 2,
                           .colour_order = order,
                           .scale = 1.0f / 255,
                           .mean = {0.4f, 0.5f, 0.6f},
                           .std = {0.2f, 0.3f, 0.1f}};
        std::vector<float> values(18);
        p.to_float(image, values.data());
        CHECK(p.picture(values.data()) == image);
    }
}
