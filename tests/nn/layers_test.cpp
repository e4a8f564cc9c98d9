#include "liven/nn/layers.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "liven/core/error.hpp"
#include "liven/nn/gru_layer.hpp"
#include "liven/nn/norm_layers.hpp"
#include "liven/nn/pool_layers.hpp"
#include "liven/nn/sequential.hpp"
#include "tests/golden/golden_file.hpp"

using namespace liven;

namespace {

/// The first of the model's states with this name.
State state_of(Module& model, std::string_view name) {
    for (const State& state : model.states())
        if (state.name() == name) return state;
    throw std::runtime_error("no state " + std::string(name));
}

}  // namespace

TEST_CASE("Convolution layers pad as told") {
    Sequential model;
    model.add<Conv2d>("same", Conv2d::Options{.filters = 2, .stride = 2});
    model.add<Conv2d>("valid", Conv2d::Options{.filters = 3, .kernel = {1, 2}, .padding = ConvPadding::valid()});
    model.add<Conv2d>("given",
                      Conv2d::Options{.filters = 4, .padding = ConvPadding::given(symmetric(2)), .bias = false});
    const NoGrad no_grad;
    CHECK(model(Tensor::zeros({1, 7, 9, 3})).shape() == Shape{1, 6, 6, 4});
    CHECK(model.parameters().size() == 5);
}

TEST_CASE("A convolution layer with as many groups as channels is depthwise") {
    Sequential model;
    model.add<Conv2d>("depthwise", Conv2d::Options{.filters = 6, .groups = 3});
    model.build({1, 5, 5, 3});
    CHECK(model.parameters()[0].shape() == Shape{3, 3, 1, 6});
    Sequential wrong;
    wrong.add<Conv2d>("conv", Conv2d::Options{.filters = 4, .groups = 2});
    CHECK_THROWS_WITH(wrong.build({1, 5, 5, 3}), Catch::Contains("groups"));
}

TEST_CASE("Dense refuses an image and says what to do") {
    Sequential model;
    model.add<Dense>("dense", Dense::Options{.units = 2});
    CHECK_THROWS_WITH(model(Tensor::zeros({1, 4, 4, 3})), Catch::Contains("flatten"));
}

TEST_CASE("Pooling and resizing layers give the stated shapes") {
    const Tensor x = Tensor::ones({2, 6, 8, 3});
    Sequential pool, average, largest, upsample;
    pool.add<AvgPool2d>("pool", PoolOptions{.size = 2});
    average.add<GlobalAvgPool>("pool");
    largest.add<GlobalMaxPool>("pool");
    upsample.add<Upsample>("up", int64_t{3});
    CHECK(pool(x).shape() == Shape{2, 3, 4, 3});
    CHECK(average(x).to_vector() == std::vector<float>(6, 1.0f));
    CHECK(largest(x).shape() == Shape{2, 3});
    CHECK(upsample(x).shape() == Shape{2, 18, 24, 3});
}

TEST_CASE("Normalisation layers compute what PyTorch does with their parameters") {
    const golden::File file("ops_norm.npz");
    Sequential instance, layer;
    instance.add<InstanceNorm>("norm");
    layer.add<LayerNorm>("norm", LayerNorm::Options{.epsilon = 1e-6f});
    for (auto& [model, name] :
         {std::pair<Sequential*, std::string>{&instance, "instance_norm"}, {&layer, "layer_norm"}}) {
        const Tensor src = file(name + "/src");
        model->build(src.shape());
        state_of(*model, "norm/gamma").assign(file(name + "/gamma"));
        state_of(*model, "norm/beta").assign(file(name + "/beta"));
        // A few roundings of values of size 1.
        CHECK(golden::distance((*model)(src), file(name + "/dst")) < 2e-6);
    }
}

TEST_CASE("Batch-norm's running variance follows Keras, and PyTorch when asked to") {
    const golden::File file("ops_norm.npz");
    for (const bool unbiased : {false, true}) {
        Sequential model;
        model.add<BatchNorm>("bn", BatchNorm::Options{.unbiased_variance = unbiased});
        const Tensor src = file("batch_norm_train/src");
        model.build(src.shape());
        state_of(model, "bn/gamma").assign(file("batch_norm_train/gamma"));
        state_of(model, "bn/beta").assign(file("batch_norm_train/beta"));
        state_of(model, "bn/moving_mean").assign(file("batch_norm_train/running_mean"));
        state_of(model, "bn/moving_variance").assign(file("batch_norm_train/running_variance"));
        const Tensor y = model(src);
        CHECK(golden::distance(y, file("batch_norm_train/dst")) < 2e-6);
        commit();
        const std::string convention = unbiased ? "pytorch" : "keras";
        CHECK(golden::distance(state_of(model, "bn/moving_mean").tensor(), file("batch_norm_train/new_running_mean")) <
              1e-6);
        CHECK(golden::distance(state_of(model, "bn/moving_variance").tensor(),
                               file("batch_norm_train/new_running_variance_" + convention)) < 1e-6);
    }
}

TEST_CASE("A GRU layer takes weights in the order of Keras and of PyTorch") {
    const golden::File file("ops_gru.npz");
    const Tensor src = file("reset_after/src");
    const int64_t units = file("reset_after/initial_state").shape()[1];
    Sequential model;
    Gru& layer = model.add<Gru>("gru", Gru::Options{.units = units, .all_steps = true});
    CHECK_THROWS_AS(layer.assign({}), Error);  // not built
    model.build(src.shape());
    CHECK(model.parameters().size() == 4);
    const Tensor keras_bias = concat({reshape(file("reset_after/bias"), Shape{1, 3 * units}),
                                      reshape(file("reset_after/recurrent_bias"), Shape{1, 3 * units})},
                                     {.axis = 0});
    layer.assign(gru_from_keras(file("reset_after/kernel"), file("reset_after/recurrent_kernel"), keras_bias));
    const auto by_keras = model(src).to_vector();
    layer.assign(gru_from_pytorch(file("pytorch/weight_ih_l0"), file("pytorch/weight_hh_l0"),
                                  file("pytorch/bias_ih_l0"), file("pytorch/bias_hh_l0")));
    CHECK(model(src).to_vector() == by_keras);
    CHECK(model(src).shape() == Shape{src.shape()[0], src.shape()[1], units});
}

TEST_CASE("A GRU layer gives the last state by default, with one bias less when the reset gate comes first") {
    Sequential model;
    model.add<Gru>("gru", Gru::Options{.units = 3, .reset_after = false});
    model.build({1, 4, 2});
    CHECK(model.parameters().size() == 3);
    CHECK(model(Tensor::ones({5, 4, 2})).shape() == Shape{5, 3});
    CHECK_THROWS_AS(model(Tensor::ones({5, 2})), Error);
}
