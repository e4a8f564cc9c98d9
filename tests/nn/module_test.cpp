#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/graph/engine.hpp"
#include "liven/nn/layers.hpp"
#include "liven/nn/sequential.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"

using namespace liven;

namespace {

/// Two layers in a group without a name, one in a named block.
class Small : public Module {
public:
    struct Group : Module {
        explicit Group(Module& parent) : Module(parent, "") {}
        Tensor forward(Tensor x) override { return bn(conv(x)); }
        Conv2d conv{*this, "conv", {.filters = 4, .l2 = 0.5f}};
        BatchNorm bn{*this, "bn"};
    };
    struct Head : Module {
        explicit Head(Module& parent) : Module(parent, "head") {}
        Tensor forward(Tensor x) override { return dense(drop(flatten(x))); }
        Dropout drop{*this, "drop", 0.5f};
        Dense dense{*this, "dense", {.units = 2}};
    };
    Group group{*this};
    Head head{*this};

protected:
    Tensor forward(Tensor x) override { return head(group(x)); }
};

std::vector<std::string> names_of(std::span<const State> states) {
    std::vector<std::string> names;
    for (const State& state : states) names.emplace_back(state.name());
    return names;
}
std::vector<std::string> names_of(std::span<const Parameter> parameters) {
    std::vector<std::string> names;
    for (const State& parameter : parameters) names.emplace_back(parameter.name());
    return names;
}

Tensor picture() {
    std::vector<float> pixels(2 * 3 * 5 * 3);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i % 7) - 2.5f;
    return Tensor::from(pixels, {2, 3, 5, 3});
}

}  // namespace

TEST_CASE("Parameters are called by the path of the members' names, in the order of the members") {
    Small model;
    model.build({1, 3, 5, 3});
    CHECK(names_of(model.parameters()) == std::vector<std::string>{"conv/kernel", "conv/bias", "bn/gamma", "bn/beta",
                                                                   "head/dense/kernel", "head/dense/bias"});
    CHECK(names_of(model.states()) == std::vector<std::string>{"conv/kernel", "conv/bias", "bn/gamma", "bn/beta",
                                                               "bn/moving_mean", "bn/moving_variance",
                                                               "head/dense/kernel", "head/dense/bias"});
    CHECK(model.parameters()[0].shape() == Shape{3, 3, 3, 4});
    CHECK(model.parameters()[4].shape() == Shape{3 * 5 * 4, 2});
}

TEST_CASE("Building computes nothing, counts no forward, and may happen by the first call") {
    const int64_t runs = Engine::current().statistics().runs;
    Small built, called;
    built.build({1, 3, 5, 3});
    CHECK(built.forward_count() == 0);
    CHECK(built.training());
    CHECK(Engine::current().statistics().runs == runs);
    called.eval();
    const Tensor y = called(picture());
    CHECK(names_of(called.states()) == names_of(built.states()));
    built.eval();
    CHECK(built(picture()).to_vector() == y.to_vector());
}

TEST_CASE("A model refuses an input of another width than it was built for") {
    Small model;
    model.build({1, 3, 5, 3});
    CHECK_THROWS_WITH(model(Tensor::zeros({1, 3, 5, 1})), Catch::Contains("conv/kernel"));
    CHECK_THROWS_WITH(model(Tensor::zeros({1, 4, 5, 3})), Catch::Contains("head/dense/kernel"));
    CHECK_THROWS_AS(model(Tensor::zeros({3, 5})), Error);
    CHECK(model(picture()).shape() == Shape{2, 2});  // and works after the refusal
}

TEST_CASE("Initial values depend on seed and name alone") {
    Small model, same, other;
    other.seed(1);
    for (Module* each : {static_cast<Module*>(&model), static_cast<Module*>(&same), static_cast<Module*>(&other)})
        each->build({1, 3, 5, 3});
    Sequential alone;  // the same name made first in another model
    alone.add<Conv2d>("first", Conv2d::Options{.filters = 7});
    alone.add<Conv2d>("conv", Conv2d::Options{.filters = 4});
    alone.build({1, 3, 5, 3});
    const auto kernel = model.parameters()[0].tensor().to_vector();
    CHECK(same.parameters()[0].tensor().to_vector() == kernel);
    CHECK(other.parameters()[0].tensor().to_vector() != kernel);
    CHECK(alone.parameters()[2].name() == "conv/kernel");
    CHECK(alone.parameters()[2].tensor().to_vector()[0] != alone.parameters()[0].tensor().to_vector()[0]);
}

TEST_CASE("A frozen part is not trained, uses its running statistics, and is still saved") {
    Small model;
    model.build({1, 3, 5, 3});
    model.group.freeze();
    CHECK(names_of(model.parameters()) == std::vector<std::string>{"head/dense/kernel", "head/dense/bias"});
    CHECK(model.states().size() == 8);
    CHECK_FALSE(model.group.bn.training());
    CHECK(model.head.training());
    {
        const Tensor y = model(picture());
        commit();
    }
    CHECK(model.states()[4].tensor().to_vector() == std::vector<float>(4, 0.0f));
    model.group.freeze(false);
    CHECK(model.parameters().size() == 6);
}

