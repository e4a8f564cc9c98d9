#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "liven/data/loader.hpp"
#include "liven/metrics/pad.hpp"
#include "liven/nn/objective.hpp"
#include "liven/ops/pixels.hpp"
#include "liven/train/progress.hpp"

namespace liven {

/// Scores of a data set by the model's objective (of a classifier the softmax probability of bona fide), in the order
/// of `samples`.
struct Scored {
    ScoredSamples scores;
    std::vector<int64_t> samples;  ///< indices into the data set
    double loss = 0;               ///< mean over the samples, no smoothing
    TermSums terms;                ///< the same of each of its terms, before their weights
    double accuracy = 0;           ///< of the classifier's larger probability; NaN when there is no classifier
    /// The probabilities of a classifier that is trained beside the score.
    std::optional<ScoredSamples> classifier;
};

/// What the network sees of a batch: its pictures, scaled as `preprocess` says where they are pixels still.
Tensor images_of(const data::Batch& batch, const data::Preprocess& preprocess);
/// The scaling that `preprocess` states.
PixelScale pixel_scale(const data::Preprocess& preprocess);

/// Runs the model in inference mode over every readable picture of the set. The mode is restored.
Scored score(Module& model, data::Loader& loader, const std::function<void(int64_t, int64_t)>& progress = {});

/// The report of what an objective scored: without a log loss when its scores are no probabilities.
PadReport pad_report(const Scored& scored, double threshold, const Objective& objective);

/// A loader of pictures in the order of the set, unchanged.
data::Loader evaluation_loader(const data::Dataset& set, const data::Preprocess& preprocess, int64_t batch);

/// The report as one JSON object: auc, acer, apcer, bpcer, eer, accuracy, threshold, samples and more; an undefined
/// measure is null with its reason under "undefined".
std::string to_json(const PadReport& report);
/// The same as a table.
std::string to_table(const PadReport& report);

}  // namespace liven
