#include "liven/train/callbacks.hpp"

namespace liven {

void PlateauRate::on_epoch_end(Training& training, const EpochReport& report) {
    // The floor is that of the rate itself, whatever warm-up makes of it.
    const auto rate = static_cast<float>(training.settings.learning_rate);
    training.progress.rate_factor =
        plateau_.update(report.validation_loss, rate * training.progress.rate_factor) / rate;
}

CallbackState PlateauRate::state() const {
    const ReduceOnPlateau::State& s = plateau_.state();
    return {.values = Json::object(
                {{"best", s.best}, {"has_best", s.has_best}, {"waited", s.waited}, {"cooling", s.cooling}}),
            .tensors = {}};
}

void PlateauRate::restore(const CallbackState& state) {
    const Json& values = state.values;
    plateau_.restore({.best = values.at("best").number(),
                      .has_best = values.at("has_best").boolean(),
                      .waited = values.at("waited").integer(),
                      .cooling = values.at("cooling").integer()});
}

}  // namespace liven
