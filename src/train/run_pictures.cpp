#include <algorithm>

#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/train/explainer.hpp"
#include "run_evidence.hpp"

namespace liven {
namespace {

constexpr int64_t kMostPoints = 1000;

/// Places of a class's samples: judged worst, middling, best; fewer when there are fewer.
std::vector<size_t> examples_of(const Scored& scored, int32_t label) {
    std::vector<size_t> places;
    for (size_t i = 0; i < scored.samples.size(); ++i)
        if (scored.scores.labels[i] == label) places.push_back(i);
    std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) {
        const double difference = scored.scores.scores[a] - scored.scores.scores[b];
        return label == bonafide_class ? difference < 0 : difference > 0;
    });
    if (places.size() <= 3) return places;
    return {places.front(), places[places.size() / 2], places.back()};
}

/// A row a sample, bona fide ones first.
data::Image explained_examples(LoadedModel& model, const ScoredPart& part) {
    const std::vector<saliency::Method> methods{saliency::Method::grad_cam, saliency::Method::guided};
    Explainer explainer(model, {.methods = methods});
    data::Sheet sheet({.columns = 3, .side = 200, .lines = 2});
    for (const int32_t label : {bonafide_class, attack_class})
        for (const size_t place : examples_of(part.scored, label)) {
            const data::Sample& sample = part.set.samples[static_cast<size_t>(part.scored.samples[place])];
            const Explained explained = explainer(sample);
            const std::string kind = label == bonafide_class      ? "bona fide: "
                                     : sample.attack_type.empty() ? "attack: "
                                                                  : sample.attack_type + ": ";
            for (data::SheetTile& tile :
                 tiles_of(explained, explained.frames.size() / 2, kind + sample.path.stem().string(), model.info))
                sheet.add(std::move(tile));
            sheet.end_row();
        }
    return sheet.image();
}

}  // namespace

RunPictures draw_pictures(LoadedModel& model, const ScoredPart& part) {
    RunPictures pictures{.errors = error_gallery(part.set, part.scored, model.info.threshold.value),
                         .explained = {},
                         .unexplained = {},
                         .map = {},
                         .unmapped = {}};
    try {
        pictures.explained = explained_examples(model, part);
    } catch (const Error& error) {
        pictures.unexplained = error.what();
    }
    try {
        FeatureRows rows = network_features(model, evenly_chosen(part.set, kMostPoints));
        const bool tsne = rows.rows.rows >= 4;  // what it needs
        pictures.map = feature_map(std::move(rows), {.tsne = tsne});
    } catch (const Error& error) {
        pictures.unmapped = error.what();
    }
    return pictures;
}

}  // namespace liven
