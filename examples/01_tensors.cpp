// Tensors record, and compute when somebody asks for a number.
#include <liven/graph/engine.hpp>
#include <liven/ops/activation.hpp>
#include <liven/ops/reduce.hpp>

#include "expect.hpp"

using namespace liven;

int main() {
    // Shapes are written rows x columns; images are N x H x W x C.
    const Tensor a = Tensor::from({1, -2, 3, -4, 5, -6}, {2, 3});
    const Tensor scale = Tensor::from({10, 20, 30}, {3});  // one number a column: it stretches over the rows

    // Nothing is computed here. Each line makes a node that knows its shape.
    const Tensor b = relu(a * scale);
    const Tensor total = sum(b);
    std::printf("b is %s, total is a %s, and the engine has run %lld plans\n", b.shape().str().c_str(),
                total.shape().str().c_str(), static_cast<long long>(Engine::current().statistics().runs));

    // Asking for a number makes a plan for what is needed and runs it: the product, relu and sum are one pass over
    // memory.
    expect("total = relu(a * scale) summed", total.item(), 10 + 90 + 100);
    expect("b[0, 2]", b.data()[2], 90);

    // The same structure again runs the same plan.
    const int64_t plans = Engine::current().statistics().plans_made;
    const Tensor other = sum(relu(Tensor::from({1, 1, 1, 1, 1, 1}, {2, 3}) * scale));
    expect("the same with ones", other.item(), 120);
    expect("plans made for it", static_cast<float>(Engine::current().statistics().plans_made - plans), 0);

    // A wrong shape is an error at the line that makes it.
    try {
        const Tensor wrong = a * Tensor::from({1, 2}, {2});
    } catch (const std::exception& error) {
        std::printf("as expected: %s\n", error.what());
        return 0;
    }
    return 1;
}
