#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "liven/data/loader.hpp"

namespace liven {

/// Numbers by the name of a term of the loss, before its weight.
using TermSums = std::map<std::string, double>;

/// Where a training stands, beside its tensors and what its callbacks remember. A checkpoint holds all of it.
struct TrainProgress {
    int64_t step = 0;  ///< updates done
    int64_t optimizer_steps = 0;
    int64_t forward_count = 0;  ///< with the seed: every dropout mask
    data::Cursor cursor;        ///< the next batch
    float rate_factor = 1;      ///< the learning rate is the schedule's times this; ReduceOnPlateau lowers it
    double epoch_loss = 0;      ///< sum over the images of the running epoch
    TermSums epoch_terms;       ///< the same of the loss's terms
    int64_t epoch_images = 0;
    int64_t epoch_classified = 0, epoch_correct = 0;  ///< images that a classifier judged, and rightly
    std::string stop;                                 ///< not empty: why the training ends after this epoch
};

}  // namespace liven
