#include "liven/models/lgsc.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"
#include "liven/models/registry.hpp"
#include "liven/models/summary.hpp"

using namespace liven;

namespace {

ModelSummary summary_of(const OptionMap& options, const Shape& input = {224, 224, 3}) {
    const auto model = make_model("lgsc", options);
    model->outline(batched(1, input));
    return summarize(*model, "lgsc", input);
}

Tensor pixels(const Shape& shape, uint64_t key) {
    std::vector<float> values(static_cast<size_t>(shape.count()));
    Random random(key);
    for (float& value : values) value = random.uniform(-1, 1);
    return Tensor::from(values, shape);
}

Tensor labels(std::vector<int32_t> values) {
    return Tensor::from(std::span<const int32_t>(values), {static_cast<int64_t>(values.size())});
}

}  // namespace

TEST_CASE("LGSC counts as published, with and without its auxiliary classifier") {
    const ModelSummary whole = summary_of({}), generator = summary_of({{"auxiliary", "false"}});
    CHECK(whole.trainable == 27500121);
    CHECK(generator.trainable == 16322583);
    // 7.67 G and 1.81 G multiplications with addition, and the norms and sums around them.
    CHECK(generator.flops == Approx(2 * 7.67e9).epsilon(0.01));
    CHECK(whole.flops - generator.flops == Approx(2 * 1.81e9).epsilon(0.01));
}

TEST_CASE("Each step of LGSC's decoder counts as published") {
    const ModelSummary summary = summary_of({{"auxiliary", "false"}});
    const auto below = [&](const std::string& prefix) {
        int64_t count = 0;
        for (const LayerSummary& layer : summary.layers)
            if (layer.name.rfind(prefix, 0) == 0) count += layer.trainable;
        return count;
    };
    CHECK(below("encoder/") == 11176512);
    CHECK(below("d1/") == 3739136);
    CHECK(below("d2/") == 935680);
    CHECK(below("d3/") == 234368);
    CHECK(below("d4/") == 217984);
    CHECK(below("d5/") == 18903);
}

TEST_CASE("LGSC gives a cue map of the picture's size, five features and two logits") {
    Lgsc model;
    const Lgsc::Outputs out = model.outputs(Tensor::zeros({2, 224, 224, 3}));
    CHECK(out.cue.shape() == Shape{2, 224, 224, 3});
    CHECK(out.logits.shape() == Shape{2, 2});
    const std::vector<Shape> expected{
        {2, 7, 7, 512}, {2, 14, 14, 256}, {2, 28, 28, 128}, {2, 56, 56, 64}, {2, 112, 112, 64}};
    REQUIRE(out.features.size() == expected.size());
    for (size_t i = 0; i < expected.size(); ++i) CHECK(out.features[i].shape() == expected[i]);
}

TEST_CASE("A shallower decoder takes fewer taps, down to one") {
    int64_t last = 0;
    for (int64_t depth = 1; depth <= 5; ++depth) {
        const ModelSummary summary =
            summary_of({{"depth", std::to_string(depth)}, {"auxiliary", "false"}}, {32, 64, 3});
        CHECK(summary.trainable > last);
        last = summary.trainable;
        Lgsc model({.depth = depth});
        const Lgsc::Outputs out = model.outputs(Tensor::zeros({1, 32, 64, 3}));
        CHECK(out.cue.shape() == Shape{1, 32, 64, 3});
        CHECK(static_cast<int64_t>(out.features.size()) == depth);
    }
    CHECK_THROWS_WITH(Lgsc({.depth = 6}), Catch::Contains("6"));
    CHECK_THROWS_WITH(Lgsc({.depth = 0}), Catch::Contains("0"));
}

TEST_CASE("LGSC refuses a picture that cannot be halved five times") {
    Lgsc model;
    CHECK_THROWS_WITH(model.build({1, 48, 64, 3}), Catch::Contains("48") && Catch::Contains("32"));
}

TEST_CASE("The deployed LGSC has no auxiliary classifier, and its states are a part of the trained one's") {
    const ModelInfo& info = model_info("lgsc");
    const OptionMap deployed = info.deployed({{"dropout", "0.25"}});
    CHECK(deployed.at("auxiliary") == "false");
    CHECK(deployed.at("dropout") == "0.25");
    CHECK(model_info("attacknet-v2.2").deployed({}) == model_info("attacknet-v2.2").options({}));
    const auto small = info.make(deployed), whole = info.make({});
    small->outline({1, 32, 32, 3});
    whole->outline({1, 32, 32, 3});
    size_t found = 0;
    for (const State& state : small->states())
        for (const State& other : whole->states()) found += other.name() == state.name() ? 1 : 0;
    CHECK(found == small->states().size());
    CHECK(found < whole->states().size());
}

