#include "liven/train/trainer.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/tuning.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/data/synthesize.hpp"
#include "liven/graph/engine.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/train/callbacks.hpp"
#include "liven/train/model_file.hpp"
#include "liven/train/recipe.hpp"
#include "src/train/memory_estimate.hpp"
#include "tests/temporary.hpp"

using namespace liven;

namespace {

/// Messages of a training are no part of a test's output.
struct Quiet {
    Quiet() {
        set_log_sink([](LogLevel, std::string_view) {});
    }
    ~Quiet() { set_log_sink({}); }
};

/// Six subjects at 32 x 32: 48 pictures to train on, 12 to validate.
struct Faces {
    Quiet quiet;
    TemporaryFolder folder;
    std::string set = (folder / "set").string();

    Faces() { data::synthesize(set, {.subjects = 6, .frames = 2, .size = 32, .seed = 3}); }
    TrainSettings settings() const {
        TrainSettings s = settings_of("livenessnet");
        s.data = set;
        s.size = 32;
        s.epochs = 4;
        s.batch = 16;
        s.seed = 5;
        return s;
    }
    std::filesystem::path run(const char* name) const { return folder / name; }
};

/// Writes down what happens, and counts the steps in what a checkpoint keeps.
struct Diary : Callback {
    explicit Diary(std::string& text) : text_(text) {}
    void on_train_begin(Training&) override { text_ += "begin;"; }
    void on_epoch_begin(Training&, const EpochStart& start) override {
        text_ += "epoch " + std::to_string(start.epoch) + ":";
    }
    void on_step(Training&, const StepReport& report) override {
        ++steps;
        text_ += " " + std::to_string(report.index) + "/" + std::to_string(report.last);
    }
    void on_epoch_end(Training&, const EpochReport&) override { text_ += " end;"; }
    void on_train_end(Training&) override { text_ += "done"; }
    std::string name() const override { return "diary"; }
    CallbackState state() const override { return {.values = Json::object({{"steps", steps}}), .tensors = {}}; }
    void restore(const CallbackState& state) override { steps = state.values.at("steps").integer(); }

    int64_t steps = 0;

private:
    std::string& text_;
};

}  // namespace

TEST_CASE("Callbacks are called at their moments, in order") {
    const Faces faces;
    std::string diary;
    TrainSettings settings = faces.settings();
    settings.epochs = 2;
    Trainer trainer(settings, faces.run("run"));
    trainer.add(std::make_unique<Diary>(diary));
    const TrainResult result = trainer.train();
    CHECK(diary == "begin;epoch 0: 0/2 1/2 2/2 end;epoch 1: 0/2 1/2 2/2 end;done");
    CHECK(result.steps == 6);
    CHECK(result.epochs == 2);
}

TEST_CASE("A callback reports what the log holds, and can end the training") {
    const Faces faces;
    std::vector<EpochReport> reports;
    int64_t images = 0;
    Trainer trainer(faces.settings(), faces.run("run"));
    trainer.add(each_step([&](Training&, const StepReport& report) {
        images += report.images;
        CHECK(std::isfinite(report.loss));
    }));
    trainer.add(each_epoch([&](Training& training, const EpochReport& report) {
        reports.push_back(report);
        if (reports.size() == 2) training.stop("two are enough");
    }));
    const TrainResult result = trainer.train();
    CHECK(result.epochs == 2);
    REQUIRE(reports.size() == 2);
    CHECK(images == 2 * 48);
    CHECK(reports[0].best);
    const std::vector<Json> log = read_json_lines(faces.run("run") / "log.jsonl");
    REQUIRE(log.size() == 2);
    for (size_t i = 0; i < 2; ++i) {
        CHECK(log[i].at("epoch").integer() == reports[i].epoch + 1);
        CHECK(log[i].at("step").integer() == reports[i].step);
        CHECK(log[i].at("loss").number() == reports[i].loss);
        CHECK(log[i].at("val_loss").number() == reports[i].validation_loss);
        CHECK(log[i].at("images").integer() == 48);
    }
    CHECK(result.best_validation_loss == std::min(reports[0].validation_loss, reports[1].validation_loss));
}

