#include "epoch_line.hpp"
#include "liven/train/callbacks.hpp"
#include "run_folder.hpp"

namespace liven {
namespace {

Json json_of(const Measure& measure) { return measure ? Json(measure.value()) : Json(nullptr); }

}  // namespace

Json line_of(const EpochReport& report) {
    Json line = Json::object({{"epoch", report.epoch + 1},
                              {"step", report.step},
                              {"loss", report.loss},
                              {"accuracy", report.accuracy},
                              {"val_loss", report.validation_loss},
                              {"val_accuracy", report.validation_accuracy},
                              {"val_acer", json_of(report.validation_acer)},
                              {"learning_rate", report.learning_rate},
                              {"gradient_norm", report.gradient_norm},
                              {"images", report.images},
                              {"seconds", report.seconds},
                              {"data_seconds", report.data_seconds},
                              {"peak_memory", static_cast<int64_t>(report.peak_memory)}});
    for (const auto& [name, value] : report.terms) line["loss." + name] = value;
    for (const auto& [name, value] : report.validation_terms) line["val_loss." + name] = value;
    if (report.classifier_acer) line["val_acer.classifier"] = report.classifier_acer.value();
    return line;
}

void EpochLog::on_train_begin(Training& training) {
    const RunFolder run(training.folder);
    run.drop_log_after(training.progress.step);
    log_.emplace(run.log());
}

void EpochLog::on_epoch_end(Training&, const EpochReport& report) { log_->append(line_of(report)); }

}  // namespace liven
