#include <catch2/catch.hpp>
#include <set>

#include "harness.hpp"
#include "liven/core/environment.hpp"
#include "liven/graph/engine.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/gru.hpp"
#include "liven/ops/instance_norm.hpp"
#include "liven/ops/layer_norm.hpp"
#include "liven/ops/loss.hpp"
#include "liven/ops/norm.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/regression_loss.hpp"
#include "liven/ops/resize.hpp"
#include "liven/ops/softmax.hpp"
#include "liven/ops/triplet_loss.hpp"
#include "tests/golden/golden_file.hpp"

// Agreement with PyTorch in float64 (tests/golden/README.md), of both executors.

using namespace liven;
using namespace liven::testing;

namespace {

/// Float against float64: a few roundings of 6e-8, amplified by sums of tens of terms that partly cancel.
constexpr double kTolerance = 5e-6;

void both_executors(const std::function<void()>& test) {
    for (ExecutorKind kind : {ExecutorKind::reference, ExecutorKind::planned}) {
        set_executor_kind(kind);
        INFO(name_of(kind));
        test();
    }
}

/// The cases of an archive: what stands before the slash.
std::set<std::string> cases_of(const golden::File& file) {
    std::set<std::string> names;
    for (const auto& [name, entry] : file.reader().entries()) names.insert(name.substr(0, name.find('/')));
    return names;
}

/// y = f(inputs): y against <case>/dst, and, for <case>/diff_dst arriving, every gradient against <case>/diff_<input>.
void agree(const golden::File& file, const std::string& name, const std::vector<std::string>& inputs,
           const std::function<Tensor(const TensorList&)>& f, double tolerance = kTolerance) {
    INFO(name);
    TensorList in;
    for (const std::string& input : inputs) in.push_back(file(name + "/" + input));
    const Tensor y = f(in);
    CHECK(golden::distance(y, file(name + "/dst")) < tolerance);
    const Tensor loss = sum(y * file(name + "/diff_dst"));
    const Gradients g = gradients(loss, std::span<const Tensor>(in.data(), in.size()));
    for (size_t i = 0; i < inputs.size(); ++i) {
        INFO(inputs[i]);
        CHECK(golden::distance(g[i], file(name + "/diff_" + inputs[i])) < tolerance);
    }
}

/// A loss and its gradient for `input`.
void agree_loss(const golden::File& file, const std::string& name, const std::string& input,
                const std::function<Tensor(const Tensor&)>& f) {
    INFO(name);
    const Tensor x = file(name + "/" + input), loss = f(x);
    CHECK(golden::distance(loss.data(), file(name + "/loss").data()) < kTolerance);
    CHECK(golden::distance(gradients(loss, {x})[0], file(name + "/diff_" + input)) < kTolerance);
}

}  // namespace

TEST_CASE("Convolutions agree with PyTorch") {
    const golden::File file("ops_conv.npz");
    both_executors([&] {
        for (const std::string& name : cases_of(file)) {
            const auto pair = [&](const char* what) {
                return Extent2d{file.integer(name + "/" + what, 0), file.integer(name + "/" + what, 1)};
            };
            const auto side = [&](size_t i) { return file.integer(name + "/padding", i); };
            const Conv2dOptions options{.stride = pair("stride"),
                                        .padding = {side(0), side(1), side(2), side(3)},
                                        .dilation = pair("dilation"),
                                        .groups = file.integer(name + "/groups")};
            agree(file, name, {"src", "weights"}, [&](const TensorList& in) { return conv2d(in[0], in[1], options); });
        }
    });
}

TEST_CASE("Pools agree with PyTorch") {
    const golden::File file("ops_pool.npz");
    both_executors([&] {
        for (const std::string& name : cases_of(file)) {
            const PoolOptions options{.size = file.integer(name + "/size"),
                                      .stride = file.integer(name + "/stride"),
                                      .padding = symmetric(file.integer(name + "/padding")),
                                      .ceil_mode = file.integer(name + "/ceil") == 1,
                                      .count_include_pad = file.has(name + "/count_include_pad") &&
                                                           file.integer(name + "/count_include_pad") == 1};
            const bool maximum = name.rfind("max", 0) == 0;
            agree(file, name, {"src"},
                  [&](const TensorList& in) { return maximum ? max_pool(in[0], options) : avg_pool(in[0], options); });
        }
    });
}

TEST_CASE("Resizing agrees with PyTorch") {
    const golden::File file("ops_resize.npz");
    both_executors([&] {
        for (const std::string& name : cases_of(file)) {
            const Shape size = file.reader().read(name + "/dst").shape;
            const ResizeMode mode = name.rfind("nearest", 0) == 0 ? ResizeMode::nearest : ResizeMode::bilinear;
            agree(file, name, {"src"}, [&](const TensorList& in) {
                return resize(in[0], {.size = {size[1], size[2]}, .mode = mode});
            });
        }
    });
}

TEST_CASE("Activations agree with PyTorch from -100 to 100") {
    const golden::File file("ops_activation.npz");
    using Function = std::function<Tensor(const TensorList&)>;
    both_executors([&] {
        for (const auto& [name, f] : std::vector<std::pair<std::string, Function>>{
                 {"gelu_erf", [](const TensorList& in) { return gelu(in[0]); }},
                 {"softplus", [](const TensorList& in) { return softplus(in[0]); }},
                 {"tanh", [](const TensorList& in) { return tanh(in[0]); }},
                 {"sigmoid", [](const TensorList& in) { return sigmoid(in[0]); }},
                 {"leaky_relu", [](const TensorList& in) { return leaky_relu(in[0], 0.2f); }},
                 {"softmax", [](const TensorList& in) { return softmax(in[0]); }},
                 {"log_softmax", [](const TensorList& in) { return log_softmax(in[0]); }}})
            agree(file, name, {"src"}, f);
        agree(file, "prelu", {"src", "slope"}, [](const TensorList& in) { return prelu(in[0], in[1]); });
    });
}

