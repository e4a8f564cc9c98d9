#include "liven/data/sheet.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "liven/core/error.hpp"

using namespace liven;
using data::Image;

namespace {

Image plain(int width, int height, uint8_t value) {
    Image image(width, height);
    std::fill(image.pixels.begin(), image.pixels.end(), value);
    return image;
}

}  // namespace

TEST_CASE("A map of numbers becomes colours from black to light; pictures stand side by side") {
    const Image dark = data::colour_map(std::vector<float>(6, 0.0f), 3, 2, 0.5),
                light = data::colour_map(std::vector<float>(6, 7.0f), 3, 2, 0.5);
    CHECK(dark.width == 3);
    CHECK(dark.pixels[0] < 10);
    CHECK(light.pixels[0] > 240);
    CHECK(light.pixels[1] > 240);
    CHECK(data::colour_map(std::vector<float>(6, NAN), 3, 2, 0.5).pixels == dark.pixels);
    CHECK_THROWS_WITH(data::colour_map(std::vector<float>(5), 3, 2, 0.5), Catch::Contains("5"));
    const Image both = data::beside(dark, light);
    CHECK(both.width == 6);
    CHECK(std::equal(both.at(3, 1), both.at(3, 1) + 3, light.at(0, 1)));
    CHECK_THROWS_AS(data::beside(dark, Image(3, 3)), Error);
}

TEST_CASE("A sheet has its pictures in rows, keeps their proportions and frames what is marked") {
    data::Sheet sheet({.columns = 3, .side = 64, .lines = 1});
    CHECK_THROWS_AS(sheet.image(), Error);
    sheet.add({.picture = plain(40, 20, 10), .lines = {"wide \xc3\xa4"}}).end_row();
    sheet.add({.picture = plain(8, 8, 20), .lines = {std::string(400, 'x'), "not shown"}, .marked = true});
    const Image image = sheet.image();
    CHECK(image.width == 64);  // no row has more than one
    const int row = image.height / 2;
    CHECK(row > 64);
    CHECK(image.at(32, 32)[0] == 10);
    CHECK(image.at(32, 8)[0] == 225);  // above the wide one
    CHECK(image.at(32, row + 32)[0] == 20);
    CHECK(image.at(1, row + 1)[0] == 200);  // red
    CHECK(image.at(1, row + 1)[1] == 30);
    CHECK_THROWS_AS(data::Sheet({.columns = 0}), Error);
}
