#include "liven/ops/pixels.hpp"

#include <catch2/catch.hpp>
#include <cstring>

#include "harness.hpp"
#include "liven/data/preprocess.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/reduce.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

const Shape kShape{2, 9, 7, 3};

std::vector<uint8_t> bytes_of(const Shape& shape) {
    std::vector<uint8_t> out(static_cast<size_t>(shape.count()));
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<uint8_t>(i * 89 + i / 256);
    return out;
}

Tensor pixels_of(const Shape& shape) {
    const std::vector<uint8_t> values = bytes_of(shape);
    Buffer buffer(values.size());
    std::memcpy(buffer.data(), values.data(), values.size());
    return Tensor::share(std::move(buffer), shape, DType::u8);
}

const PixelScale kScaling{.scale = 1.0f / 255.0f, .mean = {0.485f, 0.456f, 0.406f}, .std = {0.229f, 0.224f, 0.225f}};

}  // namespace

TEST_CASE("Pixels scaled by the network have the bits that preprocessing gives") {
    const PixelScale scaling =
        GENERATE(PixelScale{}, kScaling, PixelScale{.scale = 1, .mean = {100, 100, 100}, .std = {80, 80, 80}});
    data::Preprocess preprocess{
        .width = 7, .height = 9, .scale = scaling.scale, .mean = scaling.mean, .std = scaling.std};
    data::Image picture(7, 9);
    picture.pixels = bytes_of({9, 7, 3});
    for (const auto order : {data::ColourOrder::rgb, data::ColourOrder::bgr}) {
        preprocess.colour_order = order;
        const std::vector<uint8_t> bytes = preprocess.pixels(picture);
        Buffer buffer(bytes.size());
        std::memcpy(buffer.data(), bytes.data(), bytes.size());
        CHECK(scale_pixels(Tensor::share(std::move(buffer), {1, 9, 7, 3}, DType::u8), scaling).to_vector() ==
              preprocess(picture));
    }
}

TEST_CASE("A convolution of pixels, and the gradient of its weights, agree with the reference") {
    const OperationCase test{.name = "conv2d of pixels",
                             .operands =
                                 [] {
                                     return TensorList{uniform({3, 3, 3, 5}, 1)};
                                 },
                             .function =
                                 [](const TensorList& in) {
                                     const Tensor x = scale_pixels(pixels_of(kShape), kScaling);
                                     return TensorList{relu(conv2d(x, in[0], {.stride = 2, .padding = symmetric(1)}))};
                                 },
                             .gradient_orders = 1};
    check_executors(test);
}

TEST_CASE("The scaled picture is never stored: forward and weight gradient read the pixels") {
    const Tensor w = uniform({3, 3, 3, 16}, 1);
    const Tensor y = conv2d(scale_pixels(pixels_of({1, 12, 13, 3}), kScaling), w, {.padding = symmetric(1)});
    const Tensor loss = sum(square(y));
    const Gradients g = gradients(loss, {w});
    const Value roots[] = {loss.value(), g.value(0)};
    const std::string plan =
        explain(Engine::current().graph_of(roots), Engine::current().options(), {.after = plan_stage_from("fuse")});
    CHECK(plan.find("{%0 = in1.full; %1 = in2.channel; %2 = in3.channel; %3 = widen(%0)") != std::string::npos);
    CHECK(plan.find("= pointwise -> {%0 = in0.full; %1 = widen") == std::string::npos);
}

TEST_CASE("Pixels of another type or shape are an error that says so") {
    CHECK(message_of([] { widen(Tensor::zeros({2, 3})); }).find("expected u8 values, got f32") != std::string::npos);
    CHECK(message_of([] { scale_pixels(pixels_of({2, 2, 4}), {}); }).find("three channels") != std::string::npos);
    CHECK(message_of([] { scale_pixels(pixels_of({2, 2, 3}), {.std = {1, 0, 1}}); }).find("std") != std::string::npos);
}
