#include "liven/train/pretrained.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "liven/core/error.hpp"
#include "liven/data/image.hpp"
#include "liven/data/preprocess.hpp"
#include "liven/models/registry.hpp"
#include "liven/ops/softmax.hpp"
#include "liven/train/recipe.hpp"
#include "tests/golden/formula.hpp"
#include "tests/temporary.hpp"

using namespace liven;
using Catch::Contains;

namespace {

/// Names as torchvision has them, by another way than the library's.
std::string torch_name(std::string name) {
    for (const auto& [from, to] : {std::pair<std::string, std::string>{"/kernel", ".weight"},
                                   {"/gamma", ".weight"},
                                   {"/beta", ".bias"},
                                   {"/bias", ".bias"},
                                   {"/moving_mean", ".running_mean"},
                                   {"/moving_variance", ".running_var"},
                                   {"/", "."}})
        for (size_t at = name.find(from); at != std::string::npos; at = name.find(from))
            name.replace(at, from.size(), to);
    return name;
}

/// O x I x H x W from H x W x I x O, out x in from in x out.
HostTensor turned(const HostTensor& t) {
    if (t.shape.rank() < 2) return t;
    const bool matrix = t.shape.rank() == 2;
    const int64_t h = matrix ? 1 : t.shape[0], w = matrix ? 1 : t.shape[1], in = t.shape[-2], out = t.shape[-1];
    HostTensor result(matrix ? Shape{out, in} : Shape{out, in, h, w}, DType::f32);
    const auto from = t.values<float>();
    auto to = result.values<float>();
    size_t at = 0;
    for (int64_t o = 0; o < out; ++o)
        for (int64_t i = 0; i < in; ++i)
            for (int64_t y = 0; y < h; ++y)
                for (int64_t x = 0; x < w; ++x) to[at++] = from[static_cast<size_t>(((y * w + x) * in + i) * out + o)];
    return result;
}

/// A small network with published names: every state is the golden formula's, under whatever name it is stored.
NamedTensors states_of(const std::string& model, const OptionMap& options, const Shape& input,
                       const std::function<std::string(const std::string&)>& name, bool oihw) {
    const auto network = make_model(model, options);
    network->outline(batched(1, input));
    NamedTensors tensors;
    for (const State& state : network->states()) {
        const HostTensor value = golden::parameter(state.name(), state.shape(), 7);
        tensors.emplace(name(std::string(state.name())), oihw ? turned(value) : value);
    }
    return tensors;
}

bool has_formula(const State& state, std::string_view name) {
    const HostTensor expected = golden::parameter(name, state.shape(), 7);
    const auto values = expected.values<float>();
    return std::equal(values.begin(), values.end(), state.tensor().data<float>().begin());
}

constexpr int64_t kSide = 32;

}  // namespace

TEST_CASE("torchvision's names fit, kernels are turned, another classifier is left random and said so") {
    const TemporaryFolder folder;
    const std::filesystem::path file = folder / "resnet18.safetensors";
    NamedTensors tensors = states_of("resnet18", {{"classes", "5"}}, {kSide, kSide, 3}, torch_name, true);
    tensors.emplace("bn1.num_batches_tracked", HostTensor({1}, std::vector<int64_t>{3}));
    write_safetensors(file, tensors);
    const Pretrained weights(file);
    CHECK(weights.bn_epsilon() == 1e-5f);
    CHECK(weights.normalization() == "imagenet");
    const auto model = make_model("resnet18");
    model->build({1, kSide, kSide, 3});
    const PretrainedMatch match = weights.load(*model);
    CHECK(match.naming == "torchvision");
    CHECK(match.missing == std::vector<std::string>{"fc/kernel", "fc/bias"});
    CHECK(match.surplus == std::vector<std::string>{"fc.weight", "fc.bias"});
    CHECK_THAT(match.str(), Contains("start random: fc/kernel, fc/bias"));
    for (const State& state : model->states()) {
        INFO(state.name());
        CHECK(has_formula(state, state.name()) == (state.name().substr(0, 2) != "fc"));
    }
    // The same weights go into both encoders of the spoof-cue network, and its decoder starts random.
    const auto lgsc = make_model("lgsc");
    lgsc->build({1, kSide, kSide, 3});
    const PretrainedMatch both = weights.load(*lgsc);
    CHECK(both.matched == 2 * match.matched);
    for (const State& state : lgsc->states())
        if (state.name() == "auxiliary/layer4.1/bn2/gamma") CHECK(has_formula(state, "layer4.1/bn2/gamma"));
}

