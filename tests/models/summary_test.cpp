#include "liven/models/summary.hpp"

#include <array>
#include <catch2/catch.hpp>

#include "liven/core/error.hpp"
#include "liven/graph/engine.hpp"
#include "liven/models/registry.hpp"

using namespace liven;

namespace {

ModelSummary summary_of(std::string_view name, const Shape& input, const OptionMap& options = {}) {
    const auto model = make_model(name, options);
    return summarize(*model, std::string(name), input);
}

/// The networks of Kuznetsov et al. 2026.
constexpr std::array kPaperK{"livenessnet", "attacknet-v1", "attacknet-v2.1", "attacknet-v2.2"};

const LayerSummary& layer(const ModelSummary& summary, std::string_view name) {
    for (const LayerSummary& candidate : summary.layers)
        if (candidate.name == name) return candidate;
    throw std::runtime_error("no layer " + std::string(name));
}

}  // namespace

TEST_CASE("Parameter totals are those of the paper's table 13 (Kuznetsov et al. 2026)") {
    const int64_t runs = Engine::current().statistics().runs;
    CHECK(summary_of("livenessnet", {256, 256, 3}).parameters == 8406098);
    CHECK(summary_of("attacknet-v1", {256, 256, 3}).parameters == 33588738);
    CHECK(summary_of("attacknet-v2.1", {256, 256, 3}).parameters == 33588738);
    CHECK(summary_of("attacknet-v2.2", {256, 256, 3}).parameters == 16806722);
    CHECK(Engine::current().statistics().runs == runs);  // nothing was computed
}

TEST_CASE("The small LivenessNets count as published") {
    CHECK(summary_of("livenessnet", {32, 32, 3}).trainable == 148242);
    CHECK(summary_of("livenessnet", {64, 64, 3}).trainable == 541458);
}

TEST_CASE("ResNet-18 counts as published, by torchvision's names") {
    const ModelSummary two = summary_of("resnet18", {224, 224, 3});
    CHECK(two.trainable == 11177538);
    CHECK(summary_of("resnet18", {224, 224, 3}, {{"classes", "1000"}}).trainable == 11689512);
    CHECK(layer(two, "conv1").output == Shape{1, 112, 112, 64});
    CHECK(layer(two, "maxpool").output == Shape{1, 56, 56, 64});
    CHECK(layer(two, "layer1.0/conv1").trainable == 9 * 64 * 64);
    CHECK(layer(two, "layer2.0/downsample.0").trainable == 64 * 128);
    CHECK(layer(two, "layer4.1/bn2").output == Shape{1, 7, 7, 512});
    CHECK(layer(two, "fc").trainable == 1026);
    // A stage without a change of shape has no projection.
    CHECK_THROWS(layer(two, "layer1.0/downsample.0"));
    // 1.81 G multiplications with addition, and little besides.
    CHECK(two.flops == Approx(2 * 1.814e9).epsilon(0.01));
}

TEST_CASE("A summary lists layers in order with shapes, parameters and work") {
    const ModelSummary summary = summary_of("attacknet-v2.2", {256, 256, 3});
    const LayerSummary& conv = layer(summary, "conv1_1");
    CHECK(summary.layers.front().name == "conv1_1");
    CHECK(summary.layers.back().name == "output");
    CHECK(conv.output == Shape{1, 256, 256, 16});
    CHECK(conv.parameters == 3 * 3 * 3 * 16 + 16);
    // Two a multiplication with addition, and one a bias.
    CHECK(conv.flops == Approx(256.0 * 256 * 16 * (2 * 27 + 1)));
    CHECK(conv.activation_bytes == 256 * 256 * 16 * 4);
    CHECK(layer(summary, "dense1").parameters == 131072 * 128 + 128);
    CHECK(layer(summary, "bn1_final").parameters == 64);
    CHECK(layer(summary, "bn1_final").trainable == 32);
    CHECK(layer(summary, "maxpool2").output == Shape{1, 64, 64, 32});
    CHECK(layer(summary, "output").output == Shape{1, 2});
    double flops = 0;
    for (const LayerSummary& each : summary.layers) flops += each.flops;
    CHECK(summary.flops == Approx(flops));
    CHECK(summary.table().find("16,806,722") != std::string::npos);
}

