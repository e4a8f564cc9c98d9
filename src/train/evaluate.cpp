#include "liven/train/evaluate.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <utility>

#include "liven/graph/engine.hpp"
#include "liven/io/json.hpp"
#include "liven/nn/eval_mode.hpp"

namespace liven {
namespace {

/// Sums over batches: what Scored holds the means of.
class Scoring {
public:
    explicit Scoring(const Objective& objective) : objective_(objective) {}

    /// All that is asked of one batch is computed in one plan.
    void add(const ObjectivePass& pass, const data::Batch& batch) {
        const bool classifies = pass.logits.defined();
        std::vector<Value> wanted{pass.output.value()};
        if (classifies) wanted.push_back(pass.logits.value());
        for (const LossTerm& term : pass.terms) wanted.push_back(term.value.value());
        Engine::current().evaluate(wanted);
        const std::span labels(batch.labels.as<int32_t>(), static_cast<size_t>(batch.count));
        add_scores(out_.scores, pass.output, labels, [&](auto row) { return objective_.score(row); });
        if (classifies) add_classifier(pass, labels);
        for (const LossTerm& term : pass.terms) {
            const double sum = static_cast<double>(term.value.item()) * static_cast<double>(batch.count);
            out_.terms[term.name] += sum;
            out_.loss += sum * static_cast<double>(term.weight);
        }
        out_.samples.insert(out_.samples.end(), batch.samples.begin(), batch.samples.end());
    }

    Scored means() {
        const auto count = static_cast<double>(std::max<size_t>(1, out_.samples.size()));
        out_.loss /= count;
        for (auto& [name, sum] : out_.terms) sum /= count;
        out_.accuracy = classified_ ? correct_ / count : std::numeric_limits<double>::quiet_NaN();
        return std::move(out_);
    }

private:
    template <class Score>
    static void add_scores(ScoredSamples& to, const Tensor& output, std::span<const int32_t> labels, Score score) {
        const std::span<const float> all = output.data();
        const size_t each = all.size() / labels.size();
        for (size_t i = 0; i < labels.size(); ++i) to.scores.push_back(score(all.subspan(i * each, each)));
        to.labels.insert(to.labels.end(), labels.begin(), labels.end());
    }

    void add_classifier(const ObjectivePass& pass, std::span<const int32_t> labels) {
        classified_ = true;
        const std::span<const float> all = pass.logits.data();
        const size_t classes = all.size() / labels.size();
        for (size_t i = 0; i < labels.size(); ++i) {
            const std::span row = all.subspan(i * classes, classes);
            correct_ += std::max_element(row.begin(), row.end()) - row.begin() == labels[i] ? 1 : 0;
        }
        if (pass.logits.node() == pass.output.node()) return;
        if (!out_.classifier) out_.classifier.emplace();
        add_scores(*out_.classifier, pass.logits, labels, bonafide_probability);
    }

