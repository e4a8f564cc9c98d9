#include "liven/train/explainer.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/data/loader.hpp"
#include "liven/explain/picture.hpp"
#include "liven/metrics/scores.hpp"
#include "liven/nn/eval_mode.hpp"

namespace liven {
namespace {

Tensor tensor_of(const data::Sample& sample, const data::Preprocess& preprocess) {
    data::Dataset set;
    set.samples.push_back(sample);
    data::Loader loader(std::move(set),
                        {.batch = 1, .preprocess = preprocess, .shuffle = false, .threads = 0, .prepare_threads = 1});
    loader.prepare();
    const auto batch = loader.next();
    return Tensor::share(batch->images, batch->shape());
}

std::string worded(const char* format, double first, double second = 0) {
    char text[80];
    std::snprintf(text, sizeof text, format, first, second);
    return text;
}

/// What the end of the scale stands for.
double strongest(const saliency::Heat& heat) {
    double most = 0;
    for (const float value : heat.values) most = std::max(most, std::abs(static_cast<double>(value)));
    return most;
}

data::SheetTile tile_of(const saliency::Explanation& explanation, size_t frame, const data::Image& picture,
                        const std::string& label) {
    const double full = strongest(explanation.heat);
    const std::string from = full == 0                ? "nothing speaks for it"
                             : explanation.both_signs ? worded("%.3g to %.3g", -full, full)
                                                      : worded("0 to %.3g", full);
    return {.picture = saliency::overlay(picture, explanation.heat.frame(static_cast<int64_t>(frame)), full,
                                         explanation.both_signs),
            .lines = {std::string(name_of(explanation.method)) + " for " + label,
                      from + (explanation.layer.empty() ? "" : "  " + explanation.layer)}};
}

}  // namespace

Explainer::Explainer(LoadedModel& model, Options options)
    : model_(model), options_(std::move(options)), objective_(model.model->objective()) {
    if (options_.methods.empty()) throw Error("explain", "expected a method, got none");
}

Explained Explainer::operator()(const data::Sample& sample) {
    const data::Preprocess& preprocess = model_.info.preprocess;
    const Tensor x = tensor_of(sample, preprocess);
    Explained out;
    {
        const NoGrad no_grad;
        const EvalMode mode(*model_.model);
        out.score = objective_->score((*model_.model)(x).data());
    }
    out.decided = out.score >= model_.info.threshold.value ? bonafide_class : attack_class;
    out.label = options_.label.value_or(out.decided);
    const size_t frames = x.rank() == 5 ? static_cast<size_t>(x.shape()[1]) : 1;
    const std::span<const float> values = x.data();
    for (size_t frame = 0; frame < frames; ++frame)
        out.frames.push_back(preprocess.picture(values.data() + frame * (values.size() / frames)));
    for (const saliency::Method method : options_.methods)
        out.explanations.push_back(saliency::explain(*model_.model, x,
                                                     {.method = method,
                                                      .label = out.label,
                                                      .layer = options_.layer,
                                                      .patch = options_.patch,
                                                      .stride = options_.stride}));
    return out;
}

std::vector<data::SheetTile> tiles_of(const Explained& explained, size_t frame, const std::string& name,
                                      const ModelFileInfo& info) {
    const auto class_name = [&](int64_t label) { return info.classes[static_cast<size_t>(label)]; };
    const std::string decision =
        class_name(explained.decided) + worded(explained.decided == bonafide_class ? ": %.3f >= %.3f" : ": %.3f < %.3f",
                                               explained.score, info.threshold.value);
    std::vector<data::SheetTile> tiles{
        {.picture = saliency::without_overlay(explained.frames[frame]), .lines = {name, decision}}};
    for (const saliency::Explanation& explanation : explained.explanations)
        tiles.push_back(tile_of(explanation, frame, explained.frames[frame], class_name(explained.label)));
    return tiles;
}

void add_rows(data::Sheet& sheet, const Explained& explained, const std::string& name, const ModelFileInfo& info) {
    for (size_t frame = 0; frame < explained.frames.size(); ++frame) {
        const std::string which = frame == 0 ? "" : ", frame " + std::to_string(frame + 1);
        for (data::SheetTile& tile : tiles_of(explained, frame, name + which, info)) sheet.add(std::move(tile));
        sheet.end_row();
    }
}

}  // namespace liven
