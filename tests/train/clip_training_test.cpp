#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "liven/core/log.hpp"
#include "liven/data/clip.hpp"
#include "liven/data/synthesize.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/io/safetensors.hpp"
#include "liven/models/registry.hpp"
#include "liven/train/evaluate.hpp"
#include "liven/train/model_file.hpp"
#include "liven/train/pretrained.hpp"
#include "liven/train/recipe.hpp"
#include "liven/train/trainer.hpp"
#include "src/train/feature_cache.hpp"
#include "src/train/training_data.hpp"
#include "tests/temporary.hpp"

using namespace liven;
namespace fs = std::filesystem;

namespace {

/// Keeps what a training says instead of printing it.
struct Listening {
    std::string text;
    Listening() {
        set_log_sink([this](LogLevel, std::string_view line) { text.append(line).append("\n"); });
    }
    ~Listening() { set_log_sink({}); }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;
    bool said(const std::string& words) const { return text.find(words) != std::string::npos; }
};

/// Twelve videos of six people; one of them is no video.
struct Videos {
    Listening log;
    TemporaryFolder folder;
    std::string set = (folder / "set").string();

    Videos() {
        const data::Dataset made = data::synthesize(
            set, {.subjects = 6, .bonafide_videos = 1, .attack_videos = 1, .frames = 6, .size = 32, .video = true});
        for (const data::Sample& sample : made.samples)
            if (sample.split == data::Split::train) {
                std::ofstream(sample.path) << "no video";
                broken = sample.path.filename().string();
                break;
            }
    }
    TrainSettings settings(const char* train_from) const {
        TrainSettings s = settings_of("resnet50-gru");
        s.data = set;
        s.size = 32;
        s.frames = 3;
        s.clips_per_video = 2;
        s.epochs = 2;
        s.batch = 2;
        s.checkpoint_every = 1;
        s.model_options["train_from"] = train_from;
        s.model_options["units"] = s.model_options["hidden"] = "8";
        return s;
    }
    /// The model file of a training that is stopped after update `stop` (0: never) and resumed.
    std::string train(const TrainSettings& settings, const char* name, int64_t stop) {
        const fs::path run = folder / name;
        try {
            Trainer trainer(settings, run);
            trainer.add(each_step([&](Training& training, const StepReport&) {
                if (training.progress.step == stop) Trainer::request_stop();
            }));
            trainer.train();
        } catch (const Interrupted&) {
            Trainer::resume(run).train();
        }
        return contents_of(run / "model.safetensors");
    }
    std::string broken;
};

/// A ResNet-50 as it starts from another seed than the trainings', under Liven's names.
void write_backbone(const fs::path& path) {
    const auto network = make_model("resnet50");
    network->seed(99);
    network->build({1, 32, 32, 3});
    NamedTensors tensors;
    for (const State& state : network->states())
        tensors.emplace(std::string(state.name()), HostTensor(state.shape(), state.tensor().data<float>()));
    write_safetensors(path, tensors);
}

}  // namespace

TEST_CASE("A frozen backbone describes each frame once, and a resumed training ends with the same bytes", "[slow]") {
    Videos videos;
    TrainSettings settings = videos.settings("gru");
    settings.augmentation = "none";
    const std::string whole = videos.train(settings, "whole", 0);
    CHECK(videos.log.said("skipped " + videos.set));
    CHECK(videos.log.said(videos.broken));
    CHECK(videos.log.said("starts random"));
    CHECK(videos.log.said(" val, of 3 frames each"));
    const fs::path features = videos.folder / "whole" / "features";
    CHECK(std::distance(fs::directory_iterator(features), fs::directory_iterator()) == 2);  // training and validation
    CHECK(!whole.empty());
    CHECK(videos.train(settings, "stopped", 3) == whole);
    // Descriptors that lie there are taken, whoever computed them.
    settings.feature_cache = features.string();
    const fs::file_time_type before = fs::last_write_time(features);
    videos.train(settings, "again", 0);
    CHECK(fs::last_write_time(features) == before);

    const LoadedModel loaded = load_model(videos.folder / "whole" / "model.safetensors");
    CHECK(loaded.info.input == Shape{3, 32, 32, 3});
    CHECK(loaded.info.preprocess.std[0] != 1.0f);  // z-score, since there are no pretrained weights
    CHECK(loaded.info.clip_stride == 1);
    CHECK(read_json_lines(videos.folder / "whole" / "log.jsonl").size() == 2);
}

TEST_CASE("Stopped before its frames are described, a training goes on with its pretrained backbone", "[slow]") {
    Videos videos;
    TrainSettings settings = videos.settings("gru");
    settings.pretrained = (videos.folder / "backbone.safetensors").string();
    settings.augmentation = "none";
    write_backbone(settings.pretrained);
    resolve_pretrained(settings);
    const std::string whole = videos.train(settings, "whole", 0);
    {
        Trainer trainer(settings, videos.folder / "stopped");
        Trainer::request_stop();
        CHECK_THROWS_AS(trainer.train(), Interrupted);
    }
    CHECK_FALSE(fs::exists(videos.folder / "stopped" / "log.jsonl"));
    // Without a checkpoint the weights are read again: others are not taken for them.
    const auto time = fs::last_write_time(settings.pretrained);
    fs::last_write_time(settings.pretrained, time + std::chrono::seconds(1));
    CHECK_THROWS_WITH(Trainer::resume(videos.folder / "stopped"),
                      Catch::Contains("no longer the one that this run began with"));
    fs::last_write_time(settings.pretrained, time);
    Trainer::resume(videos.folder / "stopped").train();
    CHECK(videos.log.said("no checkpoint yet"));
    CHECK(contents_of(videos.folder / "stopped" / "model.safetensors") == whole);
}

