#include <cmath>
#include <limits>

#include "liven/train/callbacks.hpp"
#include "liven/train/model_file.hpp"

namespace liven {
namespace {

double acer_of(const EpochReport& report) {
    return report.validation_acer.value_or(std::numeric_limits<double>::quiet_NaN());
}

/// A number that is none (the first epoch's, kept for want of a better) is null in JSON.
double number_or_nan(const Json* json) {
    return !json || json->is_null() ? std::numeric_limits<double>::quiet_NaN() : json->number();
}

}  // namespace

bool EarlyStopping::improves(double loss, double acer) const {
    if (best_epoch_ < 0) return true;
    const auto better = [](double now, double best) { return now < best || (std::isnan(best) && !std::isnan(now)); };
    const bool tied = acer == best_acer_ || (std::isnan(acer) && std::isnan(best_acer_));
    return by_ == By::loss || tied ? better(loss, best_loss_) : better(acer, best_acer_);
}

void EarlyStopping::on_epoch_end(Training& training, const EpochReport& report) {
    if (improves(report.validation_loss, acer_of(report))) {
        best_loss_ = report.validation_loss;
        best_acer_ = acer_of(report);
        best_epoch_ = report.epoch;
        waited_ = 0;
        best_ = copy_states(training.model);
        return;
    }
    ++waited_;
    if (patience_ > 0 && waited_ >= patience_)
        training.stop(std::string("no better validation ") + (by_ == By::loss ? "loss" : "ACER") + " for " +
                      std::to_string(patience_) + " epochs");
}

void EarlyStopping::on_train_end(Training& training) {
    if (!best_.empty()) load_states(training.model, best_, training.folder.string());
}

CallbackState EarlyStopping::state() const {
    return {
        .values = Json::object(
            {{"best_loss", best_loss_}, {"best_acer", best_acer_}, {"best_epoch", best_epoch_}, {"waited", waited_}}),
        .tensors = best_};
}

void EarlyStopping::restore(const CallbackState& state) {
    best_loss_ = number_or_nan(state.values.find("best_loss"));
    best_acer_ = number_or_nan(state.values.find("best_acer"));
    best_epoch_ = state.values.at("best_epoch").integer();
    waited_ = state.values.at("waited").integer();
    best_ = state.tensors;
}

}  // namespace liven
