#include "liven/ops/norm.hpp"

#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/instance_norm.hpp"
#include "liven/ops/layer_norm.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

const std::vector<Shape> maps{{2, 3, 5, 7}, {3, 4, 5, 17}, {1, 6, 5, 1}};

/// An input with its gamma and beta. Not around 0, where the mean itself would be nothing but cancellation.
Operands with_affine(const Shape& shape, float low = -0.5f, float high = 1.5f) {
    return [=]() -> TensorList {
        return {uniform(shape, 1, low, high), uniform({shape[-1]}, 2, 0.5f, 1.5f), uniform({shape[-1]}, 3)};
    };
}

}  // namespace

TEST_CASE("Batch normalisation, its statistics differentiated too") {
    for (const Shape& shape : {maps[0], maps[1], maps[2], Shape{13, 19}})
        check({.name = "batch_norm of " + shape.str(),
               .operands = with_affine(shape),
               .function = [](const TensorList& in) -> TensorList {
                   const BatchNormResult r = batch_norm(in[0], in[1], in[2]);
                   return {r.y, r.mean, r.variance};
               }});
}

TEST_CASE("Batch normalisation keeps its digits when the mean is a hundred times the deviation") {
    check_executors({.name = "batch_norm far from 0",
                     .operands = with_affine({2, 17, 19, 5}, 99.5f, 100.5f),
                     .function = [](const TensorList& in) -> TensorList { return {batch_norm(in[0], in[1], in[2]).y}; },
                     .gradient_orders = 0});
}

TEST_CASE("Batch normalisation with given statistics") {
    for (const Shape& shape : maps)
        check({{.name = "batch_norm_inference of " + shape.str(),
                .operands = [&]() -> TensorList {
                    const Shape channels{shape[-1]};
                    return {uniform(shape, 1), uniform(channels, 2), uniform(channels, 3), uniform(channels, 4),
                            uniform(channels, 5, 0.5f, 1.5f)};
                },
                .function = [](const TensorList& in) -> TensorList {
                    return {batch_norm_inference(in[0], in[1], in[2], in[3], in[4], {.epsilon = 1e-5f})};
                }}});
}

TEST_CASE("Instance normalisation") {
    for (const Shape& shape : {maps[0], maps[1], maps[2], Shape{2, 13, 3}})
        check({.name = "instance_norm of " + shape.str(),
               .operands = with_affine(shape),
               .function = [](const TensorList& in) -> TensorList { return {instance_norm(in[0], in[1], in[2])}; }});
}

TEST_CASE("Layer normalisation") {
    for (const Shape& shape : {Shape{5, 7}, Shape{2, 3, 17}, Shape{1, 2, 3, 4}, Shape{3, 33}})
        check({.name = "layer_norm of " + shape.str(),
               .operands = with_affine(shape),
               .function = [](const TensorList& in) -> TensorList { return {layer_norm(in[0], in[1], in[2])}; }});
}

TEST_CASE("A constant input is normalised to beta, without NaN") {
    const Tensor x = Tensor::full({1, 3, 3, 2}, 4.0f), gamma = uniform({2}, 1), beta = Tensor::from({0.5f, -1.0f}, {2});
    for (const Tensor& y : {batch_norm(x, gamma, beta).y, instance_norm(x, gamma, beta), layer_norm(x, gamma, beta)}) {
        const auto values = y.to_vector();
        CHECK(values[16] == 0.5f);
        CHECK(values[17] == -1.0f);
    }
}

TEST_CASE("Norms name the input and the vector that does not fit") {
    const Tensor x = uniform({2, 3, 5, 7}, 1), right = uniform({7}, 2), wrong = uniform({5}, 3);
    for (const std::string& message :
         {message_of([&] { batch_norm(x, wrong, right); }), message_of([&] { batch_norm(x, right, wrong); }),
          message_of([&] { batch_norm_inference(x, right, right, right, wrong); }),
          message_of([&] { instance_norm(x, right, wrong); }), message_of([&] { layer_norm(x, wrong, right); })})
        CHECK_THAT(message, Catch::Contains("2x3x5x7") && Catch::Contains("got 5"));
    CHECK_THAT(message_of([&] { instance_norm(uniform({3, 7}, 1), right, right); }), Catch::Contains("3x7"));
    CHECK_THAT(message_of([&] { batch_norm(uniform({7}, 1), right, right); }), Catch::Contains("7"));
    CHECK_THAT(message_of([&] { layer_norm(x, right, right, {.epsilon = 0}); }), Catch::Contains("epsilon"));
}
