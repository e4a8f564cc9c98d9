// One phase of AttackNet V2.2 step by step: what each of its ten steps does to the shape, and why it is there.
#include <liven/core/philox.hpp>
#include <liven/models/attacknet.hpp>
#include <string>
#include <vector>

#include "expect.hpp"

using namespace liven;

namespace {

/// The phase as the model has it, alone.
class OnePhase : public Module {
    AttackPhase phase{*this, "1", 16, AttackPhase::Join::add, AttackNetOptions{}};
    Tensor forward(Tensor x) override { return phase(x); }
};

Tensor state(Module& model, const std::string& name) {
    for (const State& each : model.states())
        if (each.name() == name) return each.tensor();
    std::printf("there is no %s\n", name.c_str());
    std::exit(1);
}

Tensor show(const char* step, const Tensor& x, const char* why) {
    std::printf("%-26s %-16s %s\n", step, x.shape().str().c_str(), why);
    return x;
}

float difference(const Tensor& a, const Tensor& b) {
    float largest = 0;
    for (size_t i = 0; i < a.data().size(); ++i) largest = std::max(largest, std::abs(a.data()[i] - b.data()[i]));
    return largest;
}

}  // namespace

int main() {
    Random random(1);
    std::vector<float> pixels(2 * 64 * 64 * 3);
    for (float& pixel : pixels) pixel = random.uniform();
    const Tensor images = Tensor::from(std::span<const float>(pixels), {2, 64, 64, 3});

    OnePhase model;
    model.build(images.shape());
    model.eval();  // dropout passes everything on; batch-norm uses its running statistics
    const NoGrad no_grad;

    const auto convolve = [&](const Tensor& x, const std::string& name) {
        return conv2d(x, state(model, name + "/kernel"), {.padding = symmetric(1)}) + state(model, name + "/bias");
    };
    const auto normalise = [&](const Tensor& x, const std::string& name) {
        return batch_norm_inference(x, state(model, name + "/gamma"), state(model, name + "/beta"),
                                    state(model, name + "/moving_mean"), state(model, name + "/moving_variance"));
    };
    std::printf("expected: 3 channels become 16, and after the pool half the height and width\n\n");
    const Tensor x = show("images", images, "rows x columns x colours of two pictures");
    const Tensor y = show("y = conv1_1(x)", convolve(x, "conv1_1"), "16 filters of 3 x 3; y is the shortcut");
    const Tensor a = show("leaky_relu", leaky_relu(y, 0.2f), "negative values keep a fifth: no unit dies");
    const Tensor n = show("bn1_1", normalise(a, "bn1_1"), "each channel to mean 0, variance 1");
    const Tensor b = show("conv1_2", convolve(n, "conv1_2"), "sees 5 x 5 pixels of the image by now");
    const Tensor c = show("leaky_relu", leaky_relu(b, 0.2f), "");
    const Tensor d = show("z = leaky_relu(conv1_3)", leaky_relu(convolve(c, "conv1_3"), 0.2f), "7 x 7 pixels");
    const Tensor s = show("y + z", y + d, "the detour adds to y; V1 and V2.1 would concatenate: 32");
    const Tensor f = show("bn1_final", normalise(s, "bn1_final"), "");
    const Tensor p = show("max_pool", max_pool(f), "the strongest of each 2 x 2: a little shift matters less");
    std::printf("%-26s %-16s %s\n\n", "dropout", p.shape().str().c_str(), "in training, half of `dropout` is set to 0");

    expect("largest difference to the model's phase", difference(model(images), p), 0, 1e-5f);
    int64_t count = 0;
    for (const State& each : model.states()) count += each.shape().count();
    expect("numbers in the phase's states", static_cast<float>(count), 448 + 64 + 2320 + 2320 + 64);
}
