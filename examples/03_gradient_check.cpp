// Is a gradient right? Compare it with finite differences in double.
#include <liven/graph/gradcheck.hpp>
#include <liven/ops/activation.hpp>
#include <liven/ops/linear.hpp>
#include <liven/ops/softmax.hpp>

#include "expect.hpp"

using namespace liven;

int main() {
    const Tensor x = Tensor::from({0.3f, -0.7f, 1.1f, 0.2f, 0.9f, -0.4f}, {2, 3});
    const Tensor w = Tensor::from({0.5f, -0.2f, 0.1f, 0.8f, -0.6f, 0.4f}, {3, 2});

    // A function of several tensors; its result may have any shape.
    const auto layer = [](const TensorList& in) { return log_softmax(gelu(matmul(in[0], in[1]))); };

    const auto report = gradcheck(layer, {x, w});
    std::printf("%s\n", report.text.c_str());
    expect("the gradients of x and w agree (1: yes)", report.ok ? 1.0f : 0.0f, 1);

    const auto second = gradcheck(layer, {x, w}, {.order = 2});
    std::printf("%s\n", second.text.c_str());
    expect("and so do the gradients of the gradients", second.ok ? 1.0f : 0.0f, 1);
}
