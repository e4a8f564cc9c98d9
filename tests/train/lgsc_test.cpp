#include "liven/models/lgsc.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/data/synthesize.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/models/registry.hpp"
#include "liven/train/callbacks.hpp"
#include "liven/train/cue_picture.hpp"
#include "liven/train/model_file.hpp"
#include "liven/train/recipe.hpp"
#include "liven/train/trainer.hpp"
#include "tests/temporary.hpp"

using namespace liven;

namespace {

/// Four subjects at 32 x 32.
struct SmallFaces {
    TemporaryFolder folder;
    std::string set = (folder / "set").string();

    SmallFaces() {
        set_log_sink([](LogLevel, std::string_view) {});
        data::synthesize(set, {.subjects = 4, .frames = 1, .size = 32, .seed = 3});
    }
    ~SmallFaces() { set_log_sink({}); }
    SmallFaces(const SmallFaces&) = delete;
    SmallFaces& operator=(const SmallFaces&) = delete;

    TrainSettings settings() const {
        TrainSettings s = settings_of("lgsc");
        s.data = set;
        s.size = 32;
        s.epochs = 2;
        s.batch = 4;
        s.model_options["depth"] = "2";  // what is trained is enough to be LGSC, and quick
        return s;
    }
    std::filesystem::path run(const char* name) const { return folder / name; }
};

}  // namespace

TEST_CASE("LGSC trains, logs each of its losses, and leaves a model that scores by its cues", "[slow]") {
    const SmallFaces faces;
    const TrainResult result = Trainer(faces.settings(), faces.run("run")).train();
    const std::vector<Json> log = read_json_lines(faces.run("run") / "log.jsonl");
    REQUIRE(log.size() == 2);
    for (const Json& line : log) {
        double weighted = 0;
        for (const auto& [term, weight] :
             {std::pair{"classification", 0.1}, {"cue", 5.0}, {"attack_cue", 5.0}, {"score", 5.0}, {"triplet", 0.1}}) {
            weighted += weight * line.at(std::string("loss.") + term).number();
            CHECK(std::isfinite(line.at(std::string("val_loss.") + term).number()));
        }
        CHECK(line.at("loss").number() == Approx(weighted).epsilon(1e-5));  // float sums of five terms
        CHECK(line.at("val_acer.classifier").is_number());
        CHECK(line.at("accuracy").is_number());
    }
    LoadedModel loaded = load_model(result.model_file);  // the golden pair is a cue map
    CHECK(loaded.info.options.at("auxiliary") == "false");
    CHECK(loaded.info.score == "1 - mean |cue|");
    for (const State& state : loaded.model->states()) CHECK(state.name().rfind("auxiliary/", 0) != 0);
    CHECK(std::filesystem::exists(faces.run("run") / "cues.png"));
    CHECK(result.validation->log_loss.reason() == "the score is no probability");
    // What the file scores is what the trained model scored.
    const data::Dataset set = data::open_dataset(faces.set);
    data::Loader a = evaluation_loader(set, loaded.info.preprocess, 4),
                 b = evaluation_loader(set, loaded.info.preprocess, 3);
    CHECK(score(*loaded.model, a).scores.scores.size() == score(*loaded.model, b).scores.scores.size());
    const Scored scored = score(*loaded.model, a);
    CHECK_FALSE(scored.classifier);
    CHECK(std::isnan(scored.accuracy));
}

TEST_CASE("LGSC without its auxiliary classifier or triplets trains too", "[slow]") {
    const SmallFaces faces;
    TrainSettings settings = faces.settings();
    settings.epochs = 1;
    settings.model_options["auxiliary"] = "false";
    settings.model_options["triplet"] = "false";
    Trainer(settings, faces.run("run")).train();
    const Json line = read_json_lines(faces.run("run") / "log.jsonl").at(0);
    CHECK(line.at("accuracy").is_null());
    CHECK(line.find("val_acer.classifier") == nullptr);
    CHECK(line.find("loss.triplet") == nullptr);
    CHECK(line.at("loss.cue").number() > 0);
}

TEST_CASE("LGSC stopped within an epoch and resumed ends with the same bytes and the same log", "[slow]") {
    const SmallFaces faces;
    TrainSettings settings = faces.settings();
    Trainer(settings, faces.run("whole")).train();
    {
        Trainer trainer(settings, faces.run("stopped"));
        trainer.add(each_step([](Training& training, const StepReport&) {
            if (training.progress.step == 1) Trainer::request_stop();
        }));
        CHECK_THROWS_AS(trainer.train(), Interrupted);
    }
    Trainer::resume(faces.run("stopped")).train();
    CHECK(contents_of(faces.run("whole") / "model.safetensors") ==
          contents_of(faces.run("stopped") / "model.safetensors"));
    const Json a = read_json_lines(faces.run("whole") / "log.jsonl").at(0),
               b = read_json_lines(faces.run("stopped") / "log.jsonl").at(0);
    for (const char* key : {"loss", "loss.cue", "loss.triplet", "accuracy"})
        CHECK(a.at(key).number() == b.at(key).number());
}