TEST_CASE("A stated layout is believed, an unknown one refused") {
    const TemporaryFolder folder;
    const NamedTensors hwio = states_of("resnet18", {}, {kSide, kSide, 3}, torch_name, false);
    write_safetensors(folder / "a.safetensors", hwio, {{"kernel_layout", "HWIO"}, {"bn_epsilon", "0.001"}});
    write_safetensors(folder / "b.safetensors", hwio);
    write_safetensors(folder / "c.safetensors", hwio, {{"kernel_layout", "CHWN"}});
    write_safetensors(folder / "d.safetensors", hwio, {{"bn_epsilon", "small"}});
    const auto model = make_model("resnet18");
    model->build({1, kSide, kSide, 3});
    const Pretrained stated(folder / "a.safetensors");
    stated.load(*model);
    for (const State& state : model->states()) CHECK(has_formula(state, state.name()));
    CHECK(stated.options("resnet18").at("bn_epsilon") == "0.001");
    CHECK_THROWS_WITH(Pretrained(folder / "b.safetensors").match(*model), Contains("conv1.weight is 7x7x3x64"));
    CHECK_THROWS_WITH(Pretrained(folder / "c.safetensors"), Contains("CHWN"));
    CHECK_THROWS_WITH(Pretrained(folder / "d.safetensors"), Contains("small"));
}

TEST_CASE("What is missing or surplus of the encoder is an error with its name") {
    const TemporaryFolder folder;
    const std::filesystem::path file = folder / "weights.safetensors";
    NamedTensors tensors = states_of("resnet18", {}, {kSide, kSide, 3}, torch_name, true);
    const auto model = make_model("resnet18");
    model->outline({1, kSide, kSide, 3});
    NamedTensors less = tensors, more = tensors;
    less.erase("layer3.0.conv2.weight");
    write_safetensors(file, less);
    CHECK_THROWS_WITH(Pretrained(file).match(*model), Contains("missing layer3.0.conv2.weight"));
    more.emplace("layer3.2.conv1.weight", HostTensor({1}, std::vector<float>{1}));
    write_safetensors(file, more);
    CHECK_THROWS_WITH(Pretrained(file).match(*model), Contains("surplus layer3.2.conv1.weight"));
    write_safetensors(file, {{"w", HostTensor({1}, std::vector<float>{1})}});
    CHECK_THROWS_WITH(Pretrained(file), Contains("neither torchvision's nor Keras'"));
    std::filesystem::resize_file(file, 5);
    CHECK_THROWS_AS(Pretrained(file), Error);
}

