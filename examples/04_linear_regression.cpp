// Fit y = 3 x - 2 by gradient descent: the smallest training loop there is.
#include <liven/core/philox.hpp>
#include <liven/ops/arithmetic.hpp>
#include <liven/ops/linear.hpp>
#include <liven/ops/reduce.hpp>
#include <liven/optim/optimizer.hpp>
#include <vector>

#include "expect.hpp"

using namespace liven;

int main() {
    // 64 points on the line, with a little noise.
    Random random(7);
    std::vector<float> inputs, targets;
    for (int i = 0; i < 64; ++i) {
        inputs.push_back(random.uniform(-1, 1));
        targets.push_back(3 * inputs.back() - 2 + 0.01f * random.normal());
    }
    const Tensor x = Tensor::from(std::span<const float>(inputs), {64, 1});
    const Tensor y = Tensor::from(std::span<const float>(targets), {64, 1});

    // Parameters are states: named tensors that only a step changes.
    const std::vector<Parameter> parameters{Parameter("weight", Tensor::zeros({1, 1})),
                                            Parameter("bias", Tensor::zeros({1}))};
    Sgd sgd(parameters, {.learning_rate = 0.2f});

    for (int step = 0; step <= 100; ++step) {
        const Tensor prediction = dense(x, parameters[0].tensor(), parameters[1].tensor());
        const Tensor loss = mean(square(prediction - y));
        sgd.step(gradients(loss, parameters));  // forward, backward and update, computed here as one plan
        if (step % 20 == 0) std::printf("step %3d   loss %.6f\n", step, static_cast<double>(loss.item()));
    }
    expect("weight", parameters[0].tensor().item(), 3, 0.02f);
    expect("bias", parameters[1].tensor().item(), -2, 0.02f);
}
