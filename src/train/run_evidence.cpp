#include "run_evidence.hpp"

#include "liven/core/error.hpp"
#include "liven/core/progress.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/train/judged.hpp"
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
        part.paths.push_back(sample.path.string() + '#' + std::to_string(sample.frame));
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
        .pictures = {}};
    if (const data::Dataset test = data.test(); !test.samples.empty())
        evidence.test = score_part(loaded, test, settings.batch, name + " test");
    evidence.pictures = draw_pictures(loaded, evidence.judged());
    return evidence;
}

}  // namespace liven