TEST_CASE("Stopped in the middle of an epoch and resumed, a training ends with the same bytes and the same counts") {
    const Faces faces;
    TrainSettings settings = faces.settings();
    settings.schedule = "plateau";
    settings.dtype = GENERATE("f32", "bf16");
    std::string ignored;
    Trainer(settings, faces.run("whole")).train();
    {
        Trainer trainer(settings, faces.run("stopped"));
        auto diary = std::make_unique<Diary>(ignored);
        trainer.add(std::move(diary));
        trainer.add(each_step([](Training& training, const StepReport&) {
            if (training.progress.step == 5) Trainer::request_stop();
        }));
        CHECK_THROWS_AS(trainer.train(), Interrupted);
    }
    CHECK_THROWS_WITH(Trainer(settings, faces.run("stopped")), Catch::Contains("there is a run already"));
    Trainer resumed = Trainer::resume(faces.run("stopped"));
    auto diary = std::make_unique<Diary>(ignored);
    const Diary& kept = *diary;
    resumed.add(std::move(diary));
    CHECK(kept.steps == 5);
    CHECK_THROWS_WITH(resumed.add(std::make_unique<Diary>(ignored)), Catch::Contains("diary"));
    resumed.train();
    CHECK(kept.steps == 12);
    CHECK(contents_of(faces.run("whole") / "model.safetensors") ==
          contents_of(faces.run("stopped") / "model.safetensors"));
    CHECK(read_json_lines(faces.run("stopped") / "log.jsonl").size() == 4);
}

TEST_CASE("Training with maps in bf16 follows the loss of f32; its settings and its model file say what it was") {
    const Faces faces;
    TrainSettings settings = faces.settings();
    settings.model = "attacknet-v2.2";
    settings.augmentation = "none";
    const auto losses = [&](const char* dtype) {
        settings.dtype = dtype;
        std::vector<double> all;
        Trainer trainer(settings, faces.run(dtype));
        trainer.add(each_epoch([&](Training&, const EpochReport& report) { all.push_back(report.loss); }));
        trainer.train();
        return all;
    };
    const std::vector<double> exact = losses("f32"), narrow = losses("bf16");
    REQUIRE(exact.size() == narrow.size());
    CHECK(exact != narrow);
    // A tenth of what training takes off the loss: each step's gradient has a few per cent of noise, which the mean of
    // an epoch's steps partly cancels.
    for (size_t i = 0; i < exact.size(); ++i)
        CHECK(std::abs(narrow[i] - exact[i]) < 0.1 * (exact.front() - exact.back()));
    CHECK(exact.back() < 0.8 * exact.front());
    CHECK(Engine::current().options().dtype == DType::f32);
    CHECK(Config::read(faces.run("bf16") / "config.toml").text("dtype", "") == "bf16");
    CHECK(load_model(faces.run("bf16") / "model.safetensors").info.training.at("dtype").text() == "bf16");
    settings.dtype = "f16";
    CHECK_THROWS_WITH(Trainer(settings, faces.run("f16")), Catch::Contains("dtype"));
}

TEST_CASE("A run that goes on with another tuning table says that its result is not bit-identical") {
    const Faces faces;
    {
        Trainer trainer(faces.settings(), faces.run("stopped"));
        trainer.add(each_step([](Training&, const StepReport&) { Trainer::request_stop(); }));
        CHECK_THROWS_AS(trainer.train(), Interrupted);
    }
    std::string messages;
    set_log_sink([&](LogLevel, std::string_view message) { messages.append(message).append("\n"); });
    Trainer::resume(faces.run("stopped"));
    CHECK_THAT(messages, !Catch::Contains("bit-identical"));
    kernels::TuningTable table;
    table.set({.isa = Isa::baseline, .kernel = "conv2d_fwd_direct_nhwc_f32", .problem = "conv2d x"}, 1.0);
    kernels::set_active_tuning(table);
    Trainer::resume(faces.run("stopped"));
    CHECK_THAT(messages, Catch::Contains("the tuning table none") && Catch::Contains("not be bit-identical") &&
                             Catch::Contains("LIVEN_TUNING"));
    kernels::set_active_tuning({});
}

