// Is this a live face? example_10_predict MODEL.safetensors PHOTO.jpg; without arguments it makes both itself.
#include <cstdlib>
#include <filesystem>
#include <liven/data/synthesize.hpp>
#include <liven/models/livenessnet.hpp>
#include <liven/nn/session.hpp>
#include <liven/train/evaluate.hpp>
#include <liven/train/model_file.hpp>
#include <memory>

#include "expect.hpp"

using namespace liven;

namespace {

/// A tiny model whose weights are as they were made: it has learnt nothing, and its score is that of a coin.
void write_model(const std::string& path) {
    LivenessNet model;
    model.seed(1);
    model.build({1, 32, 32, 3});
    ModelFileInfo info;
    info.model = "livenessnet";
    info.input = {32, 32, 3};
    info.preprocess.width = info.preprocess.height = 32;
    save_model(path, model, info);
}

void write_picture(const std::string& path) {
    const data::Image face = data::synthesize_frame({.size = 128}, 0, 0, 0);
    data::write(face, path);
}

}  // namespace

int main(int argc, char** argv) try {
    std::string folder = (std::filesystem::temp_directory_path() / "liven-example-XXXXXX").string();
    std::string model_path, picture_path;
    if (argc == 3) {
        model_path = argv[1];
        picture_path = argv[2];
    } else {
        if (!::mkdtemp(folder.data())) return 1;
        write_model(model_path = folder + "/model.safetensors");
        write_picture(picture_path = folder + "/face.png");
        std::printf("no arguments: an untrained model looks at a drawn face; expected is a score near one half\n");
    }

    // 1. The file says which network it is and how a picture becomes its input; loading checks that it still computes
    //    what it computed when it was written.
    LoadedModel loaded = load_model(model_path);
    const ModelFileInfo& info = loaded.info;
    std::printf("model       %s for %s, threshold %.3f (%s)\n", info.model.c_str(), info.input.str().c_str(),
                info.threshold.value, info.threshold.rule.c_str());

    // 2. Decode: a file that is no picture, or a damaged one, is an error here.
    const data::Image picture = data::decode(picture_path);
    std::printf("picture     %d x %d\n", picture.width, picture.height);

    // 3. Preprocess as in training: resize, order of colours, scale.
    const std::vector<float> pixels = info.preprocess(picture);

    // 4. Score: of a classifier the probability of bona fide, of others what their objective says. Live when it reaches
    // the threshold. A session runs the compiled network:
    // for the next picture only session.run() is called again.
    InferenceSession session(*loaded.model, info.input);
    const double score = loaded.model->objective()->score(session.run(pixels));
    std::printf("score       %.4f, so %s\n", score, info.classes[score >= info.threshold.value ? 0 : 1].c_str());
    if (argc == 3) return 0;
    expect("an untrained model is undecided", static_cast<float>(score), 0.5f, 0.35f);
    std::filesystem::remove_all(folder);
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
