#pragma once

#include "liven/train/callbacks.hpp"
#include "liven/train/trainer.hpp"
#include "run_folder.hpp"
#include "training_data.hpp"

namespace liven {

/// What is left to do when the last epoch is over and the model has its best weights: the threshold of least ACER on
/// validation, the model file, the measures on the test set, the pictures.
TrainResult finish_run(const Training& training, TrainingData& data, const EarlyStopping& best);

}  // namespace liven