TEST_CASE("A training asked to stop and then interrupted still does the rest of its epoch") {
    const Faces faces;
    {
        Trainer trainer(faces.settings(), faces.run("run"));
        trainer.add(each_step([](Training& training, const StepReport&) {
            if (training.progress.step == 4) training.stop("enough");
            if (training.progress.step == 5) Trainer::request_stop();
        }));
        CHECK_THROWS_AS(trainer.train(), Interrupted);
    }
    const TrainResult result = Trainer::resume(faces.run("run")).train();
    CHECK(result.steps == 6);
    CHECK(result.epochs == 2);
}

TEST_CASE("The model file holds the weights of the least validation loss") {
    const Faces faces;
    TrainSettings settings = faces.settings();
    settings.learning_rate = 0.05;  // jumps about
    settings.epochs = 6;
    double least = std::numeric_limits<double>::infinity();
    NamedTensors best;
    Trainer trainer(settings, faces.run("run"));
    trainer.add(each_epoch([&](Training& training, const EpochReport& report) {
        CHECK(report.best == (report.validation_loss < least));
        if (!report.best) return;
        least = report.validation_loss;
        best = copy_states(training.model);
    }));
    const TrainResult result = trainer.train();
    CHECK(result.best_validation_loss == least);
    LoadedModel loaded = load_model(result.model_file);
    const NamedTensors saved = copy_states(*loaded.model);
    REQUIRE(saved.size() == best.size());
    for (const auto& [name, tensor] : saved) {
        const HostTensor& kept = best.at(name);
        const auto a = tensor.values<float>(), b = kept.values<float>();
        CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }
}

TEST_CASE("Early stopping counts epochs without a smaller loss, and a NaN is none") {
    const Faces faces;
    Trainer trainer(faces.settings(), faces.run("run"));
    EarlyStopping stopping(2);
    CHECK(stopping.improves(std::numeric_limits<double>::quiet_NaN()));  // something has to be the best
    TrainProgress progress;
    const TrainSettings settings = faces.settings();
    Adam adam(trainer.model().parameters());
    Training training{settings, faces.folder.path(), trainer.model(), adam, progress};
    for (const double loss : {0.5, 0.4, 0.4}) stopping.on_epoch_end(training, {.validation_loss = loss});
    CHECK(progress.stop.empty());
    CHECK(stopping.best_loss() == 0.4);
    EarlyStopping again(2);  // goes on where a checkpoint left it
    again.restore(stopping.state());
    again.on_epoch_end(training, {.validation_loss = std::numeric_limits<double>::quiet_NaN()});
    CHECK(progress.stop.find("2 epochs") != std::string::npos);
    CHECK(again.best_loss() == 0.4);
}

TEST_CASE("Reducing on a plateau halves the rate after 7 epochs and stops at the least rate") {
    const Faces faces;
    TrainSettings settings = faces.settings();
    settings.learning_rate = 4e-3;
    TrainProgress progress;
    Trainer trainer(settings, faces.run("run"));
    Adam adam(trainer.model().parameters());
    Training training{settings, faces.folder.path(), trainer.model(), adam, progress};
    PlateauRate plateau({.min_rate = 1.5e-3f});
    for (int epoch = 0; epoch < 8; ++epoch) plateau.on_epoch_end(training, {.validation_loss = 1.0});
    CHECK(progress.rate_factor == 1.0f);
    plateau.on_epoch_end(training, {.validation_loss = 1.0});
    CHECK(progress.rate_factor == 0.5f);
    for (int epoch = 0; epoch < 20; ++epoch) plateau.on_epoch_end(training, {.validation_loss = 1.0});
    CHECK(progress.rate_factor == Approx(1.5e-3 / 4e-3));
}

TEST_CASE("A loss that is no number ends the training with step and operation; the log keeps its lines") {
    const Faces faces;
    Trainer trainer(faces.settings(), faces.run("run"));
    trainer.add(each_step([](Training& training, const StepReport&) {
        if (training.progress.step != 4) return;
        for (State state : training.model.states())
            if (state.name() == "conv1_2/kernel")
                state.assign(Tensor::full(state.shape(), std::numeric_limits<float>::infinity()));
    }));
    CHECK_THROWS_WITH(trainer.train(), Catch::Contains("step 5") && Catch::Contains("conv"));
    CHECK(read_json_lines(faces.run("run") / "log.jsonl").size() == 1);
}

