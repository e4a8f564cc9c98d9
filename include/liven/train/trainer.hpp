#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "liven/metrics/pad.hpp"
#include "liven/train/callback.hpp"
#include "liven/train/settings.hpp"

namespace liven {

struct TrainResult {
    std::filesystem::path model_file;
    int64_t steps = 0, epochs = 0;
    double best_validation_loss = 0;
    double threshold = 0;
    std::optional<PadReport> validation;
    std::optional<PadReport> test;  ///< at the threshold chosen on validation
    double seconds = 0;
    bool stop_requested = false;  ///< too late to stop this training; whoever trains on should not
};

/// Trains a model: the six lines
///
///     for (auto& batch : loader) {
///         const Tensor loss = cross_entropy(model(batch.images), batch.labels);
///         adam.step(gradients(loss, model.parameters()));
///     }
///
/// grown up. RUN holds config.toml, log.jsonl (a line an epoch), checkpoints/, and at the end model.safetensors,
/// faces.png and curves.svg. Stopped at any moment, by SIGKILL too, it goes on from its newest checkpoint and ends with
/// the same bits.
///
///     TrainSettings settings = settings_of("attacknet-v2.2", "default");
///     settings.data = "faces";
///     Trainer trainer(settings, "runs/first");
///     trainer.add(each_epoch([](Training&, const EpochReport& report) { ... }));
///     const TrainResult result = trainer.train();
///
/// Throws Error when the run exists already, the data set leaks, memory does not suffice, or a loss is not finite
/// (naming the step and the operation); Interrupted after request_stop().
class Trainer {
public:
    /// A new run.
    Trainer(TrainSettings settings, std::filesystem::path run);
    /// Goes on with a run.
    static Trainer resume(const std::filesystem::path& run);
    ~Trainer();
    Trainer(Trainer&&) noexcept;

    /// One more thing to do while training, after the built-in callbacks and those added before. What a checkpoint
    /// holds under its name is restored here. Throws Error when another callback has that name.
    Trainer& add(std::unique_ptr<Callback> callback);

    TrainResult train();

    const TrainSettings& settings() const;
    Module& model();

    /// Finish the step, write a checkpoint, leave train() by Interrupted. Safe in a signal handler.
    static void request_stop();
    /// Asked for, and not yet answered by a training that ended.
    static bool stop_requested();

private:
    struct State;
    explicit Trainer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// What request_stop() leads to.
struct Interrupted {
    int64_t step = 0;
    std::filesystem::path run;
};

}  // namespace liven
