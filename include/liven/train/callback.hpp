#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "liven/io/host_tensor.hpp"
#include "liven/io/json.hpp"
#include "liven/metrics/measure.hpp"
#include "liven/nn/module.hpp"
#include "liven/optim/optimizer.hpp"
#include "liven/train/progress.hpp"
#include "liven/train/settings.hpp"

namespace liven {

/// A running training as its callbacks see it.
struct Training {
    const TrainSettings& settings;
    const std::filesystem::path& folder;  ///< RUN
    Module& model;
    Optimizer& optimizer;
    TrainProgress& progress;

    /// Ends the training after this epoch, for this reason. It ends as one that was complete: model file and all.
    void stop(std::string reason) { progress.stop = std::move(reason); }
};

/// Before the first update of an epoch, or before the first after a resume within one.
struct EpochStart {
    int64_t epoch = 0;            ///< from 0
    int64_t first = 0, last = 0;  ///< updates of the epoch still to be made, both included, counted from 0
};

/// After an update.
struct StepReport {
    int64_t epoch = 0;            ///< from 0
    int64_t index = 0, last = 0;  ///< of this update within the epoch, from 0, and of the epoch's last one
    double loss = 0;              ///< mean over this update's images, L2 included
    int64_t images = 0;           ///< of this update
    double epoch_loss = 0;        ///< mean over the epoch so far
    TermSums epoch_terms = {};    ///< the same of each of its terms, before their weights
    double epoch_accuracy = 0;    ///< of the classifier; NaN when the model has none
    float learning_rate = 0;
};

/// After an epoch and its validation.
struct EpochReport {
    int64_t epoch = 0;  ///< from 0
    int64_t step = 0;   ///< updates since the training began
    int64_t images = 0;
    double loss = 0, accuracy = 0;  ///< means over the training images, as they were seen
    TermSums terms = {};            ///< of the loss, before their weights
    double validation_loss = 0, validation_accuracy = 0;
    TermSums validation_terms = {};
    /// Of the score used at test: the least over all thresholds.
    Measure validation_acer = Measure::undefined("not validated");
    /// Of a classifier that is trained beside the score: the least over all thresholds.
    Measure classifier_acer = Measure::undefined("the score is the classifier's");
    float learning_rate = 0;  ///< of the last update
    float gradient_norm = 0;  ///< of the last update, before clipping
    double seconds = 0;       ///< without the part before a resume
    double data_seconds = 0;  ///< of these, waiting for the loader
    double peak_memory = 0;   ///< bytes, the most the process has had so far; 0: unknown
    bool best = false;        ///< the best so far by TrainSettings::best_by
};

/// What a callback remembers from one checkpoint to the next.
struct CallbackState {
    Json values = Json::object();
    NamedTensors tensors;
};

/// Something that happens at fixed moments of a training: a progress bar, a log, early stopping, or what you add:
///
///     struct Patience : Callback {
///         void on_epoch_end(Training& training, const EpochReport& report) override {
///             if (report.validation_accuracy > 0.99) training.stop("it is good enough");
///         }
///     };
///     trainer.add(std::make_unique<Patience>());
///
/// The moments come in the order of the functions below, on the thread of train(); callbacks are called in the order
/// of their addition, the built-in ones first, and the checkpoint is written when all others are done. An exception
/// thrown by one ends train() with it; the newest checkpoint stays.
class Callback {
public:
    virtual ~Callback() = default;

    /// Before the first update, of a resumed training too.
    virtual void on_train_begin(Training&) {}
    virtual void on_epoch_begin(Training&, const EpochStart&) {}
    virtual void on_step(Training&, const StepReport&) {}
    virtual void on_epoch_end(Training&, const EpochReport&) {}
    /// After the last epoch, before the model file is written.
    virtual void on_train_end(Training&) {}

    /// Under which a checkpoint keeps the state; empty: there is none.
    virtual std::string name() const { return {}; }
    /// For a training that is killed and resumed to end with the same bits, whatever a callback counts or keeps and
    /// lets decide something has to be here.
    virtual CallbackState state() const { return {}; }
    virtual void restore(const CallbackState&) {}

protected:
    Callback() = default;
    Callback(const Callback&) = default;
    Callback& operator=(const Callback&) = default;
};

/// A function as a callback.
std::unique_ptr<Callback> each_step(std::function<void(Training&, const StepReport&)> function);
std::unique_ptr<Callback> each_epoch(std::function<void(Training&, const EpochReport&)> function);

}  // namespace liven