    const Objective& objective_;
    Scored out_;
    bool classified_ = false;
    double correct_ = 0;
};

struct Row {
    const char* key;
    const char* words;
    Measure value;
};

std::vector<Row> rows_of(const PadReport& report) {
    return {{"auc", "ROC-AUC", report.roc_auc},
            {"acer", "ACER", report.acer},
            {"apcer", "APCER, all attacks together", report.apcer},
            {"apcer_worst", "APCER, worst attack type", report.worst.apcer},
            {"bpcer", "BPCER", report.bpcer},
            {"eer", "EER", report.eer.value},
            {"bpcer100", "BPCER at APCER 1 %", report.bpcer100},
            {"bpcer20", "BPCER at APCER 5 %", report.bpcer20},
            {"bpcer10", "BPCER at APCER 10 %", report.bpcer10},
            {"accuracy", "accuracy", report.accuracy},
            {"log_loss", "log loss", report.log_loss},
            {"mcc", "Matthews correlation", report.mcc},
            {"kappa", "Cohen's kappa", report.kappa},
            {"pr_auc_bonafide", "PR-AUC, bona fide positive", report.pr_auc_bonafide},
            {"precision_bonafide", "precision, bona fide positive", report.bonafide_positive.precision},
            {"recall_bonafide", "recall, bona fide positive", report.bonafide_positive.recall},
            {"specificity_bonafide", "specificity, bona fide positive", report.bonafide_positive.specificity},
            {"f1_bonafide", "F1, bona fide positive", report.bonafide_positive.f1},
            {"pr_auc_attack", "PR-AUC, attack positive", report.pr_auc_attack},
            {"precision_attack", "precision, attack positive", report.attack_positive.precision},
            {"recall_attack", "recall, attack positive", report.attack_positive.recall},
            {"specificity_attack", "specificity, attack positive", report.attack_positive.specificity},
            {"f1_attack", "F1, attack positive", report.attack_positive.f1}};
}

}  // namespace

PixelScale pixel_scale(const data::Preprocess& preprocess) {
    return {.scale = preprocess.scale, .mean = preprocess.mean, .std = preprocess.std};
}

Tensor images_of(const data::Batch& batch, const data::Preprocess& preprocess) {
    const Tensor images = Tensor::share(batch.images, batch.shape(), batch.dtype);
    return batch.dtype == DType::u8 ? scale_pixels(images, pixel_scale(preprocess)) : images;
}

data::Loader evaluation_loader(const data::Dataset& set, const data::Preprocess& preprocess, int64_t batch) {
    return data::Loader(set, {.batch = batch, .preprocess = preprocess, .shuffle = false, .pixels = true});
}

Scored score(Module& model, data::Loader& loader, const std::function<void(int64_t, int64_t)>& progress) {
    const NoGrad no_grad;
    const EvalMode mode(model);
    const auto objective = model.objective();
    Scoring scoring(*objective);
    const int64_t batches = loader.batches();
    int64_t done = 0;
    while (const auto batch = loader.next()) {
        const Tensor labels = Tensor::share(batch->labels, {batch->count}, DType::i32);
        scoring.add(objective->pass(images_of(*batch, loader.options().preprocess), labels), *batch);
        if (progress) progress(++done, batches);
    }
    Scored out = scoring.means();
    const auto& samples = loader.dataset().samples;
    const bool typed =
        std::any_of(samples.begin(), samples.end(), [](const data::Sample& s) { return !s.attack_type.empty(); });
    for (int64_t index : out.samples)
        if (typed) out.scores.attack_types.push_back(samples[static_cast<size_t>(index)].attack_type);
    return out;
}

PadReport pad_report(const Scored& scored, double threshold, const Objective& objective) {
    PadReport report = pad_report(scored.scores, threshold);
    if (!objective.scores_probability()) report.log_loss = Measure::undefined("the score is no probability");
    return report;
}

std::string to_json(const PadReport& report) {
    Json json = Json::object(), undefined = Json::object();
    for (const Row& row : rows_of(report)) {
        json[row.key] = row.value ? Json(row.value.value()) : Json(nullptr);
        if (!row.value) undefined[row.key] = row.value.reason();
    }
    json["threshold"] = report.threshold;
    json["samples"] = report.confusion.total();
    Json types = Json::object();
    for (const auto& [type, rate] : report.apcer_by_type) types[type] = rate;
    json["apcer_by_type"] = types;
    json["confusion"] = Json::object({{"bonafide_accepted", report.confusion.bonafide_accepted},
                                      {"bonafide_rejected", report.confusion.bonafide_rejected},
                                      {"attacks_accepted", report.confusion.attacks_accepted},
                                      {"attacks_rejected", report.confusion.attacks_rejected}});
    json["undefined"] = undefined;
    return json.str();
}

std::string to_table(const PadReport& report) {
    std::string text;
    char line[160];
    std::snprintf(line, sizeof line, "%lld samples, threshold %.4f (bona fide when the score is at least this)\n",
                  static_cast<long long>(report.confusion.total()), report.threshold);
    text += line;
    for (const Row& row : rows_of(report)) {
        std::snprintf(line, sizeof line, "  %-32s %s\n", row.words, row.value.str().c_str());
        text += line;
    }
    for (const auto& [type, rate] : report.apcer_by_type) {
        std::snprintf(line, sizeof line, "  APCER of %-23s %.4f\n", type.c_str(), rate);
        text += line;
    }
    const Confusion& c = report.confusion;
    std::snprintf(line, sizeof line,
                  "                 accepted  rejected\n  bona fide    %10lld%10lld\n  attacks      %10lld%10lld\n",
                  static_cast<long long>(c.bonafide_accepted), static_cast<long long>(c.bonafide_rejected),
                  static_cast<long long>(c.attacks_accepted), static_cast<long long>(c.attacks_rejected));
    return text + line;
}

}  // namespace liven
