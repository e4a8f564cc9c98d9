#include <charconv>

#include "cli.hpp"
#include "liven/core/error.hpp"
#include "liven/data/augment.hpp"
#include "liven/data/clip.hpp"
#include "liven/data/sheet.hpp"
#include "liven/data/split.hpp"
#include "liven/io/json.hpp"
#include "liven/train/settings.hpp"

namespace liven::cli {
namespace {

struct AugmentArguments {
    std::string data, out, augmentation = "light", interpolation = "lanczos", allow_leak;
    std::vector<std::string> show;
    int64_t size = 256, epochs = 1;
    double crop_margin = 0;
};

/// What a training of these settings sees.
struct Shown {
    data::Augmentation augmentation;
    data::Preprocess preprocess;
    data::Sample sample;
    uint64_t seed = 0;
    int64_t epoch = 0, place = 0;  ///< both from 0
};

int64_t number_from(const std::string& text, const char* what, int64_t least) {
    int64_t value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc() || end != text.data() + text.size() || value < least)
        throw Error("--show", std::string("expected ") + what + ", a whole number from " + std::to_string(least) +
                                  ", got '" + text + "'");
    return value;
}

/// By its place in the training set, or the end of its path.
int64_t place_of(const data::Dataset& training, const std::string& wanted) {
    for (int64_t i = 0; i < training.size(); ++i) {
        const std::string path = training.samples[static_cast<size_t>(i)].path.string();
        if (path.ends_with("/" + wanted) || path == wanted) return i;
    }
    const int64_t place = number_from(wanted, "SAMPLE, the end of a training picture's path or its place", 0);
    if (place >= training.size())
        throw Error("--show", "expected a sample from 0 to " + std::to_string(training.size() - 1) + ", got " + wanted);
    return place;
}

Shown shown_by(const AugmentArguments& asked) {
    TrainSettings settings;
    settings.augmentation = asked.augmentation;
    settings.size = asked.size;
    settings.interpolation = asked.interpolation;
    settings.crop_margin = asked.crop_margin;
    settings.seed = static_cast<uint64_t>(number_from(asked.show[0], "SEED", 0));
    data::Dataset set = data::open_dataset(asked.data);
    data::assign_splits(set, {.seed = settings.seed, .allow_leak = asked.allow_leak});
    const data::Dataset training = data::pictures_of(set.only(data::Split::train), 1);
    const int64_t place = place_of(training, asked.show[2]);
    Shown shown{.augmentation = settings.augment(),
                .preprocess = settings.preprocess(),
                .sample = training.samples[static_cast<size_t>(place)],
                .seed = settings.seed,
                .epoch = number_from(asked.show[1], "EPOCH", 1) - 1,
                .place = place};
    shown.preprocess.validate();
    return shown;
}

data::Image frame_of(const Shown& shown) {
    const data::Image picture = data::picture_of(shown.sample);
    try {
        return shown.preprocess.frame(picture, shown.sample.box);
    } catch (const Error& error) {  // knows of no file
        throw Error(shown.sample.path.string(), error.what());
    }
}

/// As the loader does it: the same draw, the same arithmetic.
data::Image augmented(const data::Image& frame, const data::Draw& drawn, const data::Preprocess& preprocess) {
    std::vector<float> values(frame.pixels.size());
    data::augment(frame, drawn, preprocess, values.data());
    return preprocess.picture(values.data());
}

void run_augment(const AugmentArguments& asked) {
    require_target(asked.out, kPictureEndings);
    const Shown shown = shown_by(asked);
    const data::Image frame = frame_of(shown);
    data::Sheet sheet({.columns = 6, .side = 224, .lines = 1});
    sheet.add({.picture = frame, .lines = {shown.sample.path.filename().string()}});
    for (int64_t epoch = shown.epoch; epoch < shown.epoch + asked.epochs; ++epoch) {
        const data::Draw drawn = draw(shown.augmentation, data::augmentation_key(shown.seed, epoch, shown.place));
        sheet.add(
            {.picture = augmented(frame, drawn, shown.preprocess), .lines = {"epoch " + std::to_string(epoch + 1)}});
        print(Json::object({{"path", shown.sample.path.string()},
                            {"sample", shown.place},
                            {"epoch", epoch + 1},
                            {"draw", Json::parse(drawn.to_json())}})
                  .str());
    }
    data::write(sheet.image(), asked.out);
}

}  // namespace

void add_augment_command(CLI::App& data) {
    auto asked = std::make_shared<AugmentArguments>();
    CLI::App* command = data.add_subcommand(
        "augment", "what a sample becomes in a training: a picture, and what was drawn as a JSON object an epoch");
    command->add_option("data", asked->data, "manifest or folder of images")->required();
    command
        ->add_option(
            "--show", asked->show,
            "SEED EPOCH SAMPLE: the training's seed, its epoch from 1, and a training picture by the end of its "
            "path or its place from 0")
        ->expected(3)
        ->required();
    command->add_option("-o,--out", asked->out, "the .png or .jpg to write")->required();
    command->add_option("--augmentation", asked->augmentation,
                        "none, light, paper-a, paper-k, paper-m, paper-w or lgsc");
    command->add_option("--epochs", asked->epochs, "this many, one after the other")->check(CLI::Range(1, 1000));
    command->add_option("--size", asked->size, "pixels a side")->check(CLI::Range(8, 4096));
    command->add_option("--interpolation", asked->interpolation, "bilinear, lanczos or area");
    command->add_option("--crop-margin", asked->crop_margin, "the face box grown by this share on every side")
        ->check(CLI::Range(0.0, 4.0));
    command->add_option("--allow-leak", asked->allow_leak,
                        "use a manifest whose splits share groups, for this reason, as liven train does");
    command->footer("Example: liven data augment faces --show 42 1 s003v00_000.jpg --epochs 5 -o seen.png");
    command->callback([asked] { run_augment(*asked); });
}

}  // namespace liven::cli
