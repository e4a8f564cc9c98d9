#include <filesystem>
#include <map>
#include <optional>
#include <span>

#include "cli.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/data/clip.hpp"
#include "liven/data/sheet.hpp"
#include "liven/io/json.hpp"
#include "liven/nn/session.hpp"
#include "liven/train/cue_picture.hpp"
#include "liven/train/evaluate.hpp"
#include "liven/train/model_file.hpp"
#include "samples.hpp"
#include "src/core/writing.hpp"

namespace liven::cli {
namespace {

/// The mean over all samples.
double score_of(const data::Dataset& set, const data::Preprocess& preprocess, InferenceSession& session,
                const Objective& objective) {
    data::Loader loader(set, {.batch = 1, .preprocess = preprocess, .shuffle = false, .pixels = true, .threads = 0});
    double total = 0;
    for (const data::Batch& batch : loader)
        total += objective.score(session.run(
            std::span<const uint8_t>(batch.images.as<const uint8_t>(), static_cast<size_t>(batch.shape().count()))));
    if (!loader.broken().empty()) throw Error("predict", loader.broken()[0].reason);
    return total / static_cast<double>(set.size());
}

/// Pictures of cue maps, each under the name of its own.
class CueFolder {
public:
    CueFolder(std::filesystem::path folder, LoadedModel& model) : folder_(std::move(folder)), painter_(model) {
        make_folders(folder_);
    }
    /// Of a video, its first frame. Two pictures of one name from different folders do not overwrite each other.
    void write(const std::filesystem::path& picture, const data::Image& frame) {
        const std::string stem = picture.stem().string();
        const int before = names_[stem]++;
        const std::string number = before == 0 ? "" : "-" + std::to_string(before + 1);
        data::write(data::beside(frame, painter_(frame)), folder_ / (stem + number + ".cue.png"));
    }

private:
    std::filesystem::path folder_;
    CuePainter painter_;
    std::map<std::string, int> names_;
};

}  // namespace

void add_predict_command(CLI::App& app) {
    struct Options {
        std::string model;
        std::vector<std::string> images;
        InferenceSession::Options session;
        int64_t clips = 3;
        std::string cues;
        bool json = false;
    };
    auto o = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("predict", "score pictures and videos: higher means more bona fide");
    command->add_option("model", o->model, "model file")->required();
    command->add_option("images", o->images, "picture files, video files, folders of frames")->required();
    command->add_option("--clips", o->clips, "of a video: clips, or frames for a model of pictures, whose mean counts")
        ->check(CLI::Range(1, 10000));
    command->add_option(
        "--cues", o->cues,
        "folder for pictures of where a score comes from: NAME.cue.png, the face beside its cue map (lgsc)");
    add_dtype_option(*command, o->session.dtype);
    add_dense_weights_option(*command, o->session.dense_weights);
    command->add_flag("--json", o->json, "one JSON object a line");
    command->footer("Example: liven predict runs/first/model.safetensors face.jpg --json");
    command->callback([o] {
        LoadedModel loaded = load_model(o->model);
        const data::Preprocess& preprocess = loaded.info.preprocess;
        InferenceSession::Options options = o->session;
        options.pixels = pixel_scale(preprocess);
        InferenceSession session = open_session(loaded, options);
        const auto objective = loaded.model->objective();
        std::optional<CueFolder> cues;
        if (!o->cues.empty()) cues.emplace(o->cues, loaded);
        const double threshold = loaded.info.threshold.value;
        bool failed = false;
        for (const std::string& path : o->images) {
            try {
                const data::Dataset samples = samples_of_file(path, o->clips, loaded.info);
                const double value = score_of(samples, preprocess, session, *objective);
                if (cues) cues->write(path, preprocess.frame(data::picture_of(samples.samples[0])));
                const std::string& label = loaded.info.classes[value >= threshold ? 0 : 1];
                if (o->json)
                    print(Json::object({{"path", path}, {"score", value}, {"label", label}, {"threshold", threshold}})
                              .str());
                else
                    print(std::string(path)
                              .append("   ")
                              .append(label)
                              .append("   score ")
                              .append(std::to_string(value), 0, 6)
                              .append("   threshold ")
                              .append(std::to_string(threshold), 0, 6));
            } catch (const Error& error) {
                log_error(error.what());
                failed = true;
            }
        }
        if (failed) throw CLI::RuntimeError(1);
    });
}

}  // namespace liven::cli
