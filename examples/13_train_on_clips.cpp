// Training on clips: videos are drawn, cut into clips of three frames, and a small recurrent network learns from what
// moves between them. A print held before the camera moves as a whole; a face blinks, turns and speaks.
#include <cstdlib>
#include <filesystem>
#include <liven/data/clip.hpp>
#include <liven/data/loader.hpp>
#include <liven/data/synthesize.hpp>
#include <liven/nn/gru_layer.hpp>
#include <liven/nn/layers.hpp>
#include <liven/nn/pool_layers.hpp>
#include <liven/ops/loss.hpp>
#include <liven/ops/shape.hpp>
#include <liven/optim/optimizer.hpp>
#include <vector>

#include "expect.hpp"

using namespace liven;

namespace {

/// Each frame by itself to a descriptor, all descriptors of a clip in order to a recurrent layer, its last state to two
/// classes. `resnet50-gru` is the same with a larger first part.
class SmallClipNet : public Module {
protected:
    Tensor forward(Tensor x) override {  // N x T x H x W x 3
        const Shape clip = x.shape();
        x = reshape(x, {clip[0] * clip[1], clip[2], clip[3], clip[4]});  // every frame is a picture
        x = pool1(relu(conv1(x)));                                       // NT x H/2 x W/2 x 16
        x = average(relu(conv2(x)));                                     // NT x 32
        x = gru(reshape(x, {clip[0], clip[1], x.shape()[1]}));           // N x 16
        return output(x);                                                // N x 2 logits
    }

private:
    Conv2d conv1{*this, "conv1", {.filters = 16}};
    MaxPool2d pool1{*this, "pool1"};
    Conv2d conv2{*this, "conv2", {.filters = 32, .stride = 2}};
    GlobalAvgPool average{*this, "average"};
    Gru gru{*this, "gru", {.units = 16}};
    Dense output{*this, "output", {.units = 2}};
};

}  // namespace

int main() {
    std::string folder = (std::filesystem::temp_directory_path() / "liven-example-XXXXXX").string();
    if (!::mkdtemp(folder.data())) return 1;

    // An AVI file a video; the manifest divides them by person.
    const data::Dataset videos = data::synthesize(folder + "/videos", {.subjects = 16,
                                                                       .bonafide_videos = 1,
                                                                       .attack_videos = 1,
                                                                       .frames = 10,
                                                                       .size = 32,
                                                                       .difficulty = data::Difficulty::easy,
                                                                       .video = true});
    // Two clips a video, of frames three apart. What is too short or cannot be read would be named in `skipped`.
    const data::Dataset clips =
        data::clips_of(videos.only(data::Split::train), {.frames = 3, .stride = 3, .per_video = 2});
    std::printf("%lld clips of %lld videos, %zu left out\n", static_cast<long long>(clips.size()),
                static_cast<long long>(videos.size()), clips.skipped.size());

    data::LoaderOptions options{.batch = 8};
    options.preprocess.width = options.preprocess.height = 32;
    options.augmentation = data::Augmentation::paper_w();  // one draw for all frames of a clip
    options.balanced = true;
    data::Loader loader(clips, options);
    loader.normalize(loader.moments());  // zero mean and unit deviation over the training frames

    SmallClipNet model;
    model.build({8, 3, 32, 32, 3});
    Adam adam(model.parameters(), {.learning_rate = 3e-3f});
    double first = 0, last = 0;
    for (int epoch = 0; epoch < 8; ++epoch) {
        double sum = 0;
        int64_t batches = 0;
        for (const data::Batch& batch : loader) {
            const Tensor logits = model(Tensor::share(batch.images, batch.shape()));
            const Tensor loss = cross_entropy(logits, Tensor::share(batch.labels, {batch.count}, DType::i32));
            adam.step(gradients(loss, model.parameters()));
            sum += static_cast<double>(loss.item());
            ++batches;
        }
        last = sum / static_cast<double>(batches);
        if (epoch == 0) first = last;
        std::printf("epoch %d   loss %.3f\n", epoch + 1, last);
    }
    expect_above("the loss has fallen by", first - last, 0.02);
    std::filesystem::remove_all(folder);
}
