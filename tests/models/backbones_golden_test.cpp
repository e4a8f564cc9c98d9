#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "golden_model.hpp"
#include "liven/graph/engine.hpp"
#include "liven/models/resnet50_gru.hpp"
#include "liven/nn/objective.hpp"
#include "liven/optim/optimizer.hpp"
#include "src/plan/double_graph.hpp"

using namespace liven;

// What tests/golden/make_backbones.py computed in float64.

namespace {

struct BackboneCase {
    std::string file, model;
    OptionMap options;
    Shape input;
};

const std::vector<BackboneCase>& cases() {
    static const std::vector<BackboneCase> all{
        {"se-resnet18", "se-resnet18", {}, {4, 32, 48, 3}},
        {"googlenet", "googlenet", {{"dropout", "0"}, {"auxiliary_dropout", "0"}}, {4, 64, 48, 3}},
        {"resnet50", "resnet50", {}, {4, 32, 48, 3}},
        {"resnet50-keras-v1", "resnet50", {{"variant", "keras-v1"}, {"bn_epsilon", "1.001e-5"}}, {4, 32, 48, 3}},
        {"resnet50-gru", "resnet50-gru", {}, {2, 3, 32, 32, 3}}};
    return all;
}

struct Backbone {
    golden::File file;
    std::unique_ptr<Module> model;

    explicit Backbone(const BackboneCase& c)
        : file("backbone_" + c.file + ".npz"), model(make_model(c.model, c.options)) {
        model->build(c.input);
        golden::fill(*model, 0);
    }
};

/// Bona fide and attack by turns; a clip's frames are one tall picture to the formula.
golden::Batch batch_of(const Shape& input, const std::string& prefix) {
    std::vector<int32_t> classes;
    HostTensor wide({input[0]}, DType::i64);
    for (int64_t i = 0; i < input[0]; ++i) {
        classes.push_back(static_cast<int32_t>(i % 2));
        wide.values<int64_t>()[static_cast<size_t>(i)] = i % 2;
    }
    const HostTensor pixels = golden::images(prefix, input, wide, 0);
    return {.images = Tensor::from(pixels.values<float>(), input),
            .labels = Tensor::from(std::span<const int32_t>(classes), {input[0]})};
}

/// Entries at hashed places, and the norm.
struct Summary {
    double norm = 0;
    std::vector<double> samples;

    template <class T>
    Summary(const std::string& name, std::span<const T> values, int64_t count) {
        for (const T value : values) norm += static_cast<double>(value) * static_cast<double>(value);
        norm = std::sqrt(norm);
        for (int64_t j = 0; j < count; ++j)
            samples.push_back(static_cast<double>(
                values[static_cast<size_t>(golden::place(name, j, static_cast<int64_t>(values.size()), 0))]));
    }
};

/// How far tensors by name, in the order of their names, lie from the stored norms and samples; each by its own norm.
template <class T>
double worst_distance(const golden::File& file, const std::string& what,
                      const std::map<std::string, std::span<const T>>& values) {
    const Tensor norms = file(what + "norms"), samples = file(what + "samples");
    REQUIRE(norms.shape().count() == static_cast<int64_t>(values.size()));
    const int64_t count = samples.shape()[1];
    double worst = 0;
    size_t row = 0;
    for (const auto& [name, value] : values) {
        const Summary mine(name, value, count);
        const auto norm = static_cast<double>(norms.data()[row]);
        // An entry is an n-th part of its tensor: its error is measured by the entries' usual size. A bias before a
        // batch-norm has no gradient but rounding.
        const double usual = norm / std::sqrt(static_cast<double>(value.size()));
        double error = norm > 1e-9 ? std::abs(mine.norm - norm) / norm : 0;
        for (int64_t j = 0; j < count && norm > 1e-9; ++j) {
            const auto expected =
                static_cast<double>(samples.data()[row * static_cast<size_t>(count) + static_cast<size_t>(j)]);
            error = std::max(
                error, std::abs(mine.samples[static_cast<size_t>(j)] - expected) / std::max(usual, std::abs(expected)));
        }
        if (error > worst) UNSCOPED_INFO(name << " is off by " << error);
        worst = std::max(worst, error);
        ++row;
    }
    return worst;
}

}  // namespace

