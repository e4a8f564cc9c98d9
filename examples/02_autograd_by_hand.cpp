// The chain rule by hand, beside Liven's: one neuron, y = tanh(w x + b), loss = (y - t)^2.
#include <liven/ops/activation.hpp>

#include "expect.hpp"

using namespace liven;

int main() {
    const float x = 0.5f, w = 1.2f, b = -0.3f, t = 0.8f;

    // Forward, and then backward from the loss, each line one factor of the chain rule.
    const float z = w * x + b;
    const float y = std::tanh(z);
    const float loss = (y - t) * (y - t);
    const float d_y = 2 * (y - t);        // d loss / d y
    const float d_z = d_y * (1 - y * y);  // tanh' = 1 - tanh^2
    const float d_w = d_z * x;            // z = w x + b
    const float d_b = d_z;
    const float d_x = d_z * w;

    // The same with tensors. gradients() records a request; the rules of the operations are applied when the plan is
    // made.
    const Tensor tx = Tensor::from({x}, {}), tw = Tensor::from({w}, {}), tb = Tensor::from({b}, {});
    const Tensor tensor_loss = square(tanh(tw * tx + tb) - t);
    const Gradients g = gradients(tensor_loss, {tw, tb, tx});

    expect("loss", tensor_loss.item(), loss);
    expect("d loss / d w", g[0].item(), d_w);
    expect("d loss / d b", g[1].item(), d_b);
    expect("d loss / d x", g[2].item(), d_x);

    // A gradient is a tensor like any other, so it has gradients too: d^2 loss / d w^2.
    const float d_y_d_w = (1 - y * y) * x;
    const float second = 2 * d_y_d_w * d_y_d_w + d_y * (-2 * y * (1 - y * y)) * x * x;
    expect("d^2 loss / d w^2", gradients(g[0], {tw})[0].item(), second);
}
