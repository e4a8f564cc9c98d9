#include "liven/ops/conv2d.hpp"

#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/core/error.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

struct ConvCase {
    const char* name;
    Shape src, weights;
    Conv2dOptions options;
};

const std::vector<ConvCase> kCases{
    {"3x3, one of everything", {1, 1, 1, 1}, {3, 3, 1, 1}, {.padding = symmetric(1)}},
    {"3x3 same", {2, 7, 5, 3}, {3, 3, 3, 17}, {.padding = symmetric(1)}},
    {"3x3 valid, 16 to 16", {1, 6, 7, 16}, {3, 3, 16, 16}, {}},
    {"3x3 same, 32 to 5", {1, 5, 4, 32}, {3, 3, 32, 5}, {.padding = symmetric(1)}},
    {"1x1", {2, 3, 5, 13}, {1, 1, 13, 7}, {}},
    {"1x1 stride 2", {2, 5, 7, 4}, {1, 1, 4, 3}, {.stride = 2}},
    {"3x3 stride 2, Keras' padding", {2, 8, 6, 3}, {3, 3, 3, 5}, {.stride = 2, .padding = same({8, 6}, 3, 2)}},
    {"3x3 stride 2, PyTorch's padding", {2, 8, 6, 3}, {3, 3, 3, 5}, {.stride = 2, .padding = symmetric(1)}},
    {"7x7 stride 2", {1, 11, 13, 3}, {7, 7, 3, 8}, {.stride = 2, .padding = symmetric(3)}},
    {"3x2, stride 1x2, lopsided", {1, 6, 5, 2}, {3, 2, 2, 3}, {.stride = {1, 2}, .padding = {2, 0, 1, 3}}},
    {"dilation", {1, 9, 10, 3}, {3, 3, 3, 4}, {.padding = {2, 2, 3, 3}, .dilation = {2, 3}}},
    {"groups", {2, 5, 4, 6}, {3, 3, 2, 9}, {.padding = symmetric(1), .groups = 3}},
    {"depthwise", {2, 6, 7, 19}, {3, 3, 1, 19}, {.padding = symmetric(1), .groups = 19}},
    {"depthwise stride 2", {1, 7, 6, 5}, {3, 3, 1, 5}, {.stride = 2, .padding = {0, 1, 1, 1}, .groups = 5}},
    {"depthwise, two filters a channel", {1, 5, 6, 3}, {3, 3, 1, 6}, {.padding = symmetric(1), .groups = 3}},
    {"one row", {3, 1, 17, 2}, {1, 3, 2, 3}, {.padding = {0, 0, 1, 1}}}};

}  // namespace

TEST_CASE("Convolutions of every kind, with gradients and gradients of gradients") {
    for (const ConvCase& test : kCases)
        check({.name = test.name,
               .operands = [&]() -> TensorList {
                   return {uniform(test.src, 1), uniform(test.weights, 2)};
               },
               .function = [&](const TensorList& in) -> TensorList { return {conv2d(in[0], in[1], test.options)}; }});
}

TEST_CASE("A convolution applied twice with the same weights adds both gradients") {
    check({{.name = "shared weights",
            .operands = []() -> TensorList {
                return {uniform({1, 5, 6, 3}, 1), uniform({3, 3, 3, 3}, 2)};
            },
            .function = [](const TensorList& in) -> TensorList {
                const Conv2dOptions options{.padding = symmetric(1)};
                return {conv2d(conv2d(in[0], in[1], options), in[1], options)};
            }}});
}

TEST_CASE("Keras' padding puts the odd row at the bottom, and none where the kernel steps over whole tiles") {
    CHECK(same({8, 6}, 3, 2) == Padding2d{.top = 0, .bottom = 1, .left = 0, .right = 1});
    CHECK(same({7, 9}, 3, 2) == Padding2d{.top = 1, .bottom = 1, .left = 1, .right = 1});
    CHECK(same({8, 8}, 2, 2) == Padding2d{});
    CHECK(same({8, 8}, 1, 3) == Padding2d{});
    CHECK(same({9, 9}, 3, 1, 2) == symmetric(2));
}

TEST_CASE("A convolution's shape rule names both shapes") {
    const Tensor image = uniform({8, 6, 5, 1}, 1), weights = uniform({3, 3, 3, 16}, 2);
    CHECK_THAT(message_of([&] { conv2d(image, weights); }),
               Catch::Contains("3x3x3x16") && Catch::Contains("8x6x5x1") && Catch::Contains("3 input channels"));
    CHECK_THAT(message_of([&] { conv2d(uniform({6, 5, 3}, 1), weights); }), Catch::Contains("6x5x3"));
    CHECK_THAT(message_of([&] { conv2d(image, uniform({3, 3, 16}, 1)); }), Catch::Contains("3x3x16"));
    CHECK_THAT(message_of([&] {
                   conv2d(uniform({1, 2, 5, 3}, 1), weights);
               }),
               Catch::Contains("3x3x3x16") && Catch::Contains("1x2x5x3"));
    CHECK_THAT(message_of([&] {
                   conv2d(uniform({1, 6, 5, 6}, 1), weights, {.groups = 2});
               }),
               !Catch::Contains("groups"));
    CHECK_THAT(message_of([&] {
                   conv2d(uniform({1, 6, 5, 9}, 1), weights, {.groups = 3});
               }),
               Catch::Contains("3 groups"));
    CHECK_THROWS_AS(conv2d(uniform({1, 6, 5, 3}, 1), weights, {.stride = 0}), Error);
    CHECK_THROWS_AS(conv2d(uniform({1, 6, 5, 3}, 1), weights, {.dilation = -1}), Error);
    CHECK_THROWS_AS(conv2d(uniform({1, 6, 5, 3}, 1), weights, {.padding = symmetric(-1)}), Error);
}
