#include "liven/ops/reduce.hpp"

#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/core/error.hpp"
#include "liven/ops/softmax.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

struct AxesCase {
    Shape shape;
    AxisList axes;
};
const std::vector<AxesCase> kAxes{
    {{2, 3, 5, 7}, {}},  {{2, 3, 5, 7}, {0, 1, 2}},   {{2, 3, 5, 7}, {1, 2}}, {{2, 3, 5, 7}, {3}}, {{2, 3, 5, 7}, {0}},
    {{2, 3, 5, 7}, {1}}, {{2, 3, 5, 7}, {0, 2}},      {{1, 1, 1, 1}, {1, 2}}, {{13}, {0}},         {{11, 17}, {0}},
    {{11, 17}, {-1}},    {{3, 37, 41, 3}, {0, 1, 2}}, {{2, 1, 1, 19}, {1, 2}}};

std::string name_of(const char* what, const AxesCase& test) {
    std::string name = std::string(what) + " of " + test.shape.str() + " over";
    for (int axis : test.axes) name += " " + std::to_string(axis);
    return name;
}

}  // namespace

TEST_CASE("Sums and means over any axes") {
    for (const AxesCase& test : kAxes)
        for (bool keep : {false, true}) {
            const ReduceOptions options{.axes = test.axes, .keep_axes = keep};
            const auto operands = [&]() -> TensorList { return {uniform(test.shape, 1, 0.1f, 1.0f)}; };
            check({{.name = name_of("sum", test),
                    .operands = operands,
                    .function = [&](const TensorList& in) -> TensorList { return {sum(in[0], options)}; }},
                   {.name = name_of("mean of squares", test),
                    .operands = operands,
                    .function = [&](const TensorList& in) -> TensorList { return {mean(square(in[0]), options)}; }}});
        }
}

TEST_CASE("Largest elements over any axes") {
    for (const AxesCase& test : kAxes)
        check({.name = name_of("max", test),
               .operands = [&]() -> TensorList { return {distinct(test.shape, 1)}; },
               .function = [&](const TensorList& in) -> TensorList { return {max(in[0], {.axes = test.axes})}; }});
}

TEST_CASE("Ties share the gradient of the largest element") {
    const Tensor x = Tensor::from({1, 3, 3, 2}, {4});
    CHECK(gradients(max(x), {x})[0].to_vector() == std::vector<float>{0, 0.5f, 0.5f, 0});
}

TEST_CASE("Moments over any axes, mean and variance both differentiated") {
    for (const AxesCase& test : kAxes) {
        if (test.axes.empty()) continue;
        const auto both = [&](const TensorList& in) -> TensorList {
            const Moments m = moments(in[0], test.axes);
            return {m.mean, m.variance};
        };
        // Not around 0, where the mean itself would be nothing but cancellation.
        const auto operands = [&]() -> TensorList { return {uniform(test.shape, 1, -0.5f, 1.5f)}; };
        // The variance of a single value is exactly 0 and its error relative to nothing.
        const bool single = test.shape.count() == 1 || test.shape == Shape{2, 1, 1, 19};
        if (!single) check({.name = name_of("moments", test), .operands = operands, .function = both});
        check_gradients({.name = name_of("moments", test), .operands = operands, .function = both});
    }
}

TEST_CASE("The variance keeps its digits when the mean is a hundred times the deviation") {
    check_executors({.name = "moments far from 0",
                     .operands = []() -> TensorList {
                         return {uniform({2, 33, 35, 5}, 1, 99.0f, 101.0f)};
                     },
                     .function = [](const TensorList& in) -> TensorList {
                         const Moments m = moments(in[0], {0, 1, 2});
                         return {m.mean, m.variance};
                     },
                     .gradient_orders = 0});
}

TEST_CASE("Softmax and its logarithm over the last axis") {
    for (const Shape& shape : {Shape{1, 1}, Shape{5, 7}, Shape{3, 2}, Shape{2, 3, 17}, Shape{1, 33}}) {
        const auto operands = [&]() -> TensorList { return {uniform(shape, 1, -3, 3)}; };
        check({{.name = "softmax of " + shape.str(),
                .operands = operands,
                .function = [](const TensorList& in) -> TensorList { return {softmax(in[0])}; }},
               {.name = "log_softmax of " + shape.str(),
                .operands = operands,
                .function = [](const TensorList& in) -> TensorList { return {log_softmax(in[0])}; }}});
    }
}

TEST_CASE("Class indices become rows of 0 and 1, and an index outside a row of zeros") {
    check({.name = "one_hot",
           .operands = []() -> TensorList {
               return {labels({2, 0, -1, 5, 1})};
           },
           .function = [](const TensorList& in) -> TensorList { return {one_hot(in[0], 3)}; },
           .gradient_orders = 0});
    CHECK(one_hot(labels({2, 3}), 3).to_vector() == std::vector<float>{0, 0, 1, 0, 0, 0});
    CHECK_THAT(message_of([] { one_hot(uniform({3}, 1), 2); }), Catch::Contains("i32") && Catch::Contains("3"));
}

TEST_CASE("Axes outside the shape and empty maxima are errors") {
    CHECK_THROWS_AS(sum(uniform({2, 3}, 1), {.axes = {2}}), Error);
    CHECK_THROWS_AS(max(Tensor::zeros({0, 3})), Error);
    CHECK_THAT(message_of([] { sum(labels({1, 2})); }), Catch::Contains("i32"));
}
