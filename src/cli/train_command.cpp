#include <filesystem>
#include <iostream>

#include "cli.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/train/callbacks.hpp"
#include "liven/train/evaluate.hpp"
#include "liven/train/settings.hpp"
#include "liven/train/trainer.hpp"
#include "src/train/run_folder.hpp"

namespace liven::cli {
namespace {

struct Options {
    std::string resume, out, config;
    TrainSettings given;
    std::string model = "attacknet-v2.2", recipe = "default";
    std::vector<std::string> model_options;
    bool tensorboard = false;
};

/// Recipe, then configuration file, then what the command line names.
TrainSettings settings_from(const CLI::App& command, const Options& o) {
    TrainSettings settings = training_settings(command, o.model, o.recipe, o.config);
    const auto set = [&](const char* name, auto& field, const auto& value) {
        if (command.count(name)) field = value;
    };
    set("--data", settings.data, o.given.data);
    set("--epochs", settings.epochs, o.given.epochs);
    set("--batch", settings.batch, o.given.batch);
    set("--accumulate", settings.accumulate, o.given.accumulate);
    set("--size", settings.size, o.given.size);
    set("--seed", settings.seed, o.given.seed);
    set("--learning-rate", settings.learning_rate, o.given.learning_rate);
    set("--memory-limit", settings.memory_limit, o.given.memory_limit);
    set("--checkpoint-every", settings.checkpoint_every, o.given.checkpoint_every);
    set("--augmentation", settings.augmentation, o.given.augmentation);
    set("--dtype", settings.dtype, o.given.dtype);
    set("--patience", settings.patience, o.given.patience);
    set("--pretrained", settings.pretrained, o.given.pretrained);
    set("--feature-cache", settings.feature_cache, o.given.feature_cache);
    set("--normalization", settings.normalization, o.given.normalization);
    set("--frames", settings.frames, o.given.frames);
    set("--clip-stride", settings.clip_stride, o.given.clip_stride);
    set("--clips-per-video", settings.clips_per_video, o.given.clips_per_video);
    set("--allow-leak", settings.allow_leak, o.given.allow_leak);
    if (command.count("--balanced")) settings.balanced = true;
    for (const auto& [name, value] : option_map(o.model_options)) settings.model_options[name] = value;
    return settings;
}

/// A run goes on as it was begun: whoever names anything else expects what does not happen.
void refuse_beside_resume(const CLI::App& command) {
    for (const CLI::Option* option : command.get_options()) {
        const std::string name = option->get_name();
        if (option->count() > 0 && name != "--resume" && name != "--tensorboard")
            throw Error("--resume", "a run goes on with the settings in its config.toml, but " + name + " is given",
                        "leave it out, or start a new run with --out");
    }
}

int train(const CLI::App& command, const Options& o) {
    if (!o.resume.empty()) refuse_beside_resume(command);
    if (o.resume.empty() && (o.out.empty() || (!command.count("--data") && o.config.empty())))
        throw CLI::RequiredError("--data and --out (or --resume)");
    stop_trainings_on_signals();
    try {
        Trainer trainer = o.resume.empty() ? Trainer(settings_from(command, o), o.out) : Trainer::resume(o.resume);
        const std::filesystem::path run = o.resume.empty() ? o.out : o.resume;
        // A resumed run that has the file goes on with it by itself.
        if (o.tensorboard && (o.resume.empty() || !std::filesystem::exists(RunFolder(run).events())))
            trainer.add(std::make_unique<TensorBoardEvents>());
        const TrainResult result = trainer.train();
        char line[160];
        std::snprintf(line, sizeof line, "%lld steps in %.1f s, validation loss of the best epoch %.4f",
                      static_cast<long long>(result.steps), result.seconds, result.best_validation_loss);
        log_info(line);
        print("validation: " + to_table(*result.validation));
        if (result.test) print("test, at the threshold chosen on validation: " + to_table(*result.test));
        print("model   " + result.model_file.string());
        print("faces   " + (result.model_file.parent_path() / "faces.png").string());
        if (const auto cues = result.model_file.parent_path() / "cues.png"; std::filesystem::exists(cues))
            print("cues    " + cues.string());
        print("curves  " + (result.model_file.parent_path() / "curves.svg").string());
        return 0;
    } catch (const Interrupted& stop) {
        std::cerr << "stopped after step " << stop.step << "; continue with: liven train --resume " << stop.run.string()
                  << '\n';
        return 130;
    }
}

}  // namespace

void add_train_command(CLI::App& app) {
    auto o = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("train", "train a model, or go on with a training that was stopped");
    command->add_option("--model", o->model, "name of a model (see liven models)");
    command->add_option("--data", o->given.data, "manifest or folder of images");
    command->add_option("--out", o->out, "folder for the run: model, log, checkpoints");
    command->add_option("--resume", o->resume, "a run's folder: go on from its newest checkpoint");
    command->add_option("--recipe", o->recipe,
                        "named settings, e.g. default, paper-k-replay-attack, paper-k-combined (see liven models)");
    command->add_option("--config", o->config, "TOML file with settings (RUN/config.toml shows them all)");
    command->add_option("--epochs", o->given.epochs, "times through the training images")
        ->check(CLI::Range(1, 1000000));
    command->add_option("--batch", o->given.batch, "images a step")->check(CLI::Range(1, 65536));
    command->add_option("--accumulate", o->given.accumulate, "batches an update")->check(CLI::Range(1, 65536));
    command->add_option("--size", o->given.size, "pixels a side")->check(CLI::Range(8, 4096));
    command->add_option("--seed", o->given.seed, "of weights, order, augmentation and dropout");
    command->add_option("--learning-rate", o->given.learning_rate, "at the start")->check(CLI::PositiveNumber);
    command->add_option("--augmentation", o->given.augmentation,
                        "none, light, paper-a, paper-k, paper-m, paper-w or lgsc");
    command->add_option("--pretrained", o->given.pretrained,
                        "safetensors file with the encoder's weights, by torchvision's or Keras' names");
    command->add_option("--feature-cache", o->given.feature_cache,
                        "folder for what a frozen encoder makes of each frame (default: in the run), or off");
    command->add_option("--normalization", o->given.normalization,
                        "unit, z-score, imagenet, caffe, lgsc or pretrained");
    command->add_option("--frames", o->given.frames, "of a clip")->check(CLI::Range(1, 1024));
    command->add_option("--clip-stride", o->given.clip_stride,
                        "frames from one of a clip to its next; 0: spread over the video");
    command->add_option("--clips-per-video", o->given.clips_per_video, "clips of a video")->check(CLI::Range(1, 10000));
    add_backbone_option(*command, o->model_options);
    command->add_option("--patience", o->given.patience,
                        "stop after this many epochs without a better validation loss");
    command->add_option("--memory-limit", o->given.memory_limit,
                        "what the training may take, all in all, e.g. 4GB: parts of the step are computed twice rather "
                        "than held if need be");
    command->add_option("--checkpoint-every", o->given.checkpoint_every, "updates between checkpoints within an epoch");
    command->add_option("--dtype", o->given.dtype, "how maps between steps are stored: f32, or bf16, half the memory")
        ->check(CLI::IsMember({"f32", "bf16"}));
    command->add_flag("--balanced", o->given.balanced, "both classes equally often");
    command->add_flag("--tensorboard", o->tensorboard, "the log's numbers for TensorBoard too, in the run's folder");
    command->add_option("--option", o->model_options, "option of the model, name=value");
    command->add_option("--allow-leak", o->given.allow_leak,
                        "use a manifest whose splits share groups, for this reason (it is recorded)");
    command->footer("Example: liven train --model attacknet-v2.2 --data faces --out runs/first");
    command->callback([command, o] {
        if (const int status = train(*command, *o)) throw CLI::RuntimeError(status);
    });
}

}  // namespace liven::cli