TEST_CASE("Models take any size that the pools allow, and refuse others with the shapes") {
    CHECK(summary_of("attacknet-v2.2", {35, 50, 3}).parameters > 0);
    CHECK(summary_of("livenessnet", {4, 4, 1}).parameters > 0);
    CHECK_THROWS_AS(summary_of("livenessnet", {3, 64, 3}), Error);
}

TEST_CASE("Options are checked by name and value, and come back as text") {
    CHECK_THROWS_WITH(make_model("attacknet-v2.2", {{"dropuot", "0.1"}}), Catch::Contains("dropuot"));
    CHECK_THROWS_WITH(make_model("attacknet-v2.2", {{"dropout", "much"}}), Catch::Contains("much"));
    CHECK_THROWS_WITH(make_model("attacknet-v1", {{"activation", "relou"}})->build({1, 32, 32, 3}),
                      Catch::Contains("relou"));
    CHECK_THROWS_WITH(make_model("resnet-9000"), Catch::Contains("attacknet-v2.2"));
    const OptionMap map = model_info("attacknet-v2.2").options({{"dropout", "0.125"}});
    CHECK(map.at("dropout") == "0.125");
    CHECK(model_info("attacknet-v2.2").options(map) == map);
}

TEST_CASE("A model that no paper of ours describes otherwise has no such preset") {
    CHECK(model_info("resnet18").options({{"preset", "code"}}).at("classes") == "2");
    CHECK_THROWS_WITH(make_model("resnet18", {{"preset", "paper"}}), Catch::Contains("no other"));
}

TEST_CASE("The paper's V1 has ReLU where the code has LeakyReLU and tanh") {
    const auto code = model_info("attacknet-v1").options({}),
               paper = model_info("attacknet-v1").options({{"preset", "paper"}});
    CHECK(code.at("activation") == "leaky_relu");
    CHECK(code.at("dense_activation") == "tanh");
    CHECK(paper.at("activation") == "relu");
    CHECK(paper.at("dense_activation") == "relu");
    CHECK_THROWS_AS(make_model("attacknet-v1", {{"preset", "papper"}}), Error);
}

TEST_CASE("The code's L2 lies where the code has it, the paper's on everything that is trained") {
    const auto penalised = [](std::string_view name, const OptionMap& options) {
        const auto model = make_model(name, options);
        model->build({1, 8, 8, 3});
        std::vector<std::string> names;
        for (const Parameter& parameter : model->parameters())
            if (parameter.l2 == 1e-5f)
                names.emplace_back(parameter.name());
            else
                CHECK(parameter.l2 == 0.0f);
        return names;
    };
    const auto has = [](const std::vector<std::string>& names, const char* name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    CHECK(penalised("livenessnet", {}).empty());
    CHECK(penalised("attacknet-v2.2", {}).empty());
    const auto v1 = penalised("attacknet-v1", {}), v21 = penalised("attacknet-v2.1", {});
    CHECK(v1.size() == 8);  // six convolutions, dense1, output
    CHECK(has(v1, "dense1/kernel"));
    CHECK(v21.size() == 7);  // none on dense1_linear
    CHECK_FALSE(has(v21, "dense1_linear/kernel"));
    for (const char* name : kPaperK) {
        INFO(name);
        const auto model = make_model(name);
        model->build({1, 8, 8, 3});
        const auto names = penalised(name, {{"preset", "paper"}});
        CHECK(names.size() == model->parameters().size());
        CHECK(has(names, "bn_dense/beta"));
    }
}

TEST_CASE("Options of the four have the values of the published code") {
    const auto options = [](std::string_view name) { return model_info(name).options({}); };
    for (const char* name : {"attacknet-v1", "attacknet-v2.1", "attacknet-v2.2"}) {
        INFO(name);
        CHECK(options(name).at("slope") == "0.2");
        CHECK(options(name).at("activation") == "leaky_relu");
        CHECK(options(name).at("dense_activation") == "tanh");
        // Half the rate after a phase, but the whole in V2.1.
        CHECK(options(name).at("phase_dropout") == (std::string_view(name) == "attacknet-v2.1" ? "1" : "0.5"));
    }
    for (const char* name : kPaperK) CHECK(options(name).at("bn_momentum") == "0.99");
}