TEST_CASE("Descriptors that were written when it was stopped are not computed again, and are those of one go",
          "[slow]") {
    Videos videos;
    const TrainSettings settings = videos.settings("gru");
    const auto model = make_model(settings.model, settings.model_options);
    model->build(batched(1, settings.input()));
    auto* encoder = dynamic_cast<FrameEncoder*>(model.get());
    REQUIRE(encoder);
    const data::Dataset clips = samples_of(data::open_dataset(videos.set), settings);
    data::Loader pictures = evaluation_loader(clips, settings.preprocess(), 2);
    pictures.prepare();
    const Shape sample{settings.frames, 2048};
    const auto describe = [&](const char* folder, int64_t batches) {
        return describe_frames(*model, *encoder, pictures,
                               {.batch = 2, .sample = sample, .folder = videos.folder / folder, .stop = [&batches] {
                                    return batches-- == 0;
                                }});
    };
    const auto whole = describe("whole", -1);
    REQUIRE(whole);
    CHECK_FALSE(describe("parts", 3));
    CHECK_FALSE(describe("parts", 0));
    const auto parts = describe("parts", -1);
    REQUIRE(parts);
    CHECK(videos.log.said("going on after 6 of " + std::to_string(clips.size())));
    CHECK(parts->sample == whole->sample);
    const auto count = static_cast<size_t>(clips.size() * whole->sample.count());
    CHECK(std::equal(whole->values.as<float>(), whole->values.as<float>() + count, parts->values.as<float>()));
    const fs::path file = (*fs::directory_iterator(videos.folder / "parts")).path();
    const std::string written = contents_of((*fs::directory_iterator(videos.folder / "whole")).path());
    CHECK(contents_of(file) == written);
    // Rows of another shape than the encoder's, of a part and of all: begun anew.
    for (const int64_t rows : {int64_t{2}, clips.size()}) {
        const std::vector<float> few(static_cast<size_t>(rows * settings.frames * 5));
        write_safetensors(file, {{"features", HostTensor({rows, settings.frames, 5}, few)}});
        const auto anew = describe("parts", -1);
        REQUIRE(anew);
        CHECK(anew->sample == sample);
        CHECK(contents_of(file) == written);
    }
}

TEST_CASE("A backbone trained from its last stage on, with accumulation and augmentation, resumes to the same bytes",
          "[slow]") {
    Videos videos;
    TrainSettings settings = videos.settings("layer4");
    settings.augmentation = "paper-w";
    settings.normalization = "z-score";
    settings.accumulate = 2;
    settings.epochs = 1;
    const std::string whole = videos.train(settings, "whole", 0);
    CHECK_FALSE(fs::exists(videos.folder / "whole" / "features"));
    CHECK(videos.train(settings, "stopped", 1) == whole);
}

TEST_CASE("Clip models want clips and picture models pictures, and say so") {
    TrainSettings clips = settings_of("resnet50-gru"), pictures = settings_of("resnet18");
    clips.data = pictures.data = "faces";
    CHECK(clips.frames == 5);
    CHECK(clips.input() == Shape{5, 96, 96, 3});
    CHECK(pictures.input() == Shape{256, 256, 3});
    clips.frames = 0;
    pictures.frames = 5;
    CHECK_THROWS_WITH(clips.validate(), Catch::Contains("takes clips"));
    CHECK_THROWS_WITH(pictures.validate(), Catch::Contains("takes pictures"));
}

TEST_CASE("The clip recipe is the paper's: 32 clips of five frames an update") {
    const TrainSettings s = settings_of("resnet50-gru", "paper-w");
    CHECK(s.batch * s.accumulate == 32);
    CHECK(s.frames == 5);
    CHECK(s.clip_stride == 1);
    CHECK(s.size == 224);
    CHECK(s.epochs == 50);
    CHECK(s.learning_rate == 1e-4);
    CHECK(s.schedule == "cosine");
    CHECK(s.normalization == "z-score");
    CHECK(s.augment() == data::Augmentation::paper_w());
    CHECK(s.model_options.count("train_from") == 0);  // fine-tuned end to end
    for (const char* model : {"resnet18", "se-resnet18", "googlenet"}) {
        const TrainSettings a = settings_of(model, "paper-a");
        CHECK(a.epochs == 30);
        CHECK(a.size == 224);
        CHECK(a.balanced);
        CHECK(a.preprocess().mean[0] == 0.485f);
        CHECK(a.augment() == data::Augmentation::paper_a());
    }
}
