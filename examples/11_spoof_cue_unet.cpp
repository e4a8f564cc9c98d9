// A U-Net that draws what is wrong with a face: LGSC, from its taps to its losses, and a few steps of training.
#include <liven/data/preprocess.hpp>
#include <liven/data/synthesize.hpp>
#include <liven/models/lgsc.hpp>
#include <liven/models/summary.hpp>
#include <liven/optim/optimizer.hpp>
#include <vector>

#include "expect.hpp"

using namespace liven;

namespace {

void show(const char* name, const Tensor& x, const char* what) {
    std::printf("  %-4s %-14s %s\n", name, x.shape().str().c_str(), what);
}

struct Faces {
    Tensor images, labels;  // N x 32 x 32 x 3, and N classes: 0 bona fide, 1 attack
};

/// A live recording and an attack of each of some drawn people: half and half, as LGSC wants its batches.
Faces faces_of(int subjects) {
    const data::SynthesisOptions set{.subjects = subjects, .size = 32, .difficulty = data::Difficulty::easy};
    const data::Preprocess preprocess{.width = 32, .height = 32, .interpolation = data::Interpolation::area};
    std::vector<float> pixels;
    std::vector<int32_t> labels;
    for (int subject = 0; subject < subjects; ++subject)
        for (const int32_t label : {0, 1}) {
            const int video = label == 0 ? 0 : set.bonafide_videos;
            const auto image = preprocess(data::synthesize_frame(set, subject, video, 0));
            pixels.insert(pixels.end(), image.begin(), image.end());
            labels.push_back(label);
        }
    const auto count = static_cast<int64_t>(labels.size());
    return {Tensor::from(std::span<const float>(pixels), {count, 32, 32, 3}),
            Tensor::from(std::span<const int32_t>(labels), {count})};
}

}  // namespace

int main() {
    // 1. The figure. Nothing is computed: operations record shapes, and only a number that is read makes work.
    Lgsc model;
    model.outline({1, 224, 224, 3});
    const Lgsc::Outputs at = model.outputs(Tensor::zeros({1, 224, 224, 3}));
    std::printf("The encoder is a ResNet-18 without its classifier; E1 to E5 are what it sees at five sizes.\n");
    show("E5", at.features[0], "the smallest map: a face in 7 x 7 places");
    std::printf("A step of the decoder: twice the size, E4 ... E1 beside it, two residual blocks, a projection.\n");
    show("D1", at.features[1], "with E4, 14 x 14 x 256");
    show("D2", at.features[2], "with E3, 28 x 28 x 128");
    show("D3", at.features[3], "with E2, 56 x 56 x 64");
    show("D4", at.features[4], "with E1, 112 x 112 x 64");
    show("cue", at.cue, "tanh of the last step: -1 to 1 for every pixel and colour");
    show("", at.logits, "what a second ResNet-18 says of image + cue, in training only");

    // 2. It counts as published.
    const ModelSummary whole = summarize(model, "lgsc", {224, 224, 3});
    Lgsc generator(Lgsc::deployed({}));
    generator.outline({1, 224, 224, 3});
    const ModelSummary deployed = summarize(generator, "lgsc", {224, 224, 3});
    expect("parameters of the U-Net, in millions", static_cast<float>(deployed.trainable) * 1e-6f, 16.322583f);
    expect("with the auxiliary classifier", static_cast<float>(whole.trainable) * 1e-6f, 27.500121f);

    // 3. Three losses. A live face has nothing to show: its cue is pulled to zero. What an attack's cue looks like
    // nobody says; the classifier sees it added to the picture, and the triplets keep live faces together and attacks
    // away.
    Lgsc small({.depth = 2, .dropout = 0});  // two steps are enough for 32 x 32 pixels
    const Faces faces = faces_of(4);
    const auto objective = small.objective();
    const ObjectivePass pass = objective->pass(faces.images, faces.labels);
    float sum = 0;
    for (const LossTerm& term : pass.terms) {
        std::printf("  %-16s %8.4f   times %.0f\n", term.name.c_str(), static_cast<double>(term.value.item()),
                    static_cast<double>(term.weight));
        sum += term.weight * term.value.item();
    }
    expect("the loss is their weighted sum", pass.loss().item(), sum, 1e-4f);

    // 4. The score of a face is 1 - mean |cue|: near 1 where nothing was drawn.
    const auto cue = pass.output.to_vector();
    const size_t each = cue.size() / 8;
    std::printf("  %s of the first face: %.4f\n", std::string(objective->score_name()).c_str(),
                objective->score(std::span<const float>(cue).first(each)));

    // 5. Ten steps of Adam on these eight faces. The classifier learns at once; cues take long to vanish, because
    // instance-norm gives every channel the same deviation in every picture, and only its gamma can make that small.
    Adam adam(small.parameters(), {.learning_rate = 5e-3f});
    float first = 0, last = 0;
    for (int step = 0; step < 10; ++step) {
        const ObjectivePass now = objective->pass(faces.images, faces.labels);
        const Tensor loss = now.loss(),
                     live_cue = now.terms[1].value;  // read after the step: nothing is computed twice
        adam.step(gradients(loss, small.parameters()));
        if (step == 0) first = loss.item();
        last = loss.item();
        std::printf("  step %2d   loss %7.4f   mean |cue| of live faces %.4f\n", step + 1, static_cast<double>(last),
                    static_cast<double>(live_cue.item()));
    }
    expect_above("the loss has fallen by", static_cast<double>(first - last), 1);
    return 0;
}
