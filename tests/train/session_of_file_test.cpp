#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "liven/core/log.hpp"
#include "liven/io/safetensors.hpp"
#include "liven/models/registry.hpp"
#include "liven/train/model_file.hpp"
#include "tests/temporary.hpp"

using namespace liven;

namespace {

/// 128 pixels: a dense layer of 32,768 x 128 weights, wide enough to be narrowed.
const Shape kInput{128, 128, 3};

LoadedModel saved_and_loaded(const std::filesystem::path& path) {
    const auto model = make_model("attacknet-v2.2", {});
    model->seed(2);
    model->build(batched(1, kInput));
    save_model(path, *model,
               {.model = "attacknet-v2.2", .options = {}, .input = kInput, .preprocess = {}, .threshold = {}});
    return load_model(path);
}

}  // namespace

TEST_CASE(
    "A model file opens as a session that gives the model's logits, with dense weights or maps in bf16 nearly so") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "model.safetensors";
    LoadedModel loaded = saved_and_loaded(path);
    const std::vector<float> pixels(static_cast<size_t>(kInput.count()), 0.25f);
    InferenceSession exact = open_session(loaded), narrow = open_session(loaded, {.dense_weights = DType::bf16}),
                     narrow_maps = open_session(loaded, {.dtype = DType::bf16});
    const std::vector<float> traced = [&] {
        const NoGrad no_grad;
        return (*loaded.model)(Tensor::from(pixels, batched(1, kInput))).to_vector();
    }();
    const auto a = exact.run(pixels), b = narrow.run(pixels), c = narrow_maps.run(pixels);
    CHECK(narrow_maps.memory().arena_bytes < exact.memory().arena_bytes);
    for (size_t i = 0; i < traced.size(); ++i) {
        CHECK(a[i] == traced[i]);
        CHECK(b[i] == Approx(traced[i]).margin(0.01));  // the golden pair allowed 1 %
        CHECK(c[i] == Approx(traced[i]).margin(0.01));
    }
}

TEST_CASE("What of bf16 the golden pair refuses stays in f32, maps before dense weights") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "model.safetensors";
    LoadedModel loaded = saved_and_loaded(path);
    // A bias that takes all but a thousandth off the golden logits: what rounding does is then a thousand times as
    // much.
    const Safetensors file = read_safetensors(path);
    const std::span<const float> golden = file.tensors.at("golden/logits").values<float>();
    Parameter bias = loaded.model->parameters().back();
    REQUIRE(bias.shape().count() == 2);
    std::vector<float> values = bias.tensor().to_vector();
    for (size_t i = 0; i < 2; ++i) values[i] -= 0.999f * golden[i];
    bias.assign(values);

    std::string said;
    set_log_sink([&](LogLevel, std::string_view line) { said.append(line).append("\n"); });
    InferenceSession session = open_session(loaded, {.dense_weights = DType::bf16, .dtype = DType::bf16}),
                     exact = open_session(loaded);
    set_log_sink({});
    CHECK_THAT(said, Catch::Contains("maps and dense weights in bf16: maps stay in f32"));
    CHECK_THAT(said, Catch::Contains("dense weights in bf16: they stay in f32"));
    const std::vector<float> pixels(static_cast<size_t>(kInput.count()), 0.25f);
    const auto a = session.run(pixels), b = exact.run(pixels);
    CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}
