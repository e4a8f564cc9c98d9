#include <limits>

#include "liven/train/callbacks.hpp"
#include "liven/train/model_file.hpp"

namespace liven {

void EarlyStopping::on_epoch_end(Training& training, const EpochReport& report) {
    if (improves(report.validation_loss)) {
        best_loss_ = report.validation_loss;
        best_epoch_ = report.epoch;
        waited_ = 0;
        best_ = copy_states(training.model);
        return;
    }
    ++waited_;
    if (patience_ > 0 && waited_ >= patience_)
        training.stop("no better validation loss for " + std::to_string(patience_) + " epochs");
}

void EarlyStopping::on_train_end(Training& training) {
    if (!best_.empty()) load_states(training.model, best_, training.folder.string());
}

CallbackState EarlyStopping::state() const {
    return {.values = Json::object({{"best_loss", best_loss_}, {"best_epoch", best_epoch_}, {"waited", waited_}}),
            .tensors = best_};
}

void EarlyStopping::restore(const CallbackState& state) {
    // A best loss that is no number (the first epoch's, kept for want of a better) is null in JSON.
    const Json& loss = state.values.at("best_loss");
    best_loss_ = loss.is_null() ? std::numeric_limits<double>::quiet_NaN() : loss.number();
    best_epoch_ = state.values.at("best_epoch").integer();
    waited_ = state.values.at("waited").integer();
    best_ = state.tensors;
}

}  // namespace liven
