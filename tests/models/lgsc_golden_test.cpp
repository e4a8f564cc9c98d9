#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "golden_model.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/philox.hpp"
#include "liven/graph/engine.hpp"
#include "liven/models/lgsc.hpp"
#include "liven/optim/optimizer.hpp"

using namespace liven;

namespace {

/// The golden values' own sensitivity to a disturbance of 2e-7 at every layer is 2.3e-5 (tests/golden/README.md).
constexpr double kCloseTolerance = 1e-4;
constexpr int64_t kGoldenBatch = 4, kGoldenSize = 64;

/// The golden parameters: those of the other models, but ReLUs away from their kinks (see make_lgsc.py).
void fill(Module& model, int64_t salt) {
    for (State state : model.states()) {
        const std::string name(state.name());
        HostTensor value = golden::parameter(name, state.shape(), salt);
        const size_t kind = name.rfind('/'), layer = name.rfind('/', kind - 1) + 1;
        const std::string of = name.substr(layer, kind - layer);
        const bool before_relu = of == "bn1" || of == "bn2" || of == "in1" || of == "in2" || of == "up_in";
        if (name.substr(kind) == "/beta" && before_relu && name.rfind("d5/block", 0) != 0)
            for (float& number : value.values<float>()) number += 2.0f;
        state.assign(value.values<float>());
    }
}

struct Case {
    golden::File file{"lgsc.npz"};
    int64_t salt = file.integer("salt");
    Lgsc model{{.dropout = 0}};
    std::unique_ptr<Objective> objective = model.objective();

    Case() {
        model.outline({kGoldenBatch, kGoldenSize, kGoldenSize, 3});
        fill(model, salt);
    }
    golden::Batch batch(const std::string& name) const {
        HostTensor classes({kGoldenBatch}, DType::i64);
        std::vector<int32_t> labels;
        for (int64_t i = 0; i < kGoldenBatch; ++i) {
            classes.values<int64_t>()[static_cast<size_t>(i)] = i % 2;
            labels.push_back(static_cast<int32_t>(i % 2));
        }
        const Shape shape{kGoldenBatch, kGoldenSize, kGoldenSize, 3};
        return {.images = Tensor::from(golden::images(name, shape, classes, salt).values<float>(), shape),
                .labels = Tensor::from(std::span<const int32_t>(labels), {kGoldenBatch})};
    }
    /// How far tensors by name lie from the norms and samples stored under `what`, in the order of their names.
    void check(const std::string& what, const std::map<std::string, Tensor>& tensors) const {
        const std::vector<float> norms = file(what + "norms").to_vector(), samples = file(what + "samples").to_vector();
        REQUIRE(norms.size() == tensors.size());
        const size_t each = samples.size() / norms.size();
        size_t row = 0;
        for (const auto& [name, tensor] : tensors) {
            INFO(what << " " << name);
            const auto values = tensor.data();
            double square = 0;
            for (float value : values) square += static_cast<double>(value) * static_cast<double>(value);
            CHECK(std::sqrt(square) == Approx(norms[row]).epsilon(kCloseTolerance));
            std::vector<float> mine;
            for (size_t j = 0; j < each; ++j)
                mine.push_back(values[static_cast<size_t>(
                    golden::place(name, static_cast<int64_t>(j), tensor.shape().count(), salt))]);
            CHECK(golden::distance(mine, std::span(samples).subspan(row * each, each)) < kCloseTolerance);
            ++row;
        }
    }
};

/// Everything that a pass gives and every gradient of its loss, computed in one plan.
struct Everything {
    ObjectivePass pass;
    Gradients gradients;
    explicit Everything(Lgsc& model, const golden::Batch& batch)
        : pass(model.objective()->pass(batch.images, batch.labels)),
          gradients(liven::gradients(pass.loss(), model.parameters())) {
        std::vector<Value> values{pass.output.value(), pass.logits.value()};
        for (const LossTerm& term : pass.terms) values.push_back(term.value.value());
        for (size_t i = 0; i < gradients.size(); ++i) values.push_back(gradients.value(i));
        Engine::current().evaluate(values);
    }
};

}  // namespace

