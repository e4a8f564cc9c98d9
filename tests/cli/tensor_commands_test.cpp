#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "liven/core/philox.hpp"
#include "liven/graph/engine.hpp"
#include "liven/io/npy.hpp"
#include "liven/models/registry.hpp"
#include "liven/ops/loss.hpp"
#include "liven/train/model_file.hpp"
#include "program.hpp"

// init, forward, grad: what people compare with other frameworks, beside the library itself.

using namespace liven;

namespace {

/// A model file and an input in a folder, and the same in this process.
struct Case {
    Folder folder;
    std::string model = folder / "model.safetensors", x = folder / "x.npy", y = folder / "y.npy",
                out = folder / "out.npz";
    HostTensor images, classes;

    explicit Case(const std::string& name, const std::string& options = "", const Shape& sample = {16, 24, 3}) {
        REQUIRE(
            liven_program("init " + name + " --input " + sample.str() + " --seed 7 " + options + " --output " + model)
                .status == 0);
        std::vector<float> pixels(static_cast<size_t>(3 * sample.count()));
        Random random(3);
        for (float& pixel : pixels) pixel = random.uniform();
        images = HostTensor(batched(3, sample), std::span<const float>(pixels));
        const std::vector<int64_t> labels{1, 0, 1};
        classes = HostTensor({3}, std::span<const int64_t>(labels));
        write_npy(x, images);
        write_npy(y, classes);
    }
    NamedTensors run(const std::string& command) const {
        const Outcome outcome = liven_program(command + " --output " + out);
        INFO(outcome.err);
        REQUIRE(outcome.status == 0);
        CHECK(outcome.out.empty());
        return read_npz(out);
    }
    NamedTensors forward(const std::string& flags = "") const {
        return run("forward " + model + " --input " + x + " " + flags);
    }
    NamedTensors grad(const std::string& flags = "") const {
        return run("grad " + model + " --input " + x + " --target " + y + " " + flags);
    }
    Tensor input() const { return Tensor::share(images.data, images.shape); }
    Tensor labels() const { return Tensor::from(std::span<const int32_t>(std::vector<int32_t>{1, 0, 1}), {3}); }
};

std::vector<float> values(const HostTensor& tensor) {
    const auto all = tensor.values<float>();
    return {all.begin(), all.end()};
}

/// The largest difference relative to the largest number.
double relative(const HostTensor& a, std::span<const float> b) {
    REQUIRE(a.values<float>().size() == b.size());
    double difference = 0, size = 1e-30;
    for (size_t i = 0; i < b.size(); ++i) {
        difference = std::max(difference, std::abs(static_cast<double>(a.values<float>()[i] - b[i])));
        size = std::max(size, std::abs(static_cast<double>(b[i])));
    }
    return difference / size;
}

struct StrictMath {
    StrictMath() { Engine::current().set_strict_math(true); }
    StrictMath(const StrictMath&) = delete;
    StrictMath& operator=(const StrictMath&) = delete;
    ~StrictMath() { Engine::current().set_strict_math(false); }
};

// The program's plan and the library's sum in different orders when one of them keeps more results.
constexpr double kSameMath = 1e-5;

const std::vector<std::string> kPhase1 = {"conv1_1", "leaky_relu1_1", "bn1_1",     "conv1_2",  "leaky_relu1_2",
                                          "conv1_3", "leaky_relu1_3", "bn1_final", "maxpool1", "dropout1"};

}  // namespace

TEST_CASE("forward writes what the library computes") {
    for (const ModelInfo& info : models()) {
        const bool cue = info.name == "lgsc";  // a map, from sizes that halve five times
        const bool deep = cue || info.name == "googlenet";
        const Shape pictures = deep ? Shape{32, 64, 3} : Shape{16, 24, 3};
        const Case c(std::string(info.name), "", info.input.rank() == 4 ? Shape{2, 16, 24, 3} : pictures);
        INFO(info.name);
        LoadedModel loaded = load_model(c.model);
        const NoGrad no_grad;
        const NamedTensors arrays = c.forward();
        REQUIRE(arrays.size() == 1);
        const HostTensor& output = arrays.at(cue ? "output" : "logits");
        CHECK(output.shape == (cue ? Shape{3, 32, 64, 3} : Shape{3, 2}));
        CHECK(relative(output, (*loaded.model)(c.input()).data()) == 0.0);
    }
}

