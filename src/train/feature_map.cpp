#include "liven/train/feature_map.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/explain/features.hpp"
#include "liven/nn/eval_mode.hpp"
#include "liven/train/evaluate.hpp"

namespace liven {
namespace {

void append_rows(Features& to, std::span<const float> values, int64_t count) {
    to.values.insert(to.values.end(), values.begin(), values.end());
    to.rows += count;
    to.columns = static_cast<int64_t>(values.size()) / count;
}

void warn_of_broken(const data::Loader& loader) {
    for (const data::BrokenFile& file : loader.broken()) log_warning("skipped " + file.str());
}

std::vector<int32_t> labels_of(const std::vector<data::Sample>& samples) {
    std::vector<int32_t> labels;
    for (const data::Sample& sample : samples) labels.push_back(static_cast<int32_t>(sample.label));
    return labels;
}

/// Places of the samples, class by class, in a class set by set, in a set by attack type.
std::vector<size_t> by_kind(const data::Dataset& set) {
    std::vector<size_t> places(set.samples.size());
    std::iota(places.begin(), places.end(), size_t{0});
    const auto kind = [&](size_t place) {
        const data::Sample& sample = set.samples[place];
        return std::tie(sample.label, sample.dataset, sample.attack_type);
    };
    std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) { return kind(a) < kind(b); });
    return places;
}

/// The separability within one data set.
Measure separability_in(const FeatureRows& of, const std::string& dataset) {
    Features part{.values = {}, .rows = 0, .columns = of.rows.columns};
    std::vector<data::Sample> samples;
    for (size_t i = 0; i < of.samples.size(); ++i) {
        if (of.samples[i].dataset != dataset) continue;
        const auto width = static_cast<size_t>(of.rows.columns);
        append_rows(part, std::span(of.rows.values).subspan(i * width, width), 1);
        samples.push_back(of.samples[i]);
    }
    return silhouette(part, labels_of(samples));
}

std::string share_of(const char* axis, double explained) {
    char text[64];
    std::snprintf(text, sizeof text, "%s (%.1f %% of the variance)", axis, 100 * explained);
    return text;
}

/// Two columns, the second of zeros where the samples span a line only.
Features plane(const PrincipalComponents& found) {
    Features points{.values = {}, .rows = found.scores.rows, .columns = 2};
    for (int64_t i = 0; i < found.scores.rows; ++i)
        for (int64_t k = 0; k < 2; ++k)
            points.values.push_back(k < found.scores.columns
                                        ? found.scores.values[static_cast<size_t>(i * found.scores.columns + k)]
                                        : 0.0f);
    return points;
}

std::string series_name(const data::Sample& sample, PointsBy by) {
    if (by == PointsBy::dataset) return sample.dataset.empty() ? "not said" : sample.dataset;
    if (sample.label == data::Label::bonafide) return "bona fide";
    return by == PointsBy::label || sample.attack_type.empty() ? "attack" : sample.attack_type;
}

}  // namespace

FeatureRows network_features(LoadedModel& model, const data::Dataset& set, int64_t batch) {
    const NoGrad no_grad;
    const EvalMode mode(*model.model);
    data::Loader loader = evaluation_loader(set, model.info.preprocess, batch);
    FeatureRows out;
    std::string layer;
    while (const auto pictures = loader.next()) {
        const saliency::Penultimate found =
            saliency::penultimate(*model.model, images_of(*pictures, model.info.preprocess));
        append_rows(out.rows, found.features.data(), pictures->count);
        for (const int64_t i : pictures->samples) out.samples.push_back(set.samples[static_cast<size_t>(i)]);
        layer = found.layer;
    }
    warn_of_broken(loader);
    out.what = layer + " of " + model.info.model + ", " + std::to_string(out.rows.columns) + " features";
    return out;
}

FeatureRows pixel_features(const data::Dataset& set, int64_t size) {
    const data::Preprocess preprocess{
        .width = static_cast<int>(size), .height = static_cast<int>(size), .interpolation = data::Interpolation::area};
    data::Loader loader(set, {.batch = 16, .preprocess = preprocess, .shuffle = false});
    FeatureRows out;
    while (const auto pictures = loader.next()) {
        append_rows(out.rows,
                    std::span(pictures->images.as<const float>(), static_cast<size_t>(pictures->shape().count())),
                    pictures->count);
        for (const int64_t i : pictures->samples) out.samples.push_back(set.samples[static_cast<size_t>(i)]);
    }
    warn_of_broken(loader);
    out.what = "pixels, " + std::to_string(size) + " x " + std::to_string(size);
    return out;
}

data::Dataset evenly_chosen(const data::Dataset& set, int64_t most) {
    if (most < 1) throw Error("features", "expected one sample or more, got " + std::to_string(most));
    if (set.size() <= most) return set;
    data::Dataset chosen{.name = set.name};
    const std::vector<size_t> kinds = by_kind(set);
    std::set<size_t> places;
    for (int64_t i = 0; i < most; ++i)
        places.insert(kinds[static_cast<size_t>(i * (set.size() - 1) / std::max<int64_t>(1, most - 1))]);
    for (const size_t place : places) chosen.samples.push_back(set.samples[place]);
    return chosen;
}

FeatureMap feature_map(FeatureRows rows, const FeatureMapOptions& options) {
    FeatureMap map{.of = std::move(rows), .points = {}};
    map.separability = silhouette(map.of.rows, labels_of(map.of.samples));
    std::set<std::string> datasets;
    for (const data::Sample& sample : map.of.samples) datasets.insert(sample.dataset);
    if (datasets.size() > 1)
        for (const std::string& name : datasets) map.by_dataset.emplace_back(name, separability_in(map.of, name));
    if (options.tsne) {
        map.points = tsne(map.of.rows, {.perplexity = options.perplexity, .theta = options.theta}).points;
        map.x = "t-SNE 1", map.y = "t-SNE 2", map.tsne = true;
        return map;
    }
    const PrincipalComponents found = principal_components(map.of.rows, 2);
    const auto explained = [&](size_t k) { return k < found.explained.size() ? found.explained[k] : 0.0; };
    map.points = plane(found);
    map.x = share_of("component 1", explained(0)), map.y = share_of("component 2", explained(1));
    return map;
}

report::LineChart chart_of(const FeatureMap& map, PointsBy by, const std::string& title) {
    std::set<std::string> names;
    for (const data::Sample& sample : map.of.samples) names.insert(series_name(sample, by));
    report::LineChart chart{.title = title.empty() ? map.of.what : title,
                            .x = {.title = map.x},
                            .y = {.title = map.y},
                            .series = {},
                            .square = true};
    for (const std::string& name : names) chart.series.push_back({.name = name, .points = {}, .joined = false});
    for (size_t i = 0; i < map.of.samples.size(); ++i) {
        const std::string name = series_name(map.of.samples[i], by);
        const auto place = static_cast<size_t>(std::distance(names.begin(), names.find(name)));
        chart.series[place].points.push_back({.x = static_cast<double>(map.points.values[2 * i]),
                                              .y = static_cast<double>(map.points.values[2 * i + 1]),
                                              .label = map.of.samples[i].path.filename().string()});
    }
    return chart;
}

}  // namespace liven