TEST_CASE("LGSC agrees with PyTorch at inference: cue maps, scores, the auxiliary classifier") {
    Case c;
    c.model.eval();
    const NoGrad no_grad;
    const Lgsc::Outputs out = c.model.outputs(c.batch("input").images);
    c.check("eval/cue_", {{"eval/cue", out.cue}});
    CHECK(golden::distance(out.logits, c.file("eval/logits")) < kCloseTolerance);
    const auto cue = out.cue.data();
    const std::vector<float> scores = c.file("eval/scores").to_vector();
    for (size_t i = 0; i < scores.size(); ++i)
        CHECK(c.objective->score(cue.subspan(i * cue.size() / scores.size(), cue.size() / scores.size())) ==
              Approx(scores[i]).epsilon(kCloseTolerance));
}

TEST_CASE("LGSC agrees with PyTorch in training: three losses, every gradient, running statistics", "[slow]") {
    Case c;
    const Everything all(c.model, c.batch("input"));
    c.check("train/cue_", {{"train/cue", all.pass.output}});
    CHECK(golden::distance(all.pass.logits, c.file("train/logits")) < kCloseTolerance);
    const std::vector<float> losses = c.file("train/losses").to_vector();
    REQUIRE(all.pass.terms.size() == losses.size());
    for (size_t i = 0; i < losses.size(); ++i) {
        INFO(all.pass.terms[i].name);
        CHECK(all.pass.terms[i].value.item() == Approx(losses[i]).epsilon(kCloseTolerance));
    }
    std::map<std::string, Tensor> gradients, statistics;
    for (size_t i = 0; i < all.gradients.size(); ++i)
        gradients[std::string(c.model.parameters()[i].name())] = all.gradients[i];
    c.check("grad/", gradients);
    commit();
    for (const State& state : c.model.states())
        if (state.name().find("/moving_") != std::string_view::npos)
            statistics[std::string(state.name())] = state.tensor();
    c.check("after/", statistics);
}

TEST_CASE("Ten steps of Adam with weight decay on LGSC follow PyTorch's losses", "[slow]") {
    Case c;
    Adam adam(c.model.parameters(), {.learning_rate = c.file.number("steps/rate"), .weight_decay = 5e-4f});
    const std::vector<float> losses = c.file("steps/losses").to_vector();
    for (size_t t = 0; t < losses.size(); ++t) {
        const golden::Batch batch = c.batch("step/" + std::to_string(t + 1));
        const Tensor loss = c.objective->pass(batch.images, batch.labels).loss();
        adam.step(gradients(loss, c.model.parameters()));
        INFO("step " << t + 1);
        CHECK(loss.item() == Approx(losses[t]).epsilon(c.file.number("steps/tolerance")));
    }
}

// Three steps deep, so that every batch-norm sees enough numbers to be well-conditioned in so small a picture.
TEST_CASE("LGSC is the same under the reference executor, forward and backward", "[slow]") {
    std::vector<float> pixels(4 * 32 * 32 * 3);
    Random random(7);
    for (float& pixel : pixels) pixel = random.uniform(-1, 1);
    const std::vector<int32_t> classes{0, 1, 0, 1};
    const Tensor images = Tensor::from(pixels, {4, 32, 32, 3}),
                 labels = Tensor::from(std::span<const int32_t>(classes), {4});
    const auto run = [&](ExecutorKind kind) {
        const ExecutorKind before = executor_kind();
        set_executor_kind(kind);
        Lgsc model({.depth = 3, .auxiliary = false});
        model.outline({4, 32, 32, 3});
        fill(model, 3);
        const ObjectivePass pass = model.objective()->pass(images, labels);
        const Gradients all = gradients(pass.loss(), model.parameters());
        std::vector<Value> values{pass.output.value()};
        for (size_t i = 0; i < all.size(); ++i) values.push_back(all.value(i));
        Engine::current().evaluate(values);
        std::vector<std::vector<float>> results{pass.output.to_vector()};
        for (size_t i = 0; i < all.size(); ++i) results.push_back(all[i].to_vector());
        set_executor_kind(before);
        return results;
    };
    const auto planned = run(ExecutorKind::planned), reference = run(ExecutorKind::reference);
    REQUIRE(planned.size() == reference.size());
    for (size_t i = 0; i < planned.size(); ++i) {
        INFO(i);
        CHECK(golden::distance(planned[i], reference[i]) < kCloseTolerance);
    }
}
