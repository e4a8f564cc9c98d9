#include "liven/explain/methods.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"
#include "liven/explain/features.hpp"
#include "liven/explain/picture.hpp"
#include "liven/models/registry.hpp"
#include "small_network.hpp"

using namespace liven;
using namespace liven::saliency;
using liven::testing::SmallNetwork;

namespace {

Tensor noise(const Shape& shape) {
    std::vector<float> values(static_cast<size_t>(shape.count()));
    Random random(7);
    for (float& value : values) value = random.uniform(0, 1);
    return Tensor::from(values, shape);
}

std::unique_ptr<Module> made(const char* name, const Shape& sample, const OptionMap& options = {}) {
    auto model = make_model(name, options);
    model->seed(1);
    model->build(batched(1, sample));
    return model;
}

bool all_finite(const Heat& heat) {
    return std::all_of(heat.values.begin(), heat.values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

TEST_CASE("The last convolutional map is found in every kind of network") {
    const auto last = [](const char* name, const Shape& sample, const OptionMap& options = {}) {
        auto model = make_model(name, options);
        model->outline(batched(1, sample));
        return last_convolutional_map(*model, sample);
    };
    SmallNetwork network;
    CHECK(last_convolutional_map(network, liven::testing::small_input) == "relu2");
    CHECK(last("resnet18", {64, 64, 3}) == "layer4.1");
    CHECK(last("se-resnet18", {64, 64, 3}) == "layer4.1");
    CHECK(last("resnet50-gru", {2, 64, 64, 3}) == "backbone");
    CHECK(last("lgsc", {64, 64, 3}, {{"auxiliary", "false"}}) == "encoder");
    CHECK(last("lgsc", {64, 64, 3}) == "encoder");  // the cue does not depend on the auxiliary classifier
    CHECK(last("attacknet-v2.2", {32, 32, 3}).rfind("bn2_", 0) == 0);
    CHECK(last("googlenet", {64, 64, 3}) == "inception5b");
}

TEST_CASE("Every method explains every kind of network with a finite map a frame, and leaves its mode as it was") {
    struct Case {
        const char* name;
        Shape sample;
        OptionMap options;
        int64_t frames;
    };
    for (const Case& c : {Case{"livenessnet", {32, 32, 3}, {}, 1}, Case{"lgsc", {64, 64, 3}, {}, 1},
                          Case{"resnet50-gru", {2, 64, 64, 3}, {{"units", "8"}, {"hidden", "8"}}, 2}}) {
        INFO(c.name);
        const auto model = made(c.name, c.sample, c.options);
        const Tensor sample = noise(batched(1, c.sample));
        for (const Method method :
             {Method::grad_cam, Method::gradient, Method::guided, Method::guided_grad_cam, Method::occlusion}) {
            INFO(name_of(method));
            const Explanation found =
                explain(*model, sample, {.method = method, .label = 1, .patch = 16, .stride = 16});
            CHECK(found.heat.frames == c.frames);
            CHECK(found.heat.height == c.sample[-3]);
            CHECK(found.heat.width == c.sample[-2]);
            CHECK(static_cast<int64_t>(found.heat.values.size()) == c.frames * c.sample[-3] * c.sample[-2]);
            CHECK(all_finite(found.heat));
            CHECK(found.both_signs == (method == Method::occlusion));
        }
        CHECK(model->training());
    }
}

TEST_CASE("The features before a network's last step are found, of the samples and not of frames") {
    const auto before_last = [](const char* name, const Shape& sample, const OptionMap& options = {}) {
        const auto model = made(name, sample, options);
        const NoGrad no_grad;
        const Penultimate found = penultimate(*model, Tensor::zeros(batched(3, sample)));
        return found.layer + " " + found.features.shape().str();
    };
    CHECK(before_last("livenessnet", {32, 32, 3}) == "bn_dense 3x64");
    CHECK(before_last("attacknet-v2.2", {32, 32, 3}) == "bn_dense 3x128");
    CHECK(before_last("resnet18", {32, 32, 3}) == "avgpool 3x512");
    CHECK(before_last("resnet50-gru", {2, 64, 64, 3}, {{"units", "8"}, {"hidden", "8"}}) == "fc1 3x8");
    CHECK(before_last("lgsc", {64, 64, 3}) == "encoder 3x512");
}

TEST_CASE("Occlusion equals covering square after square by hand") {
    SmallNetwork network;
    const Tensor sample = SmallNetwork::sample();
    const std::vector<float> whole = sample.to_vector();
    constexpr int64_t height = 12, width = 10, patch = 5, stride = 3;
    double colour[3] = {0, 0, 0};
    for (size_t i = 0; i < whole.size(); ++i) colour[i % 3] += static_cast<double>(whole[i]) / (height * width);
    const auto evidence = [&](const std::vector<float>& values) {
        return static_cast<double>(network(Tensor::from(values, sample.shape())).data()[1]);
    };
    std::vector<double> sums(height * width), times(height * width);
    for (const int64_t y0 : {0, 3, 6, 7})
        for (const int64_t x0 : {0, 3, 5}) {
            std::vector<float> covered = whole;
            for (int64_t y = y0; y < y0 + patch; ++y)
                for (int64_t x = x0; x < x0 + patch; ++x)
                    for (int64_t c = 0; c < 3; ++c)
                        covered[static_cast<size_t>((y * width + x) * 3 + c)] = static_cast<float>(colour[c]);
            const double lost = evidence(whole) - evidence(covered);
            for (int64_t y = y0; y < y0 + patch; ++y)
                for (int64_t x = x0; x < x0 + patch; ++x) {
                    sums[static_cast<size_t>(y * width + x)] += lost;
                    times[static_cast<size_t>(y * width + x)] += 1;
                }
        }
    for (const int64_t batch : {1, 5}) {
        const Heat heat = occlusion(network, sample, {.label = 1, .patch = patch, .stride = stride, .batch = batch});
        REQUIRE(heat.values.size() == sums.size());
        // Differences of logits near 1 in float32.
        for (size_t i = 0; i < sums.size(); ++i) CHECK(heat.values[i] == Approx(sums[i] / times[i]).margin(1e-5));
    }
    CHECK_THROWS_AS(occlusion(network, sample, {.patch = 11}), Error);
    CHECK_THROWS_AS(occlusion(network, sample, {.patch = 2, .stride = -1}), Error);
}

TEST_CASE("Guided Grad-CAM is the guided gradient times the map, and nothing of it stays in the network") {
    SmallNetwork network;
    const Tensor sample = SmallNetwork::sample();
    const std::vector<float> before = input_gradient(network, sample, {.guided = false});
    const Explanation guided = explain(network, sample, {.method = Method::guided, .label = 0}),
                      cam = explain(network, sample, {.method = Method::grad_cam, .label = 0}),
                      both = explain(network, sample, {.method = Method::guided_grad_cam, .label = 0});
    CHECK(cam.layer == "relu2");
    CHECK(both.layer == "relu2");
    for (size_t i = 0; i < both.heat.values.size(); ++i)
        CHECK(both.heat.values[i] == guided.heat.values[i] * cam.heat.values[i]);
    CHECK(input_gradient(network, sample, {.guided = false}) == before);
}

TEST_CASE("What cannot be explained is said") {
    SmallNetwork network;
    const Tensor sample = SmallNetwork::sample();
    CHECK_THROWS_WITH(grad_cam(network, sample, {.layer = "relu"}), Catch::Contains("relu2"));
    CHECK_THROWS_WITH(grad_cam(network, sample, {.layer = "a layer"}), Catch::Contains("conv1"));
    CHECK_THROWS_WITH(grad_cam(network, sample, {.label = 2}), Catch::Contains("class 2"));
    CHECK_THROWS_WITH(grad_cam(network, Tensor::zeros({2, 12, 10, 3})), Catch::Contains("one sample"));
    CHECK_THROWS_AS(input_gradient(network, Tensor::zeros({12, 10})), Error);
    CHECK_THROWS_WITH(method_from("cam"), Catch::Contains("guided-grad-cam"));
    Sequential dense;
    dense.add<Flatten>("flatten");
    dense.add<Dense>("fc", Dense::Options{.units = 2});
    dense.build({1, 4, 4, 3});
    CHECK_THROWS_WITH(grad_cam(dense, Tensor::ones({1, 4, 4, 3})), Catch::Contains("no convolution"));
    CHECK(input_gradient(dense, Tensor::ones({1, 4, 4, 3})).size() == 48);
}

TEST_CASE("An overlay is grey where nothing counts, and its scale ends in the strongest colour") {
    data::Image picture(32, 32);
    std::fill(picture.pixels.begin(), picture.pixels.end(), uint8_t{100});
    std::vector<float> heat(32 * 32, 0.0f);
    heat[0] = 2;
    const data::Image one = overlay(picture, heat, 2);
    CHECK(one.width == 32);
    CHECK(one.height > 32);
    CHECK(one.at(5, 5)[0] == one.at(5, 5)[2]);
    CHECK(one.at(0, 0)[0] > 180);
    CHECK(one.at(31, one.height - 1)[0] > 180);
    heat[0] = -2;
    const data::Image two = overlay(picture, heat, 2, true);
    CHECK(two.at(0, 0)[2] > two.at(0, 0)[0]);  // blue
    CHECK(two.at(31, two.height - 1)[0] > two.at(31, two.height - 1)[2]);
    CHECK(overlay(picture, std::vector<float>(32 * 32), 0).at(3, 3)[0] ==
          overlay(picture, std::vector<float>(32 * 32), 1).at(3, 3)[0]);
    CHECK_THROWS_AS(overlay(picture, std::vector<float>(5), 1), Error);
}

TEST_CASE("What is not finite is no explanation") {
    for (const Method method : {Method::grad_cam, Method::gradient, Method::guided_grad_cam, Method::occlusion}) {
        SmallNetwork network;
        for (State state : network.states())
            if (state.name() == "fc2/kernel")
                state.assign(std::vector<float>(static_cast<size_t>(state.shape().count()), NAN));
        CHECK_THROWS_WITH(explain(network, SmallNetwork::sample(), {.method = method, .label = 1}),
                          Catch::Contains(std::string(name_of(method))) && Catch::Contains("diverge"));
    }
}
