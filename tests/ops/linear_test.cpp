#include "liven/ops/linear.hpp"

#include <catch2/catch.hpp>
#include <tuple>

#include "harness.hpp"
#include "liven/ops/activation.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

Shape flipped(Shape shape, bool transposed) {
    if (!transposed) return shape;
    const int64_t rows = shape[-2];
    shape.set(-2, shape[-1]);
    shape.set(-1, rows);
    return shape;
}

OperationCase product(const Shape& a, const Shape& b, bool transpose_a, bool transpose_b) {
    const Shape left = flipped(a, transpose_a), right = flipped(b, transpose_b);
    return {.name = "matmul of " + left.str() + (transpose_a ? "^T" : "") + " and " + right.str() +
                    (transpose_b ? "^T" : ""),
            .operands = [left, right]() -> TensorList {
                return {uniform(left, 1), uniform(right, 2)};
            },
            .function = [transpose_a, transpose_b](const TensorList& in) -> TensorList {
                return {matmul(in[0], in[1], {.transpose_a = transpose_a, .transpose_b = transpose_b})};
            }};
}

}  // namespace

TEST_CASE("Matrix products, transposed every way") {
    for (bool transpose_a : {false, true})
        for (bool transpose_b : {false, true})
            for (const auto& [a, b] : std::vector<std::pair<Shape, Shape>>{
                     {{1, 1}, {1, 1}}, {{5, 7}, {7, 3}}, {{1, 131}, {131, 17}}, {{13, 2}, {2, 37}}})
                check(product(a, b, transpose_a, transpose_b));
}

TEST_CASE("Batches of matrices, and one matrix for the whole batch") {
    for (bool transpose : {false, true}) {
        check(product({3, 5, 7}, {3, 7, 2}, transpose, false));
        check(product({3, 5, 7}, {3, 7, 2}, false, transpose));
        check(product({2, 3, 5, 7}, {2, 3, 7, 1}, transpose, transpose));
        check(product({3, 5, 7}, {7, 2}, false, transpose));
    }
}

TEST_CASE("A dense layer adds its bias to every row") {
    check({{.name = "dense",
            .operands = []() -> TensorList {
                return {uniform({5, 19}, 1), uniform({19, 7}, 2), uniform({7}, 3)};
            },
            .function = [](const TensorList& in) -> TensorList { return {tanh(dense(in[0], in[1], in[2]))}; }}});
}

TEST_CASE("Matrices that do not fit are named with both shapes") {
    CHECK_THAT(message_of([] {
                   matmul(uniform({2, 3}, 1), uniform({4, 5}, 2));
               }),
               Catch::Contains("2x3") && Catch::Contains("4x5"));
    CHECK_THAT(message_of([] {
                   matmul(uniform({2, 3}, 1), uniform({4, 3}, 2), {.transpose_a = true, .transpose_b = true});
               }),
               Catch::Contains("2x3 transposed") && Catch::Contains("4x3 transposed"));
    CHECK_THAT(message_of([] {
                   matmul(uniform({3}, 1), uniform({3, 2}, 2));
               }),
               Catch::Contains("3") && Catch::Contains("3x2"));
    CHECK_THAT(message_of([] {
                   matmul(uniform({2, 4, 3}, 1), uniform({5, 3, 2}, 2));
               }),
               Catch::Contains("2x4x3") && Catch::Contains("5x3x2"));
    CHECK_THAT(message_of([] {
                   dense(uniform({2, 3}, 1), uniform({3, 4}, 2), uniform({5}, 3));
               }),
               Catch::Contains("2x4") && Catch::Contains("5"));
}

TEST_CASE("The norm of a product has the value and gradient of the product's squares") {
    for (const auto& [rows, m, n] :
         std::vector<std::tuple<int64_t, int64_t, int64_t>>{{1, 1, 1}, {3, 7, 5}, {5, 2, 19}})
        check({.name = "product_norm of " + Shape{rows, m}.str() + " and " + Shape{rows, n}.str(),
               .operands = [rows = rows, m = m, n = n]() -> TensorList {
                   return {uniform({rows, m}, 1), uniform({rows, n}, 2)};
               },
               .function = [](const TensorList& in) -> TensorList {
                   return {apply(ops::ProductNorm{}, {in[0], in[1]})};
               }});
}