TEST_CASE("Keras' names, old and new, fit ResNet-50 v1 and the clip model, and settle their options", "[slow]") {
    const TemporaryFolder folder;
    const auto keras = [](bool old) {
        return [old](const std::string& name) {
            const std::string kind = name.substr(name.rfind('/') + 1), layer = name.substr(0, name.rfind('/'));
            const bool norm = kind != "kernel" && kind != "bias";
            if (layer == "fc") return (old ? "fc1000/" : "predictions/") + kind;
            if (layer == "conv1" || layer == "bn1")
                return (old ? std::string(norm ? "bn_conv1/" : "conv1/")
                            : std::string(norm ? "conv1_bn/" : "conv1_conv/")) +
                       kind;
            const int stage = layer[5] - '0', number = layer[7] - '0';
            const std::string part = layer.substr(9);
            const char branch = part[0] == 'd' ? '0' : part.back();
            if (!old)
                return "conv" + std::to_string(stage + 1) + "_block" + std::to_string(number + 1) + "_" + branch +
                       (norm ? "_bn/" : "_conv/") + kind;
            const std::string which =
                branch == '0' ? "1" : std::string("2") + std::string("abc")[static_cast<size_t>(branch - '1')];
            return (norm ? "bn" : "res") + std::to_string(stage + 1) +
                   std::string("abcdef")[static_cast<size_t>(number)] + "_branch" + which + "/" + kind;
        };
    };
    const OptionMap v1{{"variant", "keras-v1"}};
    for (const bool old : {false, true}) {
        const std::filesystem::path file = folder / "keras.safetensors";
        write_safetensors(file, states_of("resnet50", v1, {kSide, kSide, 3}, keras(old), false));
        const Pretrained weights(file);
        CHECK(weights.bn_epsilon() == (old ? 1e-3f : 1.001e-5f));
        CHECK(weights.normalization() == "caffe");
        CHECK(weights.options("resnet50").at("variant") == "keras-v1");
        const auto model = make_model("resnet50", v1);
        model->build({1, kSide, kSide, 3});
        CHECK(weights.load(*model).missing.empty());
        for (const State& state : model->states()) REQUIRE(has_formula(state, state.name()));
        const auto clips = make_model("resnet50-gru", weights.options("resnet50-gru"));
        clips->outline({1, 2, kSide, kSide, 3});
        const PretrainedMatch match = weights.match(*clips);
        CHECK(match.matched == 318);
        CHECK(match.missing.size() == 8);  // four of the recurrent layer, four of the dense ones
        CHECK(match.surplus.size() == 2);
        CHECK_THROWS_WITH(weights.match(*make_model("resnet50-gru")), !Contains("never"));

        TrainSettings settings = settings_of("resnet50-gru");
        settings.pretrained = file.string();
        resolve_pretrained(settings);
        CHECK(settings.normalization == "caffe");
        CHECK(settings.model_options.at("train_from") == "gru");
        CHECK(settings.model_options.at("backbone") == "keras-v1");
        CHECK(settings.augmentation == "none");
        CHECK(settings.preprocess().colour_order == data::ColourOrder::bgr);
    }
    const auto v15 = make_model("resnet50");
    v15->outline({1, kSide, kSide, 3});
    CHECK_THROWS_WITH(Pretrained(folder / "keras.safetensors").match(*v15), Contains("another variant"));
}

TEST_CASE("Without weights the clip network's default trains all of it, normalised by the training set") {
    TrainSettings settings = settings_of("resnet50-gru");
    resolve_pretrained(settings);
    CHECK(settings.normalization == "z-score");
    CHECK(settings.model_options.count("train_from") == 0);
    TrainSettings other = settings_of("attacknet-v2.2");
    other.pretrained = "weights.safetensors";
    CHECK_THROWS_WITH(resolve_pretrained(other), Contains("no encoder"));
}

// ImageNet's class 285 of scikit-image's picture of a cat, as Keras' ResNet-50 sees it. The weights and the picture are
// no part of the repository: LIVEN_WEIGHTS names a folder with both (chelsea.png saved from skimage.data).
TEST_CASE("The published ResNet-50 knows an Egyptian cat when it sees one", "[slow]") {
    const char* folder = std::getenv("LIVEN_WEIGHTS");
    const char* picture = std::getenv("LIVEN_CHELSEA");
    const std::filesystem::path file =
        std::filesystem::path(folder ? folder : "") / "resnet50_imagenet_keras_v1.safetensors";
    const std::filesystem::path cat =
        picture ? std::filesystem::path(picture) : std::filesystem::path(folder ? folder : "") / "chelsea.png";
    if (!folder || !std::filesystem::exists(file) || !std::filesystem::exists(cat)) {
        WARN("left out: LIVEN_WEIGHTS names no folder with the weights, or there is no picture (LIVEN_CHELSEA)");
        return;
    }
    const Pretrained weights(file);
    OptionMap options = weights.options("resnet50");
    options["classes"] = "1000";
    const auto model = make_model("resnet50", options);
    model->build({1, 224, 224, 3});
    CHECK(weights.load(*model).missing.empty());
    model->eval();
    const NoGrad no_grad;
    TrainSettings settings;
    settings.size = 224;
    settings.interpolation = "area";
    settings.normalization = weights.normalization();
    const std::vector<float> pixels = settings.preprocess()(data::decode(cat));
    const std::vector<float> logits = (*model)(Tensor::from(pixels, {1, 224, 224, 3})).to_vector();
    const std::vector<float> probabilities = softmax(Tensor::from(logits, {1, 1000})).to_vector();
    const auto best = std::max_element(probabilities.begin(), probabilities.end());
    CHECK(best - probabilities.begin() == 285);
    // Of a picture that has been resized to 224 x 224 by bilinear means over its pixels this is .958; other ways to
    // resize give some hundredths less.
    CHECK(*best == Approx(0.958).margin(0.02));
}
