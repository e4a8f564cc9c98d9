#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "liven/core/log.hpp"
#include "liven/train/callbacks.hpp"

namespace liven {
namespace {

std::string four_digits(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.4f", value);
    return text;
}

}  // namespace

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
    std::vector<Progress::Value> values{{"loss", report.epoch_loss}};
    if (report.epoch_terms.size() > 1)
        for (const auto& [name, mean] : report.epoch_terms) values.push_back({name, mean});
    if (!std::isnan(report.epoch_accuracy)) values.push_back({"acc", report.epoch_accuracy});
    bar_->update(values);
    if (report.index == report.last) bar_->finish();
}

void ProgressBar::on_epoch_end(Training&, const EpochReport& report) {
    close();
    std::string line = "             val loss " + four_digits(report.validation_loss);
    if (!std::isnan(report.validation_accuracy)) line += "  acc " + four_digits(report.validation_accuracy);
    line += "  ACER " + report.validation_acer.str();
    if (report.classifier_acer) line += "  (classifier " + report.classifier_acer.str() + ")";
    log_info(line + (report.best ? "   best so far" : ""));
}

}  // namespace liven
