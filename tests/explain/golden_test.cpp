#include <catch2/catch.hpp>

#include "liven/explain/methods.hpp"
#include "small_network.hpp"

// Grad-CAM and guided gradients against PyTorch's hooks: tests/golden/make_explain.py.

using namespace liven;
using namespace liven::saliency;
using liven::testing::SmallNetwork;

namespace {

// float32 against float64 through two convolutions and two dense layers.
constexpr double kTolerance = 2e-5;

double distance_of(const Heat& heat, const Tensor& expected) {
    REQUIRE(expected.shape() == Shape{heat.frames, heat.height, heat.width, 1});
    return golden::distance(heat.values, expected.data());
}

}  // namespace

TEST_CASE("Grad-CAM of either class at either layer equals PyTorch's, small and as large as the picture") {
    const golden::File file("explain.npz");
    REQUIRE(file.integer("salt") == SmallNetwork::salt);
    SmallNetwork network;
    const Tensor sample = SmallNetwork::sample();
    CHECK(golden::distance(network(sample), file("logits")) < kTolerance);
    for (const int64_t label : {0, 1})
        for (const std::string layer : {"bn", "relu2"}) {
            const std::string name = layer + "/" + std::to_string(label);
            INFO(name);
            const GradCam cam = grad_cam(network, sample, {.label = label, .layer = layer});
            CHECK(cam.layer == layer);
            CHECK(distance_of(cam.heat, file("cam/" + name)) < kTolerance);
            CHECK(distance_of(resized(cam.heat, 12, 10), file("large/" + name)) < kTolerance);
        }
}

TEST_CASE("Gradients with respect to the picture, plain and guided through ReLU and LeakyReLU, equal PyTorch's") {
    const golden::File file("explain.npz");
    SmallNetwork network;
    const Tensor sample = SmallNetwork::sample();
    for (const int64_t label : {0, 1})
        for (const bool guided : {false, true}) {
            const std::string name = (guided ? "guided/" : "gradient/") + std::to_string(label);
            INFO(name);
            const std::vector<float> mine = input_gradient(network, sample, {.label = label, .guided = guided});
            CHECK(golden::distance(mine, file(name).data()) < kTolerance);
        }
}