TEST_CASE("Running statistics move once, at the commit of a training forward, and not without one") {
    Small model;
    model.build({1, 3, 5, 3});
    const State mean = model.states()[4];
    model(picture());  // abandoned
    commit();
    CHECK(mean.tensor().to_vector() == std::vector<float>(4, 0.0f));
    Tensor activations = model.group.conv(picture());
    const auto expected = scale(reshape(moments(activations, {0, 1, 2}).mean, Shape{4}), 0.01f).to_vector();
    activations = Tensor();
    {
        const Tensor y = model(picture());
        y.to_vector();
        y.to_vector();
        CHECK(mean.tensor().to_vector() == std::vector<float>(4, 0.0f));
        commit();
    }
    for (size_t c = 0; c < 4; ++c) CHECK(mean.tensor().to_vector()[c] == Approx(expected[c]).epsilon(1e-5));
}

TEST_CASE("Dropout masks follow from seed and forward count") {
    Sequential model;
    model.add<Dropout>("drop", 0.5f);
    const Tensor ones = Tensor::ones({1, 256});
    const auto first = model(ones).to_vector(), second = model(ones).to_vector();
    CHECK(model.forward_count() == 2);
    CHECK((first != second));
    model.set_forward_count(0);
    CHECK((model(ones).to_vector() == first));
    model.seed(7);
    model.set_forward_count(0);
    CHECK((model(ones).to_vector() != first));
    model.eval();
    CHECK(model(ones).to_vector() == ones.to_vector());
    CHECK(model.forward_count() == 1);  // inference does not count
}

TEST_CASE("A dropout layer called twice in one forward draws twice, and another layer draws differently") {
    struct Twice : Module {
        Dropout a{*this, "a", 0.5f}, b{*this, "b", 0.5f};
        Tensor forward(Tensor x) override { return concat({a(x), a(x), b(x)}, {.axis = 0}); }
    } model;
    const auto rows = model(Tensor::ones({1, 128})).to_vector();
    const std::vector<float> a0(rows.begin(), rows.begin() + 128), a1(rows.begin() + 128, rows.begin() + 256),
        b0(rows.begin() + 256, rows.end());
    CHECK((a0 != a1));
    CHECK((a0 != b0));
    model.set_forward_count(0);
    CHECK((model(Tensor::ones({1, 128})).to_vector() == rows));
}

TEST_CASE("The second training forward runs the plan of the first: seed and counter are inputs") {
    Small model;
    model.build({1, 3, 5, 3});
    const Tensor x = picture();
    model(x).to_vector();
    const int64_t made = Engine::current().statistics().plans_made;
    for (int i = 0; i < 3; ++i) model(x).to_vector();
    CHECK(Engine::current().statistics().plans_made == made);
}

TEST_CASE("The L2 penalty is lambda times the squares of the parameters that ask for it") {
    Small model;
    model.build({1, 3, 5, 3});
    const Tensor kernel = model.parameters()[0].tensor();
    CHECK(l2_penalty(model.parameters()).item() == Approx(0.5f * sum(square(kernel)).item()));
    Sequential without;
    without.add<Dense>("dense", Dense::Options{.units = 3});
    without.build({1, 2});
    CHECK_FALSE(l2_penalty(without.parameters()).defined());
}

TEST_CASE("Nodes carry the path of the layer that recorded them") {
    Small model;
    const NoGrad no_grad;
    model.eval();
    const Tensor y = model(picture());
    const Value& value = y.value();
    const std::string text = Engine::current().graph_of({&value, 1}).str();
    CHECK(text.find("# conv\n") != std::string::npos);
    CHECK(text.find("# head/dense\n") != std::string::npos);
}

TEST_CASE(
    "An observer sees every layer and block in the order of computation, and gradients can be asked of what it saw") {
    Sequential model;
    auto& block = model.add<Sequential>("block");
    block.add<Conv2d>("conv", Conv2d::Options{.filters = 2});
    block.add<Activation>("relu", Activation::Options{});
    model.add<Flatten>("flatten");
    model.build({1, 3, 3, 1});
    std::vector<std::string> seen;
    Tensor map;
    const Tensor y = model.observe(Tensor::ones({1, 3, 3, 1}), [&](const Module& module, const Tensor& result) {
        seen.push_back(module.path());
        if (module.path() == "block/relu") map = result;
        CHECK_THROWS_AS(model.observe(Tensor::ones({1, 3, 3, 1}), {}), Error);
    });
    CHECK(seen == std::vector<std::string>{"block/conv", "block/relu", "block", "flatten", ""});
    const std::vector<float> gradient = gradients(sum(scale(y, 3)), {map})[0].to_vector();
    CHECK(gradient == std::vector<float>(18, 3.0f));
    CHECK(model.record_layers(Tensor::ones({1, 3, 3, 1})).size() == 3);
}