TEST_CASE("Norms agree with PyTorch, far from 0 too") {
    const golden::File file("ops_norm.npz");
    const std::vector<std::string> affine{"src", "gamma", "beta"};
    both_executors([&] {
        for (const char* name : {"batch_norm_train", "batch_norm_train_2d", "batch_norm_train_far"}) {
            // Mean 100, deviation 0.5: the input's own rounding is 100 / 0.5 times as large relative to the deviation,
            // and its gradient sums over it.
            const bool far = std::string(name).find("far") != std::string::npos;
            agree(
                file, name, affine, [](const TensorList& in) { return batch_norm(in[0], in[1], in[2]).y; },
                far ? 1e-4 : kTolerance);
            if (!file.has(std::string(name) + "/batch_mean")) continue;
            const BatchNormResult r = batch_norm(file(std::string(name) + "/src"), file(std::string(name) + "/gamma"),
                                                 file(std::string(name) + "/beta"));
            CHECK(golden::distance(r.mean, file(std::string(name) + "/batch_mean")) < 1e-6);
            CHECK(golden::distance(r.variance, file(std::string(name) + "/batch_variance")) < 1e-5);
        }
        const Tensor mean = file("batch_norm_eval/running_mean"), variance = file("batch_norm_eval/running_variance");
        agree(file, "batch_norm_eval", affine,
              [&](const TensorList& in) { return batch_norm_inference(in[0], in[1], in[2], mean, variance); });
        agree(file, "instance_norm", affine,
              [](const TensorList& in) { return instance_norm(in[0], in[1], in[2], {.epsilon = 1e-5f}); });
        agree(file, "layer_norm", affine,
              [](const TensorList& in) { return layer_norm(in[0], in[1], in[2], {.epsilon = 1e-6f}); });
    });
}

TEST_CASE("GRU agrees with Keras' and PyTorch's, and both kinds of weights can be imported") {
    const golden::File file("ops_gru.npz");
    both_executors([&] {
        agree(file, "reset_after", {"src", "initial_state", "kernel", "recurrent_kernel", "bias", "recurrent_bias"},
              [](const TensorList& in) {
                  return gru(in[0], in[1], {in[2], in[3], in[4], in[5]}).states;
              });
        agree(file, "reset_before", {"src", "initial_state", "kernel", "recurrent_kernel", "bias"},
              [](const TensorList& in) {
                  return gru(in[0], in[1], {in[2], in[3], in[4], Tensor()}, {.reset_after = false}).states;
              });
        const Tensor x = file("reset_after/src"), h = file("reset_after/initial_state");
        const GruWeights torch = gru_from_pytorch(file("pytorch/weight_ih_l0"), file("pytorch/weight_hh_l0"),
                                                  file("pytorch/bias_ih_l0"), file("pytorch/bias_hh_l0"));
        CHECK(golden::distance(gru(x, h, torch).states, file("reset_after/dst")) < kTolerance);
        CHECK(golden::distance(torch.kernel, file("reset_after/kernel")) == 0);
        const Tensor bias = file("reset_after/bias"), recurrent_bias = file("reset_after/recurrent_bias");
        const Shape row{1, bias.shape()[0]};
        const GruWeights keras =
            gru_from_keras(file("reset_after/kernel"), file("reset_after/recurrent_kernel"),
                           concat({reshape(bias, row), reshape(recurrent_bias, row)}, {.axis = 0}));
        CHECK(golden::distance(gru(x, h, keras).states, file("reset_after/dst")) < kTolerance);
    });
}

TEST_CASE("Losses agree with PyTorch and Keras") {
    const golden::File file("ops_loss.npz");
    both_executors([&] {
        const auto entropy = [&](const std::string& name, CrossEntropyOptions options) {
            agree_loss(file, name, "logits",
                       [&](const Tensor& x) { return cross_entropy(x, file(name + "/classes"), options); });
        };
        entropy("cross_entropy", {});
        entropy("cross_entropy_extreme", {});
        entropy("cross_entropy_smoothing", {.label_smoothing = 0.1f});
        entropy("cross_entropy_mask", {.label_smoothing = 0.1f, .mask = file.real("cross_entropy_mask/mask")});
        for (const auto& [name, rule] : {std::pair{"cross_entropy_weights_pytorch", ClassWeighting::pytorch},
                                         std::pair{"cross_entropy_weights_keras", ClassWeighting::keras}})
            entropy(name, {.label_smoothing = 0.1f,
                           .class_weights = file(std::string(name) + "/weights"),
                           .weighting = rule,
                           .mask = file.real(std::string(name) + "/mask")});
        agree_loss(file, "bce_with_logits", "logits",
                   [&](const Tensor& x) { return binary_cross_entropy(x, file("bce_with_logits/targets")); });
        agree_loss(file, "huber", "src",
                   [&](const Tensor& x) { return huber_loss(x, file("huber/target"), {.delta = 0.75f}); });
        agree_loss(file, "mse", "src", [&](const Tensor& x) { return mse_loss(x, file("mse/target")); });
        agree_loss(file, "l1", "src", [&](const Tensor& x) { return l1_loss(x, file("l1/target")); });
        agree_loss(file, "triplet", "embeddings", [&](const Tensor& x) {
            return triplet_loss(x, file("triplet/classes"), {.margin = 0.5f, .anchor_class = 0});
        });
    });
}
