#include "cli.hpp"
#include "liven/core/log.hpp"
#include "liven/io/json.hpp"
#include "liven/train/evaluate.hpp"
#include "liven/train/judged.hpp"
#include "liven/train/model_file.hpp"
#include "liven/train/score_file.hpp"
#include "samples.hpp"

namespace liven::cli {
namespace {

struct EvaluateArguments {
    std::string model, data, split = "test", by = "frame", scores, errors, within_set_optimum;
    int64_t batch = 16, clips = 0;
    BootstrapOptions bootstrap{.resamples = 1000};
    bool json = false;
};

/// The set with the scores that the model gives its samples.
struct ScoredSet {
    data::Dataset set;
    Scored scored;
};

ScoredSet scored_by(LoadedModel& loaded, const EvaluateArguments& asked) {
    ScoredSet out{.set = samples_of_split(asked.data, asked.split, loaded.info, asked.clips), .scored = {}};
    data::Loader loader = evaluation_loader(out.set, loaded.info.preprocess, asked.batch);
    out.scored = score(*loaded.model, loader);
    for (const data::BrokenFile& file : loader.broken()) log_warning("skipped " + file.str());
    if (const Json* leak = loaded.info.training.find("allow_leak"); leak && !leak->text().empty())
        log_warning("the splits of this model's training share groups; it was allowed because: " + leak->text());
    return out;
}

PadReport report_of(const Judged& judged, const LoadedModel& loaded, const EvaluateArguments& asked) {
    PadReport report = asked.within_set_optimum.empty()
                           ? pad_report(judged.scores, loaded.info.threshold.value)
                           : pad_report(judged.scores, judged.scores, {.within_set_optimum = asked.within_set_optimum});
    if (!loaded.model->objective()->scores_probability())
        report.log_loss = Measure::undefined("the score is no probability");
    return report;
}

void write_errors(const ScoredSet& scored, double threshold, const EvaluateArguments& asked) {
    const ErrorGallery gallery = error_gallery(scored.set, scored.scored, threshold);
    const std::string& path = asked.errors;
    const std::string counts = (asked.by == "frame" ? "" : "each frame by itself: ") +
                               std::to_string(gallery.accepted_attacks) + " attacks accepted, " +
                               std::to_string(gallery.rejected_bonafide) + " bona fide rejected";
    if (gallery.picture.empty()) return log_warning(counts + ": nothing to draw into " + path);
    data::write(gallery.picture, path);
    log_info(counts + "; the worst: " + path);
}

std::string json_of(const PadReport& report, const std::map<std::string, Interval>& intervals,
                    const EvaluateArguments& asked) {
    Json json = Json::parse(to_json(report));
    json["by"] = asked.by;
    if (!asked.within_set_optimum.empty()) json["within_set_optimum"] = asked.within_set_optimum;
    Json all = Json::object();
    for (const auto& [name, interval] : intervals)
        all[name] = interval.low ? Json::array({interval.low.value(), interval.high.value()}) : Json(nullptr);
    if (!intervals.empty()) json["intervals"] = all;
    return json.str();
}

std::string table_of(const PadReport& report, const std::map<std::string, Interval>& intervals,
                     const EvaluateArguments& asked) {
    std::string text = asked.by == "frame" ? "" : "by " + asked.by + ", the mean score of its frames: ";
    text += to_table(report);
    if (!asked.within_set_optimum.empty())
        text += "  the threshold is a within-set optimum, chosen on these samples: " + asked.within_set_optimum + "\n";
    if (!intervals.empty()) text += "  95 % intervals by bootstrap over groups\n";
    for (const auto& [name, interval] : intervals)
        text += "    " + name + std::string(8 - name.size(), ' ') + interval.str() + "\n";
    return text;
}

void run_evaluate(const EvaluateArguments& asked) {
    const Unit unit = unit_from(asked.by);
    if (!asked.scores.empty()) require_target(asked.scores);
    if (!asked.errors.empty()) require_target(asked.errors, kPictureEndings);
    LoadedModel loaded = load_model(asked.model);
    const ScoredSet scored = scored_by(loaded, asked);
    const Judged judged = judged_by(unit, scored.set, scored.scored);
    const PadReport report = report_of(judged, loaded, asked);
    std::map<std::string, Interval> intervals;
    if (asked.bootstrap.resamples > 0) intervals = intervals_of(judged, report.threshold, asked.bootstrap);
    print(asked.json ? json_of(report, intervals, asked) : table_of(report, intervals, asked));
    if (!asked.scores.empty())
        write_scores(asked.scores, {.judged = judged,
                                    .threshold = report.threshold,
                                    .threshold_rule = asked.within_set_optimum.empty()
                                                          ? loaded.info.threshold.rule
                                                          : "within-set optimum: " + asked.within_set_optimum});
    if (!asked.errors.empty()) write_errors(scored, report.threshold, asked);
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
    auto asked = std::make_shared<EvaluateArguments>();
    CLI::App* command = app.add_subcommand(
        "evaluate", "ISO/IEC 30107-3 measures of a model on a set, at the threshold stored in the model");
    command->add_option("model", asked->model, "model file")->required();
    command->add_option("--data", asked->data, "manifest or folder of images")->required();
    command->add_option("--split", asked->split, "train, val, test or all")
        ->check(CLI::IsMember({"train", "val", "test", "all"}));
    command->add_option("--by", asked->by, "what is judged: each frame (or clip), or the mean of a video or a subject")
        ->check(CLI::IsMember({"frame", "video", "subject"}));
    command
        ->add_option("--clips-per-video", asked->clips,
                     "clips (or frames) of a video file; by default as many as the training took")
        ->check(CLI::Range(1, 10000));
    command->add_option("--resamples", asked->bootstrap.resamples, "of the intervals' bootstrap over groups; 0: none")
        ->check(CLI::IsMember({"0"}) | CLI::Range(2, 1000000));
    command->add_option("--scores", asked->scores, "write each score to this CSV file");
    command->add_option("--errors", asked->errors, "draw the worst false accepts and rejects into this .png or .jpg");
    command->add_option("--within-set-optimum", asked->within_set_optimum,
                        "choose the threshold on the very samples that are judged, and why: it flatters");
    command->add_option("--batch", asked->batch, "images at a time")->check(CLI::Range(1, 65536));
    command->add_flag("--json", asked->json, "one JSON object");
    command->footer("Example: liven evaluate runs/first/model.safetensors --data faces --by video --scores scores.csv");
    command->callback([asked] { run_evaluate(*asked); });
}

}  // namespace liven::cli
