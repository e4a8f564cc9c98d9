#include "liven/train/callbacks.hpp"

namespace liven {

void Checkpointing::on_step(Training& training, const StepReport& report) {
    // The last update's checkpoint is the epoch's, with its validation.
    if (every_ > 0 && training.progress.step % every_ == 0 && report.index < report.last) write_();
}

void Checkpointing::on_epoch_end(Training&, const EpochReport&) { write_(); }

}  // namespace liven