TEST_CASE("forward --all-layers writes every layer under its name") {
    const Case c("attacknet-v2.2");
    const NamedTensors arrays = c.forward("--all-layers");
    std::set<std::string> expected{"flatten", "dense1", "bn_dense", "dropout_dense", "output", "logits"};
    for (std::string name : kPhase1) {
        expected.insert(name);
        for (char& letter : name)
            if (letter == '1' && &letter != &name.back()) letter = '2';
        if (name == "maxpool1" || name == "dropout1") name.back() = '2';
        expected.insert(name);
    }
    std::set<std::string> names;
    for (const auto& [name, tensor] : arrays) names.insert(name);
    CHECK(names == expected);
    CHECK(arrays.at("conv1_1").shape == Shape{3, 16, 24, 16});
    CHECK(arrays.at("maxpool1").shape == Shape{3, 8, 12, 16});
    CHECK(arrays.at("bn2_final").shape == Shape{3, 8, 12, 32});
    CHECK(arrays.at("flatten").shape == Shape{3, 4 * 6 * 32});
    CHECK(arrays.at("dense1").shape == Shape{3, 128});
    CHECK(values(arrays.at("logits")) == values(arrays.at("output")));
    CHECK(values(arrays.at("flatten")) == values(arrays.at("maxpool2")));  // H, W, C order

    LoadedModel loaded = load_model(c.model);
    const NoGrad no_grad;
    for (const Module::LayerRecord& record : loaded.model->record_layers(c.input())) {
        INFO(record.layer->path());
        CHECK(relative(arrays.at(record.layer->path()), record.output.data()) < kSameMath);
    }
}

TEST_CASE("forward --train-mode normalises by the batch") {
    const Case c("livenessnet", "--option dropout=0");
    // A batch-norm over few pixels enlarges what a kernel rounds, and the two plans may take different kernels: strict
    // math leaves those of one error.
    const NamedTensors arrays = c.forward("--all-layers --train-mode --strict-math");
    const HostTensor& bn = arrays.at("bn1_1");
    const auto numbers = bn.values<float>();
    for (size_t channel = 0; channel < 16; ++channel) {
        double sum = 0, squares = 0, count = 0;
        for (size_t i = channel; i < numbers.size(); i += 16) {
            sum += static_cast<double>(numbers[i]);
            squares += static_cast<double>(numbers[i]) * static_cast<double>(numbers[i]);
            ++count;
        }
        CHECK(sum / count == Approx(0).margin(1e-5));
        // variance / (variance + epsilon): below 1, or 0 for a channel that relu has switched off
        CHECK(squares / count < 1.0 + 1e-5);
    }
    LoadedModel loaded = load_model(c.model);
    loaded.model->train();
    const NoGrad no_grad;
    const StrictMath strict;
    CHECK(relative(arrays.at("logits"), (*loaded.model)(c.input()).data()) < kSameMath);
    CHECK(values(c.forward()["logits"]) != values(arrays.at("logits")));
}

TEST_CASE("Parameters carry Keras' names and shapes, and there is a gradient for each") {
    const Case v22("attacknet-v2.2");
    const NamedTensors arrays = v22.grad("--no-dropout");
    const std::map<std::string, Shape> expected{{"loss", {}},
                                                {"conv1_1/kernel", {3, 3, 3, 16}},
                                                {"conv1_1/bias", {16}},
                                                {"bn1_1/gamma", {16}},
                                                {"bn1_1/beta", {16}},
                                                {"conv1_2/kernel", {3, 3, 16, 16}},
                                                {"conv1_2/bias", {16}},
                                                {"conv1_3/kernel", {3, 3, 16, 16}},
                                                {"conv1_3/bias", {16}},
                                                {"bn1_final/gamma", {16}},
                                                {"bn1_final/beta", {16}},
                                                {"conv2_1/kernel", {3, 3, 16, 32}},
                                                {"conv2_1/bias", {32}},
                                                {"bn2_1/gamma", {32}},
                                                {"bn2_1/beta", {32}},
                                                {"conv2_2/kernel", {3, 3, 32, 32}},
                                                {"conv2_2/bias", {32}},
                                                {"conv2_3/kernel", {3, 3, 32, 32}},
                                                {"conv2_3/bias", {32}},
                                                {"bn2_final/gamma", {32}},
                                                {"bn2_final/beta", {32}},
                                                {"dense1/kernel", {4 * 6 * 32, 128}},
                                                {"dense1/bias", {128}},
                                                {"bn_dense/gamma", {128}},
                                                {"bn_dense/beta", {128}},
                                                {"output/kernel", {128, 2}},
                                                {"output/bias", {2}}};
    CHECK(arrays.size() == expected.size());
    for (const auto& [name, shape] : expected) {
        INFO(name);
        REQUIRE(arrays.contains(name));
        CHECK(arrays.at(name).shape == shape);
    }
    // Running statistics are stored, but have no gradient.
    const NamedTensors states = copy_states(*load_model(v22.model).model);
    CHECK(states.contains("bn1_1/moving_mean"));
    CHECK(states.contains("bn1_1/moving_variance"));
    const Case v21("attacknet-v2.1");
    CHECK(v21.grad().contains("dense1_linear/kernel"));
    CHECK(Case("livenessnet").grad().contains("conv2_2/kernel"));
}

