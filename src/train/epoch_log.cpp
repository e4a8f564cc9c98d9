#include "liven/train/callbacks.hpp"
#include "run_folder.hpp"

namespace liven {

void EpochLog::on_train_begin(Training& training) {
    const RunFolder run(training.folder);
    run.drop_log_after(training.progress.step);
    log_.emplace(run.log());
}

void EpochLog::on_epoch_end(Training&, const EpochReport& report) {
    const Measure& acer = report.validation_acer;
    log_->append(Json::object({{"epoch", report.epoch + 1},
                               {"step", report.step},
                               {"loss", report.loss},
                               {"accuracy", report.accuracy},
                               {"val_loss", report.validation_loss},
                               {"val_accuracy", report.validation_accuracy},
                               {"val_acer", acer ? Json(acer.value()) : Json(nullptr)},
                               {"learning_rate", report.learning_rate},
                               {"gradient_norm", report.gradient_norm},
                               {"images", report.images},
                               {"seconds", report.seconds},
                               {"data_seconds", report.data_seconds}}));
}

}  // namespace liven
