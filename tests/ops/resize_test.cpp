#include "liven/ops/resize.hpp"

#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/ops/arithmetic.hpp"

using namespace liven;
using namespace liven::testing;

TEST_CASE("Nearest and bilinear resizing, larger, smaller, and by odd ratios") {
    for (ResizeMode mode : {ResizeMode::nearest, ResizeMode::bilinear})
        for (const auto& [src, size] : std::vector<std::pair<Shape, Extent2d>>{{{2, 3, 5, 7}, {6, 10}},
                                                                               {{1, 5, 7, 17}, {8, 4}},
                                                                               {{1, 9, 8, 3}, {4, 3}},
                                                                               {{2, 1, 1, 1}, {3, 2}},
                                                                               {{1, 3, 4, 2}, {3, 4}},
                                                                               {{1, 7, 5, 16}, {1, 1}}})
            check({.name = std::string(mode == ResizeMode::nearest ? "nearest " : "bilinear ") + src.str() + " to " +
                           std::to_string(size.h) + "x" + std::to_string(size.w),
                   .operands = [src = src]() -> TensorList { return {uniform(src, 1)}; },
                   .function = [mode, size = size](const TensorList& in) -> TensorList {
                       return {square(resize(in[0], {.size = size, .mode = mode}))};
                   }});
}

TEST_CASE("Upsampling repeats every pixel") {
    const Tensor x = Tensor::from({1, 2, 3, 4}, {1, 2, 2, 1});
    CHECK(upsample(x, 2).to_vector() == std::vector<float>{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
    check({{.name = "upsample",
            .operands = []() -> TensorList {
                return {uniform({2, 3, 2, 5}, 1)};
            },
            .function = [](const TensorList& in) -> TensorList { return {square(upsample(in[0], 3))}; }}});
}

TEST_CASE("Resizing names the input and the size") {
    CHECK_THAT(message_of([] { resize(uniform({3, 4, 2}, 1), {.size = 2}); }), Catch::Contains("3x4x2"));
    CHECK_THAT(message_of([] {
                   resize(uniform({1, 3, 4, 2}, 1), {.size = {0, 2}});
               }),
               Catch::Contains("0x2") && Catch::Contains("1x3x4x2"));
    CHECK_THAT(message_of([] { resize(Tensor::zeros({1, 0, 4, 2}), {.size = 2}); }), Catch::Contains("1x0x4x2"));
    CHECK_THAT(message_of([] { upsample(uniform({1, 3, 4, 2}, 1), 0); }), Catch::Contains("1x3x4x2"));
}
