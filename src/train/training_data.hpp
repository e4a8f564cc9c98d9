#pragma once

#include <memory>
#include <string>

#include "liven/data/loader.hpp"
#include "liven/data/split.hpp"
#include "liven/train/settings.hpp"

namespace liven {

/// The clips of a part of a set, or its pictures, those of recordings among them: what a model of these settings sees.
data::Dataset samples_of(const data::Dataset& part, const TrainSettings& settings);

/// The data set of a training, divided, with loaders of its parts.
class TrainingData {
public:
    /// Opens and divides; decodes nothing yet. Throws Error when the set leaks or lacks training or validation samples.
    explicit TrainingData(const TrainSettings& settings);

    /// Decodes every picture once, shows a bar, names the broken ones, and settles the preprocessing.
    void prepare();
    /// Once prepared: that of the settings, with the training set's mean and deviation where they are asked for.
    const data::Preprocess& preprocess() const { return train_->options().preprocess; }
    /// Gives these rows in place of the pictures from now on. The loaders' data sets lose their broken samples.
    void use_features(data::FeatureTable train, data::FeatureTable validation);

    data::Loader& train() { return *train_; }
    data::Loader& validation() { return *validation_; }
    /// The test set, clips gathered; empty when there is none.
    data::Dataset test() const;
    const data::SplitRecord& split() const { return split_; }
    /// The whole set, divided: recordings, where it has such.
    const data::Dataset& whole() const { return set_; }
    /// A hash of what the data set is: names, labels and splits of its samples.
    const std::string& fingerprint() const { return fingerprint_; }
    /// Bytes of decoded pictures that the loaders keep in memory once they are prepared.
    double cache_bytes() const;
    /// Keeps no more of them; before `prepare`.
    void limit_cache(double bytes);

private:
    const TrainSettings& settings_;
    data::Dataset set_;
    data::SplitRecord split_;
    std::string fingerprint_;
    std::unique_ptr<data::Loader> train_, validation_;
};

}  // namespace liven
