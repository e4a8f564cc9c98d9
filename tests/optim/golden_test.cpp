#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "liven/ops/arithmetic.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/optim/optimizer.hpp"
#include "tests/golden/golden_file.hpp"

using namespace liven;

namespace {

/// Relative, per step: five steps in float32, each rounding a handful of times.
constexpr double kTolerance = 2e-6;

/// A loss whose gradient for p is g.
Tensor with_gradient(const Tensor& p, const Tensor& g) { return sum(p * g); }

template <class Optim>
void follow(const std::string& name, const typename Optim::Options& options) {
    const golden::File file("ops_optimiser.npz");
    const Tensor gradients_of_all_steps = file("all/gradients"), path = file(name + "/path");
    Parameter p("p", file("all/start"));
    Optim optimizer({&p, 1}, options);
    const int64_t width = p.shape().count();
    for (int64_t t = 0; t < path.shape()[0]; ++t) {
        const auto row = [&](const Tensor& rows) {
            return Tensor::from(rows.data<float>().subspan(static_cast<size_t>(t * width), static_cast<size_t>(width)),
                                p.shape());
        };
        const Tensor g = row(gradients_of_all_steps);
        optimizer.step(gradients(with_gradient(p, g), std::span<const Parameter>(&p, 1)));
        INFO(name << " step " << t);
        CHECK(golden::distance(p.tensor(), row(path)) < kTolerance);
    }
    CHECK(optimizer.steps() == path.shape()[0]);
    CHECK(optimizer.skipped() == 0);
}

Sgd::Options sgd(float momentum, bool nesterov, float weight_decay = 0) {
    Sgd::Options options;
    options.learning_rate = 0.1f;
    options.momentum = momentum;
    options.nesterov = nesterov;
    options.weight_decay = weight_decay;
    return options;
}

Adam::Options adam(Adam::Convention convention, float weight_decay = 0, bool decoupled = false) {
    Adam::Options options;
    options.learning_rate = 0.01f;
    options.epsilon = 1e-4f;
    options.convention = convention;
    options.weight_decay = weight_decay;
    options.decoupled = decoupled;
    return options;
}

/// One step of plain SGD at rate 1 from 0: minus the clipped gradients.
void check_clipping(const std::string& name) {
    const golden::File file("ops_optimiser.npz");
    std::vector<Parameter> parameters;
    TensorList given;
    for (int i = 0; i < 3; ++i) {
        given.push_back(file(name + "/gradient" + std::to_string(i)));
        parameters.emplace_back("p" + std::to_string(i), Tensor::zeros(given.back().shape()));
    }
    Sgd::Options options;
    options.learning_rate = 1;
    options.clip_norm = file.number(name + "/limit");
    Sgd optimizer(parameters, options);
    {
        Tensor loss = with_gradient(parameters[0], given[0]);
        for (size_t i = 1; i < 3; ++i) loss = loss + with_gradient(parameters[i], given[i]);
        optimizer.step(gradients(loss, parameters));
    }
    CHECK(optimizer.gradient_norm() == Approx(file.number(name + "/norm")).epsilon(1e-6));
    for (size_t i = 0; i < 3; ++i) {
        const Tensor expected = file(name + "/pytorch" + std::to_string(i));
        CHECK(golden::distance(-parameters[i].tensor(), expected) < kTolerance);
    }
}

}  // namespace

TEST_CASE("SGD walks PyTorch's path") {
    follow<Sgd>("sgd", sgd(0, false));
    follow<Sgd>("sgd_momentum", sgd(0.9f, false));
    follow<Sgd>("sgd_nesterov", sgd(0.9f, true));
    follow<Sgd>("sgd_nesterov_l2", sgd(0.9f, true, 0.01f));
    follow<Sgd>("sgd_nesterov_keras", sgd(0.9f, true));
}

TEST_CASE("Adam walks PyTorch's path, and Keras' by its convention") {
    follow<Adam>("adam_pytorch", adam(Adam::Convention::pytorch));
    follow<Adam>("adam_pytorch_l2", adam(Adam::Convention::pytorch, 0.05f));
    follow<Adam>("adamw_pytorch", adam(Adam::Convention::pytorch, 0.05f, true));
    follow<Adam>("adam_keras", adam(Adam::Convention::keras));
    follow<Adam>("adamw_keras", adam(Adam::Convention::keras, 0.05f, true));
}

TEST_CASE("Clipping by norm scales all gradients alike, and only when they are too long") {
    check_clipping("clip_by_norm_active");
    check_clipping("clip_by_norm_idle");
}