TEST_CASE("grad writes the loss and gradients of the library, with what its flags say") {
    struct Variant {
        std::string flags;
        float smoothing;
        bool l2;
    };
    const Case c("attacknet-v1", "--option dropout=0.3");
    for (const Variant& variant :
         {Variant{"--no-dropout", 0, false}, Variant{"--no-dropout --label-smoothing 0.1", 0.1f, false},
          Variant{"--no-dropout --with-l2", 0, true}}) {
        INFO(variant.flags);
        const NamedTensors arrays = c.grad(variant.flags);
        LoadedModel loaded = load_model(c.model);
        OptionMap kept = loaded.info.options;
        kept["dropout"] = "0";
        const auto model = make_model("attacknet-v1", kept);
        model->build({3, 16, 24, 3});
        load_states(*model, copy_states(*loaded.model), "test");
        Tensor loss = cross_entropy((*model)(c.input()), c.labels(), {.label_smoothing = variant.smoothing});
        if (variant.l2) loss = loss + l2_penalty(model->parameters());
        const auto parameters = model->parameters();
        const Gradients all = gradients(loss, parameters);
        CHECK(arrays.at("loss").values<float>()[0] == Approx(loss.item()));
        for (size_t i = 0; i < all.size(); ++i) {
            const std::string name(parameters[i].name());
            // A bias in front of batch-norm has no gradient: what is left is rounding, on both sides.
            if (name == "conv1_3/bias" || name == "conv2_3/bias" || name == "dense1/bias") continue;
            INFO(name);
            CHECK(relative(arrays.at(name), all[i].data()) < 1e-4);  // sums over the batch in other orders
        }
    }
    // Dropout: another loss, the same in every run.
    const float kept = c.grad("--no-dropout")["loss"].values<float>()[0];
    const float dropped = c.grad()["loss"].values<float>()[0];
    CHECK(dropped != kept);
    CHECK(c.grad()["loss"].values<float>()[0] == dropped);
}

TEST_CASE("init makes the same file from the same seed") {
    const Folder folder;
    const auto init = [&](const char* name, int seed) {
        const std::string path = folder / name;
        REQUIRE(
            liven_program("init livenessnet --size 16 --seed " + std::to_string(seed) + " --output " + path).status ==
            0);
        return contents_of(path);
    };
    const std::string first = init("a", 1);
    CHECK(first == init("b", 1));
    CHECK(first != init("c", 2));
}

TEST_CASE("Arrays that cannot be meant are one clear error") {
    const Case c("livenessnet");
    const auto forward = [&](const HostTensor& x) {
        write_npy(c.x, x);
        return liven_program("forward " + c.model + " --input " + c.x + " --output " + c.out);
    };
    const auto grad = [&](const HostTensor& y) {
        write_npy(c.y, y);
        write_npy(c.x, c.images);
        return liven_program("grad " + c.model + " --input " + c.x + " --target " + c.y + " --output " + c.out);
    };
    const auto floats = [](const Shape& shape) { return HostTensor(shape, DType::f32); };
    CHECK(forward(floats({16, 24, 3})).one_clear_error());     // rank
    CHECK(forward(floats({1, 24, 16, 3})).one_clear_error());  // height and width swapped
    CHECK(forward(floats({1, 3, 16, 24})).one_clear_error());  // channels first
    CHECK(forward(floats({0, 16, 24, 3})).one_clear_error());  // nothing
    CHECK(forward(HostTensor({1, 16, 24, 3}, DType::u8)).one_clear_error());
    CHECK(forward(HostTensor({1, 16, 24, 3}, DType::i64)).err.find("float32") != std::string::npos);

    const auto classes = [](std::vector<int64_t> list) {
        return HostTensor({static_cast<int64_t>(list.size())}, std::span<const int64_t>(list));
    };
    CHECK(grad(classes({0, 1})).one_clear_error());  // too few
    const Outcome two = grad(classes({0, 1, 2})), negative = grad(classes({0, -1, 1}));
    CHECK(two.one_clear_error());
    CHECK(two.err.find("class 2") != std::string::npos);
    CHECK(negative.one_clear_error());
    CHECK(grad(floats({3})).one_clear_error());
    CHECK(grad(HostTensor({3, 1}, DType::i64)).one_clear_error());

    const auto damaged = [&](const std::string& bytes) {
        return liven_program("forward " + c.model + " --input " + c.folder.file("x.npy", bytes) + " --output " + c.out);
    };
    write_npy(c.x, c.images);
    const std::string good = contents_of(c.x);
    CHECK(damaged(good.substr(0, good.size() - 5)).one_clear_error());
    CHECK(damaged(good.substr(0, 20)).one_clear_error());
    CHECK(damaged("").one_clear_error());
    CHECK(damaged("not an array").one_clear_error());
    CHECK(liven_program("forward " + c.model + " --input " + (c.folder / "none.npy") + " --output " + c.out)
              .one_clear_error());
}