TEST_CASE("Accumulated micro-batches, class weights and balanced sampling train too") {
    const Faces faces;
    TrainSettings settings = faces.settings();
    settings.batch = 10;
    settings.accumulate = 2;
    settings.class_weights = true;
    settings.balanced = true;
    settings.epochs = 1;
    int64_t updates = 0, images = 0;
    Trainer trainer(settings, faces.run("run"));
    trainer.add(each_step([&](Training&, const StepReport& report) {
        ++updates;
        images += report.images;
    }));
    trainer.train();
    CHECK(updates == 3);  // 48 images: 10 + 10, 10 + 10, 8
    CHECK(images == 48);
}

TEST_CASE("A training that needs more memory than there is is refused with what needs it") {
    const MemoryEstimate estimate{.states = 0, .step = 300e6, .cache = 50e6, .queue = 10e6, .copies = 40e6};
    CHECK(estimate.total() == 400e6);
    CHECK_NOTHROW(estimate.require(400e6));
    CHECK_NOTHROW(estimate.require(0));  // unknown
    CHECK_THROWS_WITH(estimate.require(399e6), Catch::Contains("400 MB") && Catch::Contains("pictures 50 MB") &&
                                                   Catch::Contains("399 MB") && Catch::Contains("--batch"));
    CHECK(available_memory() > 0);
    const Faces faces;
    TrainSettings settings = faces.settings();
    settings.size = 64;
    settings.batch = 65536;  // hundreds of GB of activations
    CHECK_THROWS_WITH(Trainer(settings, faces.run("run")), Catch::Contains("memory"));
    CHECK_FALSE(std::filesystem::exists(faces.run("run")));
}

TEST_CASE("Weights that exceed the machine are refused before their memory is touched") {
    const Faces faces;
    TrainSettings settings = faces.settings();
    settings.model = "attacknet-v1";
    settings.size = 4096;
    settings.batch = 1;
    if (available_memory() > 100e9) return;  // 34 GB of weights and twice that of moments
    CHECK_THROWS_WITH(Trainer(settings, faces.run("run")),
                      Catch::Contains("weights and moments") || Catch::Contains("bytes left"));
    CHECK_FALSE(std::filesystem::exists(faces.run("run")));
}

TEST_CASE("A memory limit takes pictures out of the cache first, then computes parts of the step twice") {
    const Faces faces;
    TrainSettings settings = faces.settings();
    settings.model = "attacknet-v2.2";
    settings.size = 64;
    settings.epochs = 1;
    const auto loss = [&](const char* name) { return Trainer(settings, faces.run(name)).train().best_validation_loss; };
    const double whole = loss("whole");
    settings.memory_limit = "1TB";
    CHECK(loss("roomy") == whole);

    // Between a limit that cannot be kept and one that is none: by how much depends on the kernels.
    std::string said;
    set_log_sink([&](LogLevel, std::string_view line) { said += line; });
    int64_t low = 0, high = 200'000'000;
    while (said.find("done twice") == std::string::npos) {
        REQUIRE(high - low > 1000);
        const int64_t middle = (low + high) / 2;
        settings.memory_limit = std::to_string(middle);
        try {
            const Trainer trainer(settings, faces.run("sought"));
            CHECK(Engine::current().options().arena_limit == 0);  // it is the step's alone
            high = middle;
        } catch (const Error&) {
            low = middle;
        }
        std::filesystem::remove_all(faces.run("sought"));
    }
    set_log_sink([](LogLevel, std::string_view) {});
    CHECK(std::abs(loss("limited") - whole) < 1e-3 * whole);  // sums in another order, twelve steps on
    CHECK(Engine::current().statistics().arena_bytes > 0);

    settings.memory_limit = "10MB";
    CHECK_THROWS_WITH(Trainer(settings, faces.run("small")), Catch::Contains("--memory-limit"));
    settings.memory_limit = "a lot";
    CHECK_THROWS_WITH(Trainer(settings, faces.run("odd")), Catch::Contains("expected an amount of memory"));
}
