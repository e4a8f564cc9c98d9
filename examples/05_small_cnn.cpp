// A small convolutional network learns to tell drawn faces from pictures of drawn faces.
#include <algorithm>
#include <liven/data/preprocess.hpp>
#include <liven/data/synthesize.hpp>
#include <liven/nn/layers.hpp>
#include <liven/ops/loss.hpp>
#include <liven/optim/optimizer.hpp>
#include <vector>

#include "expect.hpp"

using namespace liven;

namespace {

struct Faces {
    Tensor images, labels;  // N x 32 x 32 x 3 of 0..1, and N classes: 0 bona fide, 1 attack
};

/// Every picture of some subjects: three recordings of the face, three attacks with it (print, replay, mask).
Faces faces_of(int first, int last) {
    const data::SynthesisOptions set{.subjects = last, .size = 32, .difficulty = data::Difficulty::easy};
    const data::Preprocess preprocess{.width = 32, .height = 32, .interpolation = data::Interpolation::area};
    std::vector<float> pixels;
    std::vector<int32_t> labels;
    for (int subject = first; subject < last; ++subject)
        for (int video = 0; video < 6; ++video) {
            const auto image = preprocess(data::synthesize_frame(set, subject, video, 0));
            pixels.insert(pixels.end(), image.begin(), image.end());
            labels.push_back(video < set.bonafide_videos ? 0 : 1);
        }
    const auto count = static_cast<int64_t>(labels.size());
    return {Tensor::from(std::span<const float>(pixels), {count, 32, 32, 3}),
            Tensor::from(std::span<const int32_t>(labels), {count})};
}

/// A network is its members and the order in which a picture goes through them. Layers learn their input's width.
class SmallCnn : public Module {
    Conv2d conv1{*this, "conv1", {.filters = 8}};
    BatchNorm bn1{*this, "bn1", {.momentum = 0.8f}};
    Conv2d conv2{*this, "conv2", {.filters = 16}};
    Dense output{*this, "output", {.units = 2}};

    Tensor forward(Tensor x) override {       // N x 32 x 32 x 3
        x = max_pool(bn1(relu(conv1(x))));    // N x 16 x 16 x 8
        x = max_pool(relu(conv2(x)));         // N x 8 x 8 x 16
        return output(flatten(max_pool(x)));  // N x 4 x 4 x 16, N x 256, N x 2 logits
    }
};

float accuracy(Module& model, const Faces& faces) {
    const NoGrad no_grad;
    model.eval();  // running statistics instead of the batch's
    const auto logits = model(faces.images).to_vector();
    const auto labels = faces.labels.data<int32_t>();
    int right = 0;
    for (size_t i = 0; i < labels.size(); ++i) right += (logits[2 * i + 1] > logits[2 * i]) == (labels[i] == 1) ? 1 : 0;
    model.train();
    return static_cast<float>(right) / static_cast<float>(labels.size());
}

}  // namespace

int main() {
    const Faces seen = faces_of(0, 16), unseen = faces_of(16, 24);
    SmallCnn model;
    model.seed(1);
    model.build(seen.images.shape());
    std::printf("expected: the loss falls, and subjects that were never seen are told apart too\n");

    Adam adam(model.parameters(), {.learning_rate = 3e-3f});
    for (int step = 0; step <= 40; ++step) {
        const Tensor loss = cross_entropy(model(seen.images), seen.labels);
        adam.step(gradients(loss, model.parameters()));
        if (step % 10 == 0) std::printf("step %2d   loss %.4f\n", step, static_cast<double>(loss.item()));
    }
    expect_above("accuracy on the 16 subjects trained on", accuracy(model, seen), 0.85);
    expect_above("accuracy on 8 others", accuracy(model, unseen), 0.65);
}