TEST_CASE("The best epoch can be the one of least ACER; of equal ones the least loss decides") {
    EarlyStopping stopping(3, EarlyStopping::By::acer);
    const double nan = std::nan("");
    CHECK(stopping.improves(9, nan));  // something has to be the best
    const SmallFaces faces;
    Trainer trainer(faces.settings(), faces.run("run"));
    TrainProgress progress;
    const TrainSettings settings = faces.settings();
    Adam adam(trainer.model().parameters());
    Training training{settings, faces.folder.path(), trainer.model(), adam, progress};
    const auto epoch = [&](double loss, Measure acer) {
        stopping.on_epoch_end(training, {.validation_loss = loss, .validation_acer = std::move(acer)});
    };
    epoch(1.0, Measure::undefined("one class"));
    CHECK(stopping.improves(2, 0.5));
    epoch(2.0, 0.25);
    CHECK_FALSE(stopping.improves(1, 0.3));
    CHECK(stopping.improves(1.5, 0.25));
    CHECK_FALSE(stopping.improves(2.5, 0.25));
    CHECK_FALSE(stopping.improves(1, nan));
    EarlyStopping again(3, EarlyStopping::By::acer);
    again.restore(stopping.state());
    CHECK(again.improves(1.5, 0.25));
    CHECK_FALSE(again.improves(2.5, 0.25));
}

TEST_CASE("Rates drop at the epochs that are named, after warm-up") {
    const SmallFaces faces;
    TrainSettings settings = faces.settings();
    settings.epochs = 3;
    settings.balanced = false;
    settings.learning_rate = 1e-4;
    settings.warm_up = 2;
    settings.schedule = "milestones";
    settings.milestones = {1, 2};
    settings.milestone_factor = 0.3;
    std::vector<double> rates;
    int64_t last = 0;
    Trainer trainer(settings, faces.run("run"));
    trainer.add(each_step([&](Training&, const StepReport& report) {
        rates.push_back(static_cast<double>(report.learning_rate));
        last = report.last;
    }));
    trainer.train();
    const auto each = static_cast<size_t>(last + 1);
    REQUIRE(rates.size() == 3 * each);
    CHECK(rates[0] == Approx(0.5e-4));
    CHECK(rates[each - 1] == Approx(1e-4));
    CHECK(rates[each] == Approx(0.3e-4));
    CHECK(rates[2 * each] == Approx(0.09e-4));
    settings.milestones = {2, 2};
    CHECK_THROWS_WITH(settings.validate(), Catch::Contains("milestones"));
}

TEST_CASE("A model without a map has no cue pictures") {
    const auto classifier = make_model("livenessnet");
    ModelFileInfo info;
    info.input = {32, 32, 3};
    CHECK_THROWS_WITH(CuePainter(*classifier, info), Catch::Contains("LivenessNet"));
}

TEST_CASE("LGSC's recipes are those of its code and of the real-time paper") {
    const TrainSettings lgsc = settings_of("lgsc", "lgsc"), a = settings_of("lgsc", "paper-a");
    for (const TrainSettings& s : {lgsc, a}) {
        CHECK(s.size == 224);
        CHECK(s.optimizer == "adam");
        CHECK(s.learning_rate == 5e-4);
        CHECK(s.schedule == "milestones");
        CHECK(s.milestone_factor == 0.3);
        CHECK(s.balanced);
        CHECK(s.best_by == "acer");
        CHECK(s.interpolation == "bilinear");
        const OptionMap options = model_info("lgsc").options(s.model_options);
        CHECK(options.at("classification_weight") == "5");
        CHECK(options.at("cue_weight") == "5");
        CHECK(options.at("triplet_weight") == "1");
        CHECK(options.at("instance_norm") == "true");
        CHECK(options.at("cue_start") == "1");
        CHECK(options.at("cue_offset") == "0");
        CHECK(options.at("attack_cue") == "0");
        CHECK(options.at("score_weight") == "0");
        CHECK(options.at("dropout") == "0.5");
    }
    CHECK(lgsc.epochs == 15);
    CHECK(lgsc.batch == 96);
    CHECK(lgsc.warm_up == 1000);
    CHECK(lgsc.weight_decay == 5e-4);
    CHECK(lgsc.milestones == std::vector<int64_t>{5, 8, 12});
    CHECK(lgsc.augment() == data::Augmentation::lgsc());
    CHECK(lgsc.preprocess().mean[0] == 100);
    CHECK(lgsc.preprocess().std[2] == 80);
    CHECK(lgsc.preprocess().scale == 1);
    CHECK(a.epochs == 10);
    CHECK(a.batch == 32);
    CHECK(a.warm_up == 0);
    CHECK(a.weight_decay == 0);
    CHECK(a.milestones == std::vector<int64_t>{5, 8});
    CHECK(a.preprocess().mean[1] == 0.456f);
    CHECK(a.augment().rotation == 30);
}
