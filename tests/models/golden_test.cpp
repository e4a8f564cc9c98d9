#include <catch2/catch.hpp>
#include <string>

#include "golden_model.hpp"
#include "liven/core/environment.hpp"
#include "liven/graph/engine.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/loss.hpp"
#include "liven/optim/optimizer.hpp"

using namespace liven;

namespace {

/// The golden values' own sensitivity to a relative disturbance of 2e-7 at every layer is up to 3e-5 (see
/// tests/golden/README.md); float32 rounding in ten layers disturbs a little more than that.
constexpr double kTolerance = 1e-4;

struct GoldenCase {
    std::string model;
    int64_t height, width;
};
std::string file_of(const GoldenCase& c) {
    return "model_" + c.model + "_" + std::to_string(c.height) + "x" + std::to_string(c.width) + ".npz";
}

void check_inference(const golden::File& file, Module& model, const golden::Batch& batch) {
    const NoGrad no_grad;
    model.eval();
    CHECK(golden::distance(model(batch.images), file("eval/logits")) < kTolerance);
    model.train();
}

/// One forward and backward: loss, logits, all gradients.
void check_gradients(const golden::File& file, Module& model, const golden::Batch& batch, float smoothing,
                     int64_t salt) {
    const std::string tag = smoothing > 0 ? "smoothing_0.1" : "smoothing_0";
    if (!file.has(tag + "/loss")) return;
    const Tensor logits = model(batch.images);
    const Tensor loss = cross_entropy(logits, batch.labels, {.label_smoothing = smoothing});
    const Gradients g = gradients(loss, model.parameters());
    std::vector<Value> values{loss.value(), logits.value()};
    for (size_t i = 0; i < g.size(); ++i) values.push_back(g.value(i));
    Engine::current().evaluate(values);
    CHECK(loss.item() == Approx(file.number(tag + "/loss")).epsilon(1e-5));
    CHECK(golden::distance(logits, file("train/logits")) < kTolerance);
    for (size_t i = 0; i < g.size(); ++i) {
        const std::string name(model.parameters()[i].name());
        INFO(name);
        const double error = golden::distance_from(file, tag + "/grad/" + name, g[i], salt);
        CHECK(error < kTolerance);
    }
}

void check_statistics(const golden::File& file, Module& model, const golden::Batch& batch) {
    const Tensor logits = model(batch.images);
    commit();
    for (const State& state : model.states()) {
        const std::string name = "after/" + std::string(state.name());
        if (!file.has(name)) continue;
        INFO(name);
        CHECK(golden::distance(state.tensor(), file(name)) < 1e-5);  // one step of averaging, no depth to speak of
    }
}

}  // namespace

TEST_CASE("The four CNNs agree with PyTorch: logits, loss, every gradient, running statistics") {
    const GoldenCase test = GENERATE(GoldenCase{"livenessnet", 32, 32}, GoldenCase{"livenessnet", 48, 40},
                                     GoldenCase{"attacknet-v1", 32, 32}, GoldenCase{"attacknet-v1", 48, 40},
                                     GoldenCase{"attacknet-v2.1", 32, 32}, GoldenCase{"attacknet-v2.1", 48, 40},
                                     GoldenCase{"attacknet-v2.2", 32, 32}, GoldenCase{"attacknet-v2.2", 48, 40},
                                     GoldenCase{"attacknet-v2.2", 34, 38});
    INFO(file_of(test));
    const golden::File file(file_of(test));
    const int64_t salt = file.integer("salt");
    const Shape input{4, test.height, test.width, 3};
    const golden::Batch batch = golden::batch(input, salt);
    const auto model = golden::make(test.model, input, salt);
    check_inference(file, *model, batch);
    check_gradients(file, *model, batch, 0.0f, salt);
    check_gradients(file, *model, batch, 0.1f, salt);
    check_statistics(file, *model, batch);
}

TEST_CASE("So they do under the reference executor", "[slow]") {
    const std::string name = GENERATE("livenessnet", "attacknet-v1", "attacknet-v2.1", "attacknet-v2.2");
    INFO(name);
    const golden::File file(file_of({name, 32, 32}));
    const int64_t salt = file.integer("salt");
    const Shape input{4, 32, 32, 3};
    const golden::Batch batch = golden::batch(input, salt);
    struct Reference {
        ExecutorKind before = executor_kind();
        Reference() { set_executor_kind(ExecutorKind::reference); }
        ~Reference() { set_executor_kind(before); }
    } const reference;
    const auto model = golden::make(name, input, salt);
    check_inference(file, *model, batch);
    check_gradients(file, *model, batch, 0.1f, salt);
}

TEST_CASE("Every layer of AttackNet V2.2 agrees with PyTorch by its Keras name") {
    const golden::File file("model_attacknet-v2.2_32x32.npz");
    const int64_t salt = file.integer("salt");
    const Shape input{4, 32, 32, 3};
    const golden::Batch batch = golden::batch(input, salt);
    const auto model = golden::make("attacknet-v2.2", input, salt);
    for (const bool training : {false, true}) {
        model->train(training);
        int found = 0;
        for (const Module::LayerRecord& record : model->record_layers(batch.images)) {
            const std::string name = (training ? "train/layer/" : "eval/layer/") + record.layer->path();
            if (!file.has(name) && !file.has(name + "#norm")) continue;
            ++found;
            INFO(name);
            CHECK(golden::distance_from(file, name, record.output, salt) < kTolerance);
        }
        CHECK(found >= 18);
    }
}

TEST_CASE("Twenty steps of Adam on AttackNet V2.2 follow PyTorch's loss curve", "[slow]") {
    const golden::File file("curve.npz");
    const int64_t salt = file.integer("salt");
    const Shape input{8, 64, 64, 3};
    const auto model = golden::make("attacknet-v2.2", input, salt);
    Adam::Options options;
    options.learning_rate = 1e-4f;
    Adam adam(model->parameters(), options);
    const Tensor losses = file("losses");
    for (int64_t t = 1; t <= 20; ++t) {
        const golden::Batch batch = golden::batch(input, salt, "curve/", "/" + std::to_string(t));
        const Tensor loss = cross_entropy((*model)(batch.images), batch.labels);
        adam.step(gradients(loss, model->parameters()));
        INFO("step " << t);
        CHECK(loss.item() == Approx(losses.data()[static_cast<size_t>(t - 1)]).epsilon(1e-3));
    }
    for (const Parameter& parameter : model->parameters()) {
        INFO(parameter.name());
        // 20 steps of 1e-4 move weights by 2e-3 at most; where a gradient's sign is rounding, Adam steps all the same.
        CHECK(golden::distance_from(file, "final/" + std::string(parameter.name()), parameter.tensor(), salt) < 1e-3);
    }
}
