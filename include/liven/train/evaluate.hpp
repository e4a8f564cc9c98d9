#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "liven/data/loader.hpp"
#include "liven/metrics/pad.hpp"
#include "liven/nn/module.hpp"
#include "liven/ops/pixels.hpp"

namespace liven {

/// Scores of a data set: the softmax probability of bona fide, in the order of `samples`.
struct Scored {
    ScoredSamples scores;
    std::vector<int64_t> samples;  ///< indices into the data set
    double loss = 0;               ///< mean cross entropy, no smoothing
    double accuracy = 0;           ///< of the larger probability
};

/// What the network sees of a batch: its pictures, scaled as `preprocess` says where they are pixels still.
Tensor images_of(const data::Batch& batch, const data::Preprocess& preprocess);
/// The scaling that `preprocess` states.
PixelScale pixel_scale(const data::Preprocess& preprocess);

/// Runs the model in inference mode over every readable picture of the set. The mode is restored.
Scored score(Module& model, data::Loader& loader, const std::function<void(int64_t, int64_t)>& progress = {});

/// The softmax probability of bona fide from one row of logits.
double bonafide_score(std::span<const float> logits);

/// A loader of pictures in the order of the set, unchanged.
data::Loader evaluation_loader(const data::Dataset& set, const data::Preprocess& preprocess, int64_t batch);

/// The report as one JSON object: auc, acer, apcer, bpcer, eer, accuracy, threshold, samples and more; an undefined
/// measure is null with its reason under "undefined".
std::string to_json(const PadReport& report);
/// The same as a table.
std::string to_table(const PadReport& report);

}  // namespace liven
