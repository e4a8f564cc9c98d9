#include "liven/protocol/leak.hpp"

#include <algorithm>
#include <cmath>

#include "begun.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/data/split.hpp"
#include "liven/protocol/table.hpp"
#include "liven/train/trainer.hpp"
#include "src/core/folder_lock.hpp"
#include "src/train/run_evidence.hpp"

namespace liven::protocol {
namespace {

/// The samples without their split.
data::Dataset undivided(const std::string& path) {
    data::Dataset set = data::open_dataset(path);
    const bool grouped = std::any_of(set.samples.begin(), set.samples.end(), [](const data::Sample& sample) {
        return !sample.subject.empty() || !sample.video.empty();
    });
    if (!grouped)
        throw Error(path, "nothing says which pictures show one person or come from one video",
                    "give the manifest a column subject or video");
    for (data::Sample& sample : set.samples) sample.split = data::Split::none;
    return set;
}

void train(const TrainSettings& settings, const std::filesystem::path& run) {
    if (std::filesystem::exists(run / "model.safetensors")) return;
    const bool begun = std::filesystem::exists(run / "config.toml");
    Trainer trainer = begun ? Trainer::resume(run) : Trainer(settings, run);
    if (trainer.train().stop_requested) throw Interrupted{.step = 0, .run = run};
}

DividedResult judged(const std::filesystem::path& run, const BootstrapOptions& bootstrap) {
    const RunEvidence evidence = gather_evidence(run, run.filename().string());
    const ScoredPart& part = evidence.judged();
    const ScoredSamples& scores = part.scored.scores;
    const double threshold = evidence.info.threshold.value;
    const auto at_threshold = [threshold](const ScoredSamples& drawn) { return acer(confusion(drawn, threshold)); };
    return {
        .train = evidence.split.train,
        .test = evidence.split.test,
        .auc = {.value = part.report.roc_auc, .interval = bootstrap_interval(scores, part.groups, roc_auc, bootstrap)},
        .acer = {.value = part.report.acer,
                 .interval = bootstrap_interval(scores, part.groups, at_threshold, bootstrap)}};
}

/// a - b. The difference's bounds lie where one figure's bound and the other's opposite one are apart, by squares.
JudgedFigure difference(const JudgedFigure& a, const JudgedFigure& b) {
    JudgedFigure out;
    for (const Measure* each :
         {&a.value, &b.value, &a.interval.low, &a.interval.high, &b.interval.low, &b.interval.high})
        if (!*each) {
            const Measure none = Measure::undefined(each->reason());
            out.interval.low = out.interval.high = none;
            out.value = a.value && b.value ? Measure(a.value.value() - b.value.value()) : none;
            return out;
        }
    const double x = a.value.value(), y = b.value.value();
    out.value = x - y;
    out.interval.level = a.interval.level;
    out.interval.low = x - y - std::hypot(x - a.interval.low.value(), b.interval.high.value() - y);
    out.interval.high = x - y + std::hypot(a.interval.high.value() - x, y - b.interval.low.value());
    return out;
}

std::string words(const JudgedFigure& figure) {
    return figure.value ? figure.value.str() + " " + figure.interval.str(3) : figure.value.str();
}

}  // namespace

std::vector<LeakPair> measure_leak(const LeakOptions& options, const std::filesystem::path& out) {
    const FolderLock lock(out, FolderLock::Wait::no);
    TrainSettings settings = options.training;
    const Undertaking asked{.what = "measurement",
                            .settings = settings.to_config().str(),
                            .pretrained = settings.pretrained,
                            .file = out / "settings.toml"};
    settings.data = begin_or_go_on(undivided(settings.data), asked, out).string();
    std::vector<LeakPair> pairs;
    for (int64_t repeat = 0; repeat < options.repeats; ++repeat) {
        LeakPair pair;
        pair.seed = options.training.seed + static_cast<uint64_t>(repeat);
        settings.seed = pair.seed;
        for (const bool by_image : {true, false}) {
            settings.group_by = by_image ? "image" : "automatic";
            settings.allow_leak = by_image ? "to measure what it does" : "";
            const std::filesystem::path run =
                out / ((by_image ? "by-image-seed" : "by-group-seed") + std::to_string(pair.seed));
            log_info(by_image ? "divided by image" : "divided by group");
            train(settings, run);
            (by_image ? pair.by_image : pair.by_group) = judged(run, options.bootstrap);
        }
        pair.auc_gain = difference(pair.by_image.auc, pair.by_group.auc);
        pair.acer_gain = difference(pair.by_group.acer, pair.by_image.acer);
        pairs.push_back(pair);
    }
    return pairs;
}

std::string leak_table(const std::vector<LeakPair>& pairs) {
    ResultTable table{
        .id = "leak",
        .title = "How much a split by image flatters",
        .positive = {},
        .columns = {"Seed", "Divided", "Train", "Test", "AUC", "ACER"},
        .rows = {},
        .notes = {"With 95 % intervals by bootstrap over groups. The third row is by how much the split by "
                  "image looks better: AUC higher, ACER lower."}};
    for (const LeakPair& pair : pairs) {
        const std::string seed = std::to_string(pair.seed);
        for (const auto& [name, side] : {std::pair{"by image", &pair.by_image}, std::pair{"by group", &pair.by_group}})
            table.add({seed, name, std::to_string(side->train), std::to_string(side->test), words(side->auc),
                       words(side->acer)});
        table.add({seed, "difference", "", "", words(pair.auc_gain), words(pair.acer_gain)});
    }
    return to_markdown(table);
}

}  // namespace liven::protocol
