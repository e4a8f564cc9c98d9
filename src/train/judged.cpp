#include "liven/train/judged.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/data/clip.hpp"
#include "pictures.hpp"

namespace liven {
namespace {

constexpr std::array<std::pair<Unit, std::string_view>, 3> kUnits{
    {{Unit::frame, "frame"}, {Unit::video, "video"}, {Unit::subject, "subject"}}};

const data::Sample& sample_of(const data::Dataset& set, const Scored& scored, size_t i) {
    return set.samples[static_cast<size_t>(scored.samples[i])];
}

std::string unit_name(Unit unit, const data::Sample& sample) {
    if (unit == Unit::frame)
        return sample.path.string() + (sample.frame >= 0 ? "#" + std::to_string(sample.frame) : "");
    const std::string& name = unit == Unit::video ? sample.video : sample.subject;
    if (name.empty())
        throw Error(sample.path.string(), "the sample has no " + std::string(name_of(unit)),
                    "judge by frame, or name it in the manifest's column " + std::string(name_of(unit)));
    // Different people have videos of one name.
    const bool whose = unit == Unit::video && !sample.subject.empty();
    return (sample.dataset.empty() ? "" : sample.dataset + '/') + (whose ? sample.subject + '/' : "") + name;
}

/// How far on the wrong side a sample lies; not above 0 for one judged rightly.
double wrongness(const ScoredSamples& scores, size_t i, double threshold) {
    const double above = scores.scores[i] - threshold;
    if (scores.labels[i] == attack_class) return above >= 0 ? std::max(above, 1e-300) : 0;
    return above >= 0 ? 0 : -above;
}

}  // namespace

std::string_view name_of(Unit unit) { return kUnits[static_cast<size_t>(unit)].second; }

Unit unit_from(std::string_view name) {
    for (const auto& [unit, known] : kUnits)
        if (known == name) return unit;
    throw Error("--by", "expected frame, video or subject, got '" + std::string(name) + "'");
}

std::string group_of(const data::Sample& sample) {
    const std::string& name = !sample.subject.empty() ? sample.subject : sample.video;
    return sample.dataset + '/' + (name.empty() ? sample.path.string() : name);
}

Judged judged_by(Unit unit, const data::Dataset& set, const Scored& scored) {
    Judged judged;
    std::map<std::string, std::string> group_by_name;
    for (size_t i = 0; i < scored.samples.size(); ++i) {
        const data::Sample& sample = sample_of(set, scored, i);
        judged.names.push_back(unit_name(unit, sample));
        judged.groups.push_back(group_of(sample));
        group_by_name.emplace(judged.names.back(), judged.groups.back());
    }
    judged.scores = scored.scores;
    if (unit == Unit::frame) return judged;
    UnitScores means = mean_by_unit(scored.scores, judged.names);
    judged = {.scores = std::move(means.samples), .names = std::move(means.units), .groups = {}};
    for (const std::string& name : judged.names) judged.groups.push_back(group_by_name.at(name));
    return judged;
}

std::map<std::string, Interval> intervals_of(const Judged& judged, double threshold, const BootstrapOptions& options) {
    const auto rate = [threshold](Measure (*of)(const Confusion&)) {
        return [of, threshold](const ScoredSamples& samples) { return of(confusion(samples, threshold)); };
    };
    const std::map<std::string, std::function<Measure(const ScoredSamples&)>> measures{
        {"auc", roc_auc},
        {"acer", rate(acer)},
        {"apcer", rate(apcer)},
        {"bpcer", rate(bpcer)},
        {"eer", [](const ScoredSamples& samples) { return equal_error_rate(samples).value; }}};
    std::map<std::string, Interval> intervals;
    for (const auto& [name, measure] : measures)
        intervals.emplace(name, bootstrap_interval(judged.scores, judged.groups, measure, options));
    return intervals;
}

ErrorGallery error_gallery(const data::Dataset& set, const Scored& scored, double threshold, size_t most) {
    ErrorGallery gallery;
    data::Sheet sheet({.columns = 6, .lines = 2});
    for (const int32_t label : {attack_class, bonafide_class}) {
        std::vector<size_t> wrong;
        for (size_t i = 0; i < scored.samples.size(); ++i)
            if (scored.scores.labels[i] == label && wrongness(scored.scores, i, threshold) > 0) wrong.push_back(i);
        std::stable_sort(wrong.begin(), wrong.end(), [&](size_t a, size_t b) {
            return wrongness(scored.scores, a, threshold) > wrongness(scored.scores, b, threshold);
        });
        (label == attack_class ? gallery.accepted_attacks : gallery.rejected_bonafide) =
            static_cast<int64_t>(wrong.size());
        for (size_t i = 0; i < std::min(most, wrong.size()); ++i) {
            const data::Sample& sample = sample_of(set, scored, wrong[i]);
            sheet.add({.picture = data::picture_of(sample),
                       .lines = {caption_of(sample, scored.scores.scores[wrong[i]]), sample.path.stem().string()},
                       .marked = true});
        }
        sheet.end_row();
    }
    if (gallery.accepted_attacks + gallery.rejected_bonafide > 0 && most > 0) gallery.picture = sheet.image();
    return gallery;
}

}  // namespace liven
