#include "run_result.hpp"

#include "liven/io/json_lines.hpp"
#include "liven/metrics/pad.hpp"
#include "liven/models/registry.hpp"
#include "liven/train/evaluate.hpp"
#include "liven/train/model_file.hpp"
#include "pictures.hpp"

namespace liven {
namespace {

ThresholdInfo choose_threshold(const ScoredSamples& scores) {
    const Threshold threshold = minimum_acer(scores);
    const ScoreHistogram histogram = score_histogram(scores, 50);
    return {.value = threshold.threshold.value_or(0.5),
            .rule = threshold.threshold ? "minimum validation ACER" : "none: " + threshold.threshold.reason(),
            .bonafide_histogram = histogram.bonafide,
            .attack_histogram = histogram.attack};
}

ModelFileInfo describe(const TrainSettings& settings, const data::Preprocess& preprocess, ThresholdInfo threshold,
                       Json training) {
    ModelFileInfo info;
    info.model = settings.model;
    info.options = model_info(settings.model).deployed(settings.model_options);
    info.input = settings.input();
    info.clip_stride = settings.clip_stride;
    info.preprocess = preprocess;
    info.threshold = std::move(threshold);
    info.training = std::move(training);
    return info;
}

/// What is left of the trained model at inference.
std::unique_ptr<Module> deployed(Module& trained, const ModelFileInfo& info) {
    auto model = make_model(info.model, info.options);
    model->outline(batched(1, info.input));
    NamedTensors all = copy_states(trained), kept;
    for (const State& state : model->states()) {
        const std::string name(state.name());
        kept.emplace(name, std::move(all.at(name)));
    }
    load_states(*model, kept, info.model);
    return model;
}

}  // namespace

TrainResult finish_run(const Training& training, TrainingData& data, const EarlyStopping& best) {
    const TrainSettings& settings = training.settings;
    const RunFolder run(training.folder);
    const Scored validation = score(training.model, data.validation());
    const auto objective = training.model.objective();
    const ModelFileInfo info = describe(settings, data.preprocess(), choose_threshold(validation.scores),
                                        Json::object({{"recipe", settings.recipe},
                                                      {"steps", training.progress.step},
                                                      {"best_epoch", best.best_epoch() + 1},
                                                      {"seed", settings.seed},
                                                      {"dtype", settings.dtype},
                                                      {"pretrained", settings.pretrained},
                                                      {"split", Json::parse(data.split().to_json())},
                                                      {"group_by", settings.group_by},
                                                      {"clips_per_video", settings.clips_per_video},
                                                      {"allow_leak", settings.allow_leak}}));
    const double threshold = info.threshold.value;
    const std::unique_ptr<Module> model = deployed(training.model, info);
    model->eval();
    save_model(run.model(), *model, info);

    TrainResult result{.model_file = run.model(),
                       .steps = training.progress.step,
                       .epochs = training.progress.cursor.epoch,
                       .best_validation_loss = best.best_loss(),
                       .threshold = threshold,
                       .validation = pad_report(validation, threshold, *objective),
                       .test = {}};
    if (const data::Dataset test = data.test(); !test.samples.empty()) {
        data::Loader loader = evaluation_loader(test, data.preprocess(), settings.batch);
        loader.set_cache_bytes(0);  // each is looked at once
        const Scored scored = score(training.model, loader);
        result.test = pad_report(scored, threshold, *objective);
        write_faces(run.faces(), test, scored, threshold);
        if (objective->maps()) write_cues(run.cues(), test, scored, *model, info);
    } else {
        write_faces(run.faces(), data.validation().dataset(), validation, threshold);
        if (objective->maps()) write_cues(run.cues(), data.validation().dataset(), validation, *model, info);
    }
    write_curves(run.curves(), read_json_lines(run.log()));
    return result;
}

}  // namespace liven
