#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/core/error.hpp"
#include "liven/ops/arithmetic.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

Operands operands(std::vector<Shape> shapes) {
    return [shapes = std::move(shapes)] {
        TensorList list;
        for (const Shape& shape : shapes) list.push_back(uniform(shape, list.size() + 1));
        return list;
    };
}

}  // namespace

TEST_CASE("Operations that move numbers, and their gradients") {
    check({{.name = "reshape",
            .operands = operands({{2, 3, 5, 7}}),
            .function = [](const TensorList& in) -> TensorList {
                return {square(reshape(in[0], {6, -1}))};
            }},
           {.name = "flatten",
            .operands = operands({{2, 3, 5, 7}}),
            .function = [](const TensorList& in) -> TensorList { return {flatten(square(in[0]))}; }},
           {.name = "permute",
            .operands = operands({{2, 3, 5, 7}}),
            .function = [](const TensorList& in) -> TensorList {
                return {permute(in[0], {3, 0, 2, 1})};
            }},
           {.name = "permute, rank 6",
            .operands = operands({{2, 1, 3, 2, 1, 3}}),
            .function = [](const TensorList& in) -> TensorList {
                return {permute(in[0], {5, 4, 3, 2, 1, 0})};
            }},
           {.name = "transpose",
            .operands = operands({{2, 13, 17}}),
            .function = [](const TensorList& in) -> TensorList { return {transpose(in[0])}; }},
           {.name = "slice of channels",
            .operands = operands({{2, 3, 5, 19}}),
            .function = [](const TensorList& in) -> TensorList { return {slice(in[0], {.begin = 2, .count = 16})}; }},
           {.name = "slice of rows",
            .operands = operands({{2, 5, 3, 7}}),
            .function = [](const TensorList& in) -> TensorList {
                return {slice(in[0], {.axis = 1, .begin = 1, .count = 3})};
            }},
           {.name = "concat of channels",
            .operands = operands({{2, 3, 5, 7}, {2, 3, 5, 1}, {2, 3, 5, 16}}),
            .function = [](const TensorList& in) -> TensorList { return {concat(in)}; }},
           {.name = "concat of samples",
            .operands = operands({{2, 3, 5}, {1, 3, 5}}),
            .function = [](const TensorList& in) -> TensorList { return {concat(in, {.axis = 0})}; }},
           {.name = "concat of one tensor with itself",
            .operands = operands({{2, 3, 5}}),
            .function = [](const TensorList& in) -> TensorList {
                return {concat({in[0], in[0]}, {.axis = 1})};
            }},
           {.name = "pad",
            .operands = operands({{2, 3, 5, 7}}),
            .function = [](const TensorList& in) -> TensorList {
                return {pad(in[0], {.low = {0, 1, 2, 0}, .high = {0, 0, 1, 3}, .value = 0.5f})};
            }},
           {.name = "pad of rank 1",
            .operands = operands({{13}}),
            .function = [](const TensorList& in) -> TensorList { return {pad(in[0], {.low = {3}, .high = {1}})}; }},
           {.name = "broadcast_to",
            .operands = operands({{3, 1, 7}}),
            .function = [](const TensorList& in) -> TensorList {
                return {broadcast_to(in[0], {2, 3, 5, 7})};
            }},
           {.name = "sum_to", .operands = operands({{2, 3, 5, 7}}), .function = [](const TensorList& in) -> TensorList {
                return {sum_to(square(in[0]), {3, 1, 7})};
            }}});
}

TEST_CASE("concat takes any number of tensors") {
    check({.name = "concat of 40",
           .operands = operands(std::vector<Shape>(40, Shape{2, 1, 3})),
           .function = [](const TensorList& in) -> TensorList { return {concat(in, {.axis = 1})}; },
           .gradient_orders = 1});
}

TEST_CASE("A view costs nothing and a view of a view looks at the original") {
    const Tensor x = uniform({2, 3, 4}, 1);
    CHECK(reshape(reshape(x, {6, 4}), {24}).to_vector() == x.to_vector());
    CHECK(reshape(x, x.shape()).node() == x.node());
}

TEST_CASE("Gradients end at a detached tensor") {
    const Tensor x = Tensor::from({1, 2}, {2});
    CHECK(x.detach().to_vector() == x.to_vector());
    CHECK(gradients(projection({x * x.detach()}), {x})[0].to_vector() ==
          computed({(x * uniform({2}, 1000, 0.25f, 1.25f)).value()})[0]);
}

TEST_CASE("Shape rules of moving operations name what does not fit") {
    const Tensor x = uniform({2, 3, 5}, 1);
    CHECK_THAT(message_of([&] { reshape(x, {7, 4}); }), Catch::Contains("2x3x5") && Catch::Contains("7x4"));
    CHECK_THAT(message_of([&] { reshape(x, {-1, -1}); }), Catch::Contains("-1"));
    CHECK_THAT(message_of([&] { reshape(x, {-1, 4}); }), Catch::Contains("30"));
    CHECK_THAT(message_of([&] { permute(x, {0, 1}); }), Catch::Contains("2x3x5") && Catch::Contains("2"));
    CHECK_THAT(message_of([&] { permute(x, {0, 1, 1}); }), Catch::Contains("once"));
    CHECK_THAT(message_of([&] { slice(x, {.axis = 1, .begin = 2, .count = 2}); }), Catch::Contains("2x3x5"));
    CHECK_THAT(message_of([&] { slice(x, {.axis = 1, .begin = -1, .count = 2}); }), Catch::Contains("2x3x5"));
    CHECK_THAT(message_of([&] { slice(x, {.axis = 1, .begin = INT64_MAX, .count = 2}); }), Catch::Contains("2x3x5"));
    CHECK_THAT(message_of([&] {
                   concat({x, uniform({2, 4, 5}, 2)});
               }),
               Catch::Contains("2x3x5") && Catch::Contains("2x4x5"));
    CHECK_THAT(message_of([&] {
                   concat({x, uniform({2, 3}, 2)}, {.axis = 1});
               }),
               Catch::Contains("2x3x5") && Catch::Contains("2x3"));
    CHECK_THROWS_AS(concat({}), Error);
    CHECK_THAT(message_of([&] { pad(x, {.low = {1}, .high = {1}}); }), Catch::Contains("2x3x5"));
    CHECK_THAT(message_of([&] { pad(x, {.low = {-1, 0, 0}, .high = {0, 0, 0}}); }), Catch::Contains("-1"));
    CHECK_THAT(message_of([&] { broadcast_to(x, {2, 4, 5}); }), Catch::Contains("2x3x5") && Catch::Contains("2x4x5"));
    CHECK_THAT(message_of([&] { transpose(uniform({3}, 1)); }), Catch::Contains("3"));
}