TEST_CASE("The score of a cue map is one less its mean magnitude") {
    Lgsc model;
    const auto objective = model.objective();
    CHECK(objective->score(std::vector<float>{0, 0, 0, 0}) == 1.0);
    CHECK(objective->score(std::vector<float>{-1, 1, 0.5f, -0.5f}) == 0.25);
    CHECK(objective->score_name() == "1 - mean |cue|");
    CHECK_FALSE(objective->scores_probability());
}

TEST_CASE("LGSC's losses are those asked for, each under its name") {
    const Tensor x = pixels({4, 32, 32, 3}, 1), y = labels({0, 1, 0, 1});
    const auto names = [&](const Lgsc::Options& options) {
        Lgsc model(options);
        std::string joined;
        for (const LossTerm& term : model.objective()->pass(x, y).terms) joined += term.name + " ";
        return joined;
    };
    CHECK(names({}) == "classification cue triplet ");
    CHECK(names({.auxiliary = false}) == "cue triplet ");
    CHECK(names({.auxiliary = false, .triplet = false}) == "cue ");
    CHECK(names({.attack_cue = 0.5f, .score_weight = 1}) == "classification cue attack_cue score triplet ");
    CHECK_THROWS_WITH(Lgsc({.score_weight = 1}), Catch::Contains("attack_cue=0.5, or score_weight=0"));
}

TEST_CASE("The score's cross entropy is even at half the cue asked of attacks, and counts both classes alike") {
    Lgsc model({.depth = 1, .auxiliary = false, .triplet = false, .attack_cue = 0.4f, .score_weight = 2});
    model.eval();
    const NoGrad no_grad;
    const Tensor x = pixels({3, 16, 16, 3}, 2);
    const std::vector<float> cue = model(x).to_vector();
    const auto loss_of = [&](size_t sample, bool attack) {
        const double odds = 20 * (1 - model.objective()->score(std::span(cue).subspan(sample * 768, 768)) - 0.2);
        return std::log1p(std::exp(attack ? -odds : odds));
    };
    const ObjectivePass pass = model.objective()->pass(x, labels({0, 1, 1}));
    CHECK(pass.terms.at(2).name == "score");
    CHECK(pass.terms[2].weight == 2);
    CHECK(pass.terms[2].value.item() ==
          Approx(loss_of(0, false) / 2 + (loss_of(1, true) + loss_of(2, true)) / 4).epsilon(1e-4));  // sums in float
}

TEST_CASE("An offset is added before the tanh, and an LGSC without one is the published network") {
    Lgsc plain({.depth = 1, .auxiliary = false}), raised({.depth = 1, .auxiliary = false, .cue_offset = 0.3f});
    const Tensor x = pixels({2, 16, 16, 3}, 2);
    const NoGrad no_grad;
    const std::vector<float> a = plain(x).to_vector(), b = raised(x).to_vector();
    for (size_t i = 0; i < a.size(); ++i)
        if (std::abs(a[i]) < 0.99f)  // beyond, float32 no longer says what the tanh was of
            REQUIRE(std::atanh(b[i]) - std::atanh(a[i]) == Approx(0.3).margin(1e-3));
}

TEST_CASE("Only the cues of live samples are pulled to zero") {
    Lgsc model({.depth = 1, .auxiliary = false, .triplet = false});
    model.eval();
    const NoGrad no_grad;
    const Tensor x = pixels({3, 16, 16, 3}, 2);
    const auto cue_loss = [&](std::vector<int32_t> classes) {
        return model.objective()->pass(x, labels(std::move(classes))).terms.at(0).value.item();
    };
    const std::vector<float> cue = model(x).to_vector();
    const auto magnitude = [&](size_t sample) {
        double total = 0;
        for (size_t i = 0; i < 768; ++i) total += std::abs(static_cast<double>(cue[sample * 768 + i]));
        return total / 768;
    };
    CHECK(cue_loss({0, 1, 1}) == Approx(magnitude(0)).epsilon(1e-5));  // float sums of 768 numbers
    CHECK(cue_loss({1, 0, 0}) == Approx((magnitude(1) + magnitude(2)) / 2).epsilon(1e-5));
    CHECK(cue_loss({1, 1, 1}) == 0.0f);
    Lgsc asking({.depth = 1, .auxiliary = false, .triplet = false, .attack_cue = 0.9f});
    asking.eval();
    const ObjectivePass pass = asking.objective()->pass(x, labels({0, 1, 1}));
    REQUIRE(pass.terms.size() == 2);
    CHECK(pass.terms[1].name == "attack_cue");
    CHECK(pass.terms[1].value.item() ==
          Approx((std::max(0.0, 0.9 - magnitude(1)) + std::max(0.0, 0.9 - magnitude(2))) / 2).epsilon(1e-5));
}
