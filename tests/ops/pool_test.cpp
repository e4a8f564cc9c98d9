#include "liven/ops/pool.hpp"

#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/gradcheck.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/shape.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

struct PoolCase {
    const char* name;
    Shape src;
    PoolOptions options;
};

const std::vector<PoolCase> kCases{
    {"2x2", {2, 6, 8, 17}, {}},
    {"2x2 on odd extents", {2, 5, 7, 3}, {}},
    {"one pixel", {1, 1, 1, 1}, {.size = 1}},
    {"3x3 stride 2 with padding", {2, 7, 8, 5}, {.size = 3, .stride = 2, .padding = symmetric(1)}},
    {"3x3 stride 2, ceil", {1, 6, 8, 3}, {.size = 3, .stride = 2, .ceil_mode = true}},
    {"3x3 stride 1, overlapping", {1, 5, 4, 16}, {.size = 3, .stride = 1, .padding = symmetric(1)}},
    {"2x3 stride 3x1, lopsided", {2, 7, 6, 2}, {.size = {2, 3}, .stride = {3, 1}, .padding = {1, 0, 0, 2}}},
    {"padding counts", {1, 7, 8, 3}, {.size = 3, .stride = 2, .padding = symmetric(1), .count_include_pad = true}},
    {"padding counts, ceil",
     {1, 6, 7, 3},
     {.size = 3, .stride = 2, .padding = symmetric(1), .ceil_mode = true, .count_include_pad = true}}};

}  // namespace

TEST_CASE("Maximum pooling, and which element takes the gradient") {
    for (const PoolCase& test : kCases)
        check({.name = std::string("max_pool ") + test.name,
               .operands = [&]() -> TensorList { return {distinct(test.src, 1)}; },
               .function = [&](const TensorList& in) -> TensorList {
                   // Squared, so that the second derivative goes through max_pool_pick.
                   const Tensor y = max_pool(in[0], test.options);
                   return {y * y};
               }});
}

TEST_CASE("The second derivative of maximum pooling picks at the same places") {
    for (const PoolCase& test : kCases)
        check_executors({.name = std::string("max_pool_pick ") + test.name,
                         .operands = [&]() -> TensorList { return {distinct(test.src, 1)}; },
                         .function = [&](const TensorList& in) -> TensorList {
                             return {gradients(projection({square(max_pool(in[0], test.options))}), {in[0]})[0]};
                         }});
}

TEST_CASE("Average pooling") {
    for (const PoolCase& test : kCases)
        check(
            {.name = std::string("avg_pool ") + test.name,
             .operands = [&]() -> TensorList { return {uniform(test.src, 1)}; },
             .function = [&](const TensorList& in) -> TensorList { return {square(avg_pool(in[0], test.options))}; }});
}

TEST_CASE("Global pooling") {
    for (const Shape& shape : {Shape{2, 5, 7, 19}, Shape{1, 1, 1, 3}, Shape{3, 37, 31, 2}})
        check({{.name = "global_avg_pool of " + shape.str(),
                .operands = [&]() -> TensorList { return {uniform(shape, 1, 0.1f, 1.0f)}; },
                .function = [](const TensorList& in) -> TensorList { return {global_avg_pool(in[0])}; }},
               {.name = "global_max_pool of " + shape.str(),
                .operands = [&]() -> TensorList { return {distinct(shape, 1)}; },
                .function = [](const TensorList& in) -> TensorList { return {global_max_pool(in[0])}; }}});
}

TEST_CASE("The first of equal maxima takes the gradient") {
    const Tensor x = Tensor::from({1, 1, 1, 1}, {1, 2, 2, 1});
    CHECK(gradients(reshape(max_pool(x), Shape{}), {x})[0].to_vector() == std::vector<float>{1, 0, 0, 0});
}

TEST_CASE("A pool's shape rule names window and input") {
    const Tensor x = uniform({1, 3, 4, 2}, 1);
    CHECK_THAT(message_of([&] { max_pool(x, {.size = 5}); }), Catch::Contains("5x5") && Catch::Contains("1x3x4x2"));
    CHECK_THAT(message_of([&] { avg_pool(uniform({3, 4, 2}, 1)); }), Catch::Contains("3x4x2"));
    CHECK_THAT(message_of([&] { max_pool(x, {.padding = symmetric(2)}); }), Catch::Contains("padding"));
    CHECK_THROWS_AS(max_pool(x, {.size = 0}), Error);
    CHECK_THROWS_AS(avg_pool(x, {.size = 2, .stride = -1, .padding = symmetric(-1)}), Error);
}

TEST_CASE("Adaptive windows cover 14 rows as PyTorch's do, and one row as often as it takes") {
    std::vector<float> rows(14);
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i);
    // Rows 0 to 3, 3 to 6, 7 to 10 and 10 to 13; four columns stay as they are.
    const Tensor ramp = broadcast_to(Tensor::from(rows, {1, 14, 1, 1}), {1, 14, 4, 1});
    const std::vector<float> means = adaptive_avg_pool(ramp, 4).to_vector();
    REQUIRE(means.size() == 16);
    for (size_t x = 0; x < 4; ++x) {
        CHECK(means[x] == 1.5f);
        CHECK(means[4 + x] == 4.5f);
        CHECK(means[8 + x] == 8.5f);
        CHECK(means[12 + x] == 11.5f);
    }
    const Tensor one = Tensor::from({7.0f, 9.0f}, {1, 1, 1, 2});
    CHECK(adaptive_avg_pool(one, 2).to_vector() == std::vector<float>{7, 9, 7, 9, 7, 9, 7, 9});
    CHECK_THROWS_AS(adaptive_avg_pool(one, 0), Error);
    CHECK_THROWS_AS(adaptive_avg_pool(Tensor::from(rows, {14}), 2), Error);
    CHECK(gradcheck([](const TensorList& in) { return adaptive_avg_pool(in[0], 3); },
                    {Tensor::from(rows, {1, 7, 2, 1})}));
}
