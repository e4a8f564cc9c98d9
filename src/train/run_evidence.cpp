#include "run_evidence.hpp"

#include "liven/core/error.hpp"
#include "liven/core/progress.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/train/judged.hpp"
#include "liven/train/score_file.hpp"
#include "run_folder.hpp"
#include "training_data.hpp"

namespace liven {
namespace {

Scored scored_with_bar(Module& model, data::Loader& loader, const std::string& what) {
    const int64_t all = loader.dataset().size();
    Progress bar({.title = what, .total = all, .unit = "img"});
    int64_t shown = 0;
    return score(model, loader, [&](int64_t done, int64_t batches) {
        const int64_t now = all * done / std::max<int64_t>(1, batches);
        bar.advance(now - shown);
        shown = now;
    });
}

/// "path#frame", however the path is written.
std::string sample_name(const std::filesystem::path& path, const std::string& frame) {
    return std::filesystem::absolute(path).lexically_normal().string() + '#' + frame;
}

/// The same of a name in a file of scores, where a picture that is no frame has its path alone.
std::string sample_name(const std::string& name) {
    const size_t mark = name.rfind('#');
    const bool framed = mark != std::string::npos && mark + 1 < name.size() &&
                        name.find_first_not_of("0123456789", mark + 1) == std::string::npos;
    return framed ? sample_name(name.substr(0, mark), name.substr(mark + 1)) : sample_name(name, "-1");
}

}  // namespace

ScoredPart score_part(LoadedModel& loaded, const data::Dataset& set, int64_t batch, const std::string& title) {
    data::Loader loader = evaluation_loader(set, loaded.info.preprocess, batch);
    const Scored scored = scored_with_bar(*loaded.model, loader, title);
    ScoredPart part{.set = set,
                    .paths = {},
                    .groups = {},
                    .scored = scored,
                    .report = pad_report(scored, loaded.info.threshold.value, *loaded.model->objective()),
                    .broken = loader.broken()};
    for (const int64_t index : scored.samples) {
        const data::Sample& sample = set.samples[static_cast<size_t>(index)];
        part.paths.push_back(sample_name(sample.path, std::to_string(sample.frame)));
        part.groups.push_back(group_of(sample));
    }
    return part;
}

RunEvidence gather_evidence(const std::filesystem::path& folder, const std::string& name) {
    const RunFolder run(folder);
    run.require_begun();
    if (!std::filesystem::exists(run.model()))
        throw Error(folder.string(), "the run has no model yet", "finish it: liven train --resume " + folder.string());
    LoadedModel loaded = load_model(run.model());
    const TrainSettings settings = run.settings();
    TrainingData data(settings);
    RunEvidence evidence{
        .name = name,
        .folder = folder,
        .settings = settings,
        .info = loaded.info,
        .split = data.split(),
        .divided = data.whole(),
        .log = std::filesystem::exists(run.log()) ? read_json_lines(run.log()) : std::vector<Json>{},
        .scores_probability = loaded.model->objective()->scores_probability(),
        .parameters = bytes_of(loaded.model->states()) / sizeof(float),
        .validation = score_part(loaded, data.validation().dataset(), settings.batch, name + " validation"),
        .test = {},
        .pictures = {},
        .scores_only = {}};
    if (const data::Dataset test = data.test(); !test.samples.empty())
        evidence.test = score_part(loaded, test, settings.batch, name + " test");
    evidence.pictures = draw_pictures(loaded, evidence.judged());
    return evidence;
}

RunEvidence evidence_of_scores(const std::filesystem::path& file, const std::string& name,
                               std::optional<double> threshold) {
    ScoreFile scores = read_scores(file);
    if (!scores.threshold && !threshold)
        throw Error(file.string(), "the file does not state a threshold chosen on validation scores",
                    "give it as --threshold, or let this version's liven evaluate --scores write the file");
    const double at = scores.threshold ? *scores.threshold : *threshold;
    ScoredPart part{.set = {},
                    .paths = {},
                    .groups = std::move(scores.judged.groups),
                    .scored = {},
                    .report = pad_report(scores.judged.scores, at),
                    .broken = {}};
    for (const std::string& each : scores.judged.names) part.paths.push_back(sample_name(each));
    part.scored.scores = std::move(scores.judged.scores);
    part.report.log_loss = Measure::undefined("whether the scores are probabilities is not known");
    RunEvidence evidence{.name = name,
                         .folder = file,
                         .settings = {},
                         .info = {},
                         .split = {},
                         .divided = {},
                         .log = {},
                         .validation = std::move(part),
                         .test = {},
                         .pictures = {},
                         .scores_only = scores.threshold ? scores.threshold_rule : "given by --threshold"};
    evidence.info.threshold.value = at;
    return evidence;
}

}  // namespace liven
