#include <cstdio>

#include "liven/core/log.hpp"
#include "liven/train/callbacks.hpp"

namespace liven {

void ProgressBar::on_epoch_begin(Training& training, const EpochStart& start) {
    const TrainSettings& settings = training.settings;
    char title[64];
    std::snprintf(title, sizeof title, "epoch %2lld/%lld", static_cast<long long>(start.epoch + 1),
                  static_cast<long long>(settings.epochs));
    bar_ = std::make_unique<Progress>(
        Progress::Options{.title = title,
                          .total = start.last + 1 - start.first,
                          .unit = "img",
                          .items_per_step = static_cast<double>(settings.batch * settings.accumulate)});
}

void ProgressBar::on_step(Training&, const StepReport& report) {
    bar_->update({{"loss", report.epoch_loss}, {"acc", report.epoch_accuracy}});
    if (report.index == report.last) bar_->finish();
}

void ProgressBar::on_epoch_end(Training&, const EpochReport& report) {
    close();
    char line[200];
    std::snprintf(line, sizeof line, "             val loss %.4f  acc %.4f  ACER %s%s", report.validation_loss,
                  report.validation_accuracy, report.validation_acer.str().c_str(),
                  report.best ? "   best so far" : "");
    log_info(line);
}

}  // namespace liven
