#include "liven/core/shape.hpp"

#include <catch2/catch.hpp>

#include "liven/core/error.hpp"

using liven::Error;
using liven::Shape;

TEST_CASE("A shape prints as people say it") {
    CHECK(Shape{8, 256, 256, 3}.str() == "8x256x256x3");
    CHECK(Shape{}.str() == "scalar");
}

TEST_CASE("Broadcasting stretches extents of one and refuses others with both shapes") {
    CHECK(liven::broadcast("add", {8, 1, 3}, {4, 1}) == Shape{8, 4, 3});
    CHECK_THROWS_WITH(liven::broadcast("add", {8, 4}, {3}), Catch::Contains("8x4") && Catch::Contains("3"));
}

TEST_CASE("Bad extents are errors, not overflow") {
    CHECK_THROWS_AS((Shape{-1}), Error);
    CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1}), Error);
    CHECK_THROWS_AS((Shape{int64_t{1} << 40, int64_t{1} << 40}), Error);
}
