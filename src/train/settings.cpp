#include "liven/train/settings.hpp"

#include "liven/core/bytes.hpp"
#include "liven/core/error.hpp"
#include "liven/models/registry.hpp"

namespace liven {
namespace {

/// Small changes that every camera makes by itself.
data::Augmentation light() {
    return {.rotation = 5,
            .shift_x = 0.03f,
            .shift_y = 0.03f,
            .zoom = 0.05f,
            .flip = 0.5f,
            .brightness = 0.1f,
            .contrast = 0.1f};
}

void read_model_options(const Config& config, OptionMap& options) {
    for (const std::string& key : config.keys())
        if (key.rfind("model_options.", 0) == 0) options[key.substr(14)] = config.scalar(key, "");
}

}  // namespace

Shape TrainSettings::input() const { return frames == 0 ? Shape{size, size, 3} : Shape{frames, size, size, 3}; }

data::Preprocess TrainSettings::preprocess() const {
    data::Preprocess spec;
    if (normalization == "imagenet") {
        spec.mean = {0.485f, 0.456f, 0.406f};
        spec.std = {0.229f, 0.224f, 0.225f};
    } else if (normalization == "caffe") {
        spec.colour_order = data::ColourOrder::bgr;
        spec.scale = 1;
        spec.mean = {103.939f, 116.779f, 123.68f};
    } else if (normalization == "lgsc") {
        spec.scale = 1;
        spec.mean = {100, 100, 100};
        spec.std = {80, 80, 80};
    }
    spec.width = spec.height = static_cast<int>(size);
    spec.interpolation = data::interpolation_from(interpolation);
    spec.crop_margin = static_cast<float>(crop_margin);
    return spec;
}

data::Augmentation TrainSettings::augment() const {
    if (augmentation == "none") return data::Augmentation::none();
    if (augmentation == "light") return light();
    if (augmentation == "paper-k") return data::Augmentation::paper_k();
    if (augmentation == "paper-m") return data::Augmentation::paper_m();
    if (augmentation == "paper-a") return data::Augmentation::paper_a();
    if (augmentation == "paper-w") return data::Augmentation::paper_w();
    if (augmentation == "lgsc") return data::Augmentation::lgsc();
    throw Error("augmentation",
                "expected none, light, paper-a, paper-k, paper-m, paper-w or lgsc, got '" + augmentation + "'");
}

void TrainSettings::read(const Config& c) {
    model = c.text("model", model);
    read_model_options(c, model_options);
    recipe = c.text("recipe", recipe);
    data = c.text("data", data);
    size = c.integer("size", size, {.min = 8, .max = 4096});
    interpolation = c.text("interpolation", interpolation, {"bilinear", "lanczos", "area"});
    crop_margin = c.number("crop_margin", crop_margin, {.min = 0, .max = 4});
    normalization =
        c.text("normalization", normalization, {"unit", "z-score", "imagenet", "caffe", "lgsc", "pretrained"});
    frames = c.integer("frames", frames, {.min = 0, .max = 1024});
    clip_stride = c.integer("clip_stride", clip_stride, {.min = 0, .max = 1e5});
    clips_per_video = c.integer("clips_per_video", clips_per_video, {.min = 1, .max = 1e4});
    pretrained = c.text("pretrained", pretrained);
    feature_cache = c.text("feature_cache", feature_cache);
    epochs = c.integer("epochs", epochs, {.min = 1, .max = 1e6});
    batch = c.integer("batch", batch, {.min = 1, .max = 65536});
    accumulate = c.integer("accumulate", accumulate, {.min = 1, .max = 65536});
    optimizer = c.text("optimizer", optimizer, {"adam", "adamw", "sgd"});
    learning_rate = c.number("learning_rate", learning_rate, {.min = 0});
    schedule = c.text("schedule", schedule, {"constant", "cosine", "step", "milestones", "plateau"});
    milestones = c.integers("milestones", milestones);
    milestone_factor = c.number("milestone_factor", milestone_factor, {.min = 1e-6, .max = 1});
    minimum_rate = c.number("minimum_rate", minimum_rate, {.min = 0});
    warm_up = c.integer("warm_up", warm_up, {.min = 0});
    weight_decay = c.number("weight_decay", weight_decay, {.min = 0});
    momentum = c.number("momentum", momentum, {.min = 0, .max = 1});
    label_smoothing = c.number("label_smoothing", label_smoothing, {.min = 0, .max = 0.999});
    clip_norm = c.number("clip_norm", clip_norm, {.min = 0});
    best_by = c.text("best_by", best_by, {"loss", "acer"});
    patience = c.integer("patience", patience, {.min = 0});
    augmentation =
        c.text("augmentation", augmentation, {"none", "light", "paper-a", "paper-k", "paper-m", "paper-w", "lgsc"});
    balanced = c.boolean("balanced", balanced);
    drop_last = c.boolean("drop_last", drop_last);
    class_weights = c.boolean("class_weights", class_weights);
    dtype = c.text("dtype", dtype, {"f32", "bf16"});
    seed = static_cast<uint64_t>(c.integer("seed", static_cast<int64_t>(seed), {.min = 0}));
    memory_limit = c.text("memory_limit", memory_limit);
    checkpoint_every = c.integer("checkpoint_every", checkpoint_every, {.min = 0});
    group_by = c.text("group_by", group_by, {"automatic", "subject", "video", "image"});
    allow_leak = c.text("allow_leak", allow_leak);
    c.refuse_unknown();
}

Config TrainSettings::to_config() const {
    Config c;
    c.set("model", model);
    for (const auto& [name, value] : model_options) c.set("model_options." + name, value);
    c.set("recipe", recipe);
    c.set("data", data);
    c.set("size", size);
    c.set("interpolation", interpolation);
    c.set("crop_margin", crop_margin);
    c.set("normalization", normalization);
    c.set("frames", frames);
    c.set("clip_stride", clip_stride);
    c.set("clips_per_video", clips_per_video);
    c.set("pretrained", pretrained);
    c.set("feature_cache", feature_cache);
    c.set("epochs", epochs);
    c.set("batch", batch);
    c.set("accumulate", accumulate);
    c.set("optimizer", optimizer);
    c.set("learning_rate", learning_rate);
    c.set("schedule", schedule);
    c.set("milestones", milestones);
    c.set("milestone_factor", milestone_factor);
    c.set("minimum_rate", minimum_rate);
    c.set("warm_up", warm_up);
    c.set("weight_decay", weight_decay);
    c.set("momentum", momentum);
    c.set("label_smoothing", label_smoothing);
    c.set("clip_norm", clip_norm);
    c.set("best_by", best_by);
    c.set("patience", patience);
    c.set("augmentation", augmentation);
    c.set("balanced", balanced);
    c.set("drop_last", drop_last);
    c.set("class_weights", class_weights);
    c.set("dtype", dtype);
    c.set("seed", static_cast<int64_t>(seed));
    c.set("memory_limit", memory_limit);
    c.set("checkpoint_every", checkpoint_every);
    c.set("group_by", group_by);
    c.set("allow_leak", allow_leak);
    return c;
}

void TrainSettings::validate() const {
    model_info(model).options(model_options);
    if (data.empty()) throw Error("--data", "expected a manifest or a folder of images");
    if (dtype != "f32" && dtype != "bf16") throw Error("dtype", "expected f32 or bf16, got '" + dtype + "'");
    if (learning_rate <= 0)
        throw Error("learning_rate", "expected a number above 0, got " + std::to_string(learning_rate));
    if (!memory_limit.empty()) static_cast<void>(bytes_from("memory_limit", memory_limit));
    const bool clips = model_info(model).input.rank() == 4;
    if (clips != (frames > 0))
        throw Error("frames", clips ? "the model takes clips: expected 1 or more, got 0"
                                    : "the model takes pictures: expected 0, got " + std::to_string(frames));
    for (size_t i = 0; i < milestones.size(); ++i)
        if (milestones[i] < 1 || (i > 0 && milestones[i] <= milestones[i - 1]))
            throw Error("milestones", "expected ascending epochs from 1 on");
    augment().validate();
    preprocess().validate();
}

}  // namespace liven
