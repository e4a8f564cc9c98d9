#include "liven/train/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "liven/io/json.hpp"
#include "liven/ops/softmax.hpp"

namespace liven {
namespace {

void add_batch(Scored& out, const data::Batch& batch, std::span<const float> log_probabilities, int64_t classes) {
    const int32_t* labels = batch.labels.as<int32_t>();
    for (int64_t i = 0; i < batch.count; ++i) {
        const float* row = log_probabilities.data() + i * classes;
        out.scores.scores.push_back(std::exp(static_cast<double>(row[bonafide_class])));
        out.scores.labels.push_back(labels[i]);
        out.samples.push_back(batch.samples[static_cast<size_t>(i)]);
        out.loss -= static_cast<double>(row[labels[i]]);
        out.accuracy += std::max_element(row, row + classes) - row == labels[i] ? 1 : 0;
    }
}

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
            {"kappa", "Cohen's kappa", report.kappa}};
}

}  // namespace

double bonafide_score(std::span<const float> logits) {
    const auto own = static_cast<double>(logits[bonafide_class]);
    double total = 0;
    for (const float logit : logits) total += std::exp(static_cast<double>(logit) - own);
    return 1 / total;
}

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
    const bool training = model.training();
    model.eval();
    Scored out;
    const int64_t batches = loader.batches();
    int64_t done = 0;
    while (const auto batch = loader.next()) {
        const Tensor logits = model(images_of(*batch, loader.options().preprocess));
        add_batch(out, *batch, log_softmax(logits).data(), logits.shape()[1]);
        if (progress) progress(++done, batches);
    }
    model.train(training);
    const auto count = static_cast<double>(std::max<size_t>(1, out.samples.size()));
    out.loss /= count;
    out.accuracy /= count;
    const auto& samples = loader.dataset().samples;
    const bool typed =
        std::any_of(samples.begin(), samples.end(), [](const data::Sample& s) { return !s.attack_type.empty(); });
    for (int64_t index : out.samples)
        if (typed) out.scores.attack_types.push_back(samples[static_cast<size_t>(index)].attack_type);
    return out;
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
        std::snprintf(line, sizeof line, "  %-30s %s\n", row.words, row.value.str().c_str());
        text += line;
    }
    for (const auto& [type, rate] : report.apcer_by_type) {
        std::snprintf(line, sizeof line, "  APCER of %-21s %.4f\n", type.c_str(), rate);
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