TEST_CASE("In double the backbones have PyTorch's losses, outputs and every gradient", "[slow]") {
    for (const BackboneCase& c : cases()) {
        INFO(c.file);
        const Backbone golden(c);
        const golden::Batch batch = batch_of(c.input, "input");
        const auto objective = golden.model->objective();
        const ObjectivePass pass = objective->pass(batch.images, batch.labels);
        const Tensor loss = pass.loss();
        const auto parameters = golden.model->parameters();
        const Gradients g = gradients(loss, parameters);
        std::vector<Value> roots{loss.value(), pass.logits.value()};
        for (size_t i = 0; i < g.size(); ++i) roots.push_back(g.value(i));
        const std::vector<std::vector<double>> exact = detail::DoubleGraph(roots).run();
        // Stored as float32.
        CHECK(exact[0][0] == Approx(golden.file.number("train/loss")).epsilon(1e-6));
        const Tensor logits = golden.file("train/logits");
        for (size_t i = 0; i < exact[1].size(); ++i)
            CHECK(exact[1][i] == Approx(logits.data()[i]).epsilon(1e-5).margin(1e-6));
        std::map<std::string, std::span<const double>> found;
        for (size_t i = 0; i < g.size(); ++i) found.emplace(parameters[i].name(), exact[i + 2]);
        CHECK(worst_distance(golden.file, "grad/", found) < 1e-5);
    }
}

TEST_CASE("In float32 the backbones keep to PyTorch's outputs, loss and running statistics") {
    for (const BackboneCase& c : cases()) {
        INFO(c.file);
        const Backbone golden(c);
        const golden::Batch batch = batch_of(c.input, "input");
        golden.model->eval();
        {
            const NoGrad no_grad;
            CHECK(golden::distance((*golden.model)(batch.images), golden.file("eval/logits")) < 1e-4);
        }
        golden.model->train();
        const ObjectivePass pass = golden.model->objective()->pass(batch.images, batch.labels);
        const Tensor loss = pass.loss();
        // The golden values themselves move by up to 1e-3 when every layer is disturbed by 2e-7 (make_backbones.py
        // prints by how much): a dozen pixels make a batch's statistics here.
        CHECK(loss.item() == Approx(golden.file.number("train/loss")).epsilon(5e-3));
        CHECK(golden::distance(pass.logits, golden.file("train/logits")) < 5e-3);
        commit();
        std::map<std::string, std::span<const float>> statistics;
        for (const State& state : golden.model->states())
            if (state.name().find("/moving_") != std::string_view::npos)
                statistics.emplace(state.name(), state.tensor().data<float>());
        CHECK(worst_distance(golden.file, "after/", statistics) < 1e-2);
    }
}

TEST_CASE("The clip model's recurrent states are torch.nn.GRU's") {
    const BackboneCase& c = cases().back();
    const Backbone golden(c);
    auto& model = dynamic_cast<ResNet50Gru&>(*golden.model);
    const Tensor spatial = model.describe(batch_of(c.input, "input").images);
    std::vector<Tensor> weights;
    for (const char* name : {"gru/kernel", "gru/recurrent_kernel", "gru/bias", "gru/recurrent_bias"})
        for (const Parameter& p : model.parameters())
            if (p.name() == name) weights.push_back(p.tensor());
    REQUIRE(weights.size() == 4);
    const GruResult result =
        gru(spatial, Tensor::zeros({2, 512}),
            {.kernel = weights[0], .recurrent_kernel = weights[1], .bias = weights[2], .recurrent_bias = weights[3]});
    const Value states = result.states.value();
    const std::vector<double> exact = detail::DoubleGraph({&states, 1}).run()[0];
    const std::map<std::string, std::span<const double>> found{{"train/states", exact}};
    CHECK(worst_distance(golden.file, "train/state_", found) < 1e-5);  // stored as float32
}

TEST_CASE("Ten steps of gradient descent on the backbones follow PyTorch's losses", "[slow]") {
    for (BackboneCase c : cases()) {
        INFO(c.file);
        // What make_backbones.py trains: ResNet-50 on larger batches, the clip model with its backbone frozen.
        if (c.model == "resnet50") c.input = {8, 64, 64, 3};
        const bool clips = c.model == "resnet50-gru";
        if (clips) c.options["train_from"] = "gru";
        const Backbone golden(c);
        Sgd::Options options;
        options.learning_rate = clips ? 1e-3f : 1e-6f;
        Sgd descent(golden.model->parameters(), options);
        const auto objective = golden.model->objective();
        const Tensor losses = golden.file("steps/losses");
        for (int64_t t = 1; t <= 10; ++t) {
            const golden::Batch batch = batch_of(c.input, "step/" + std::to_string(t));
            const Tensor loss = objective->pass(batch.images, batch.labels).loss();
            descent.step(gradients(loss, golden.model->parameters()));
            INFO("step " << t);
            // Disturbing every layer by 2e-7 changes the golden losses by as much as make_backbones.py prints.
            CHECK(loss.item() == Approx(losses.data()[static_cast<size_t>(t - 1)]).epsilon(5e-3).margin(1e-3));
        }
    }
}
