#pragma once

#include <memory>
#include <span>

#include "liven/optim/optimizer.hpp"
#include "liven/optim/schedule.hpp"
#include "liven/train/settings.hpp"

namespace liven {

std::unique_ptr<Optimizer> make_optimizer(const TrainSettings& settings, std::span<const Parameter> parameters);
/// How many values of its own the optimiser keeps for each weight.
int moments_of(const TrainSettings& settings);

/// The rate over a training of `updates` an epoch. "plateau" is constant here: PlateauRate lowers it.
Schedule make_schedule(const TrainSettings& settings, int64_t updates);

}  // namespace liven
