#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "liven/core/progress.hpp"
#include "liven/io/event_file.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/optim/schedule.hpp"
#include "liven/train/callback.hpp"

/// The callbacks that every Trainer has.
namespace liven {

/// A bar with images a second, time left, loss and accuracy on a terminal, plain lines in a log; and a line with the
/// validation's figures after each epoch.
class ProgressBar : public Callback {
public:
    void on_epoch_begin(Training& training, const EpochStart& start) override;
    void on_step(Training& training, const StepReport& report) override;
    void on_epoch_end(Training& training, const EpochReport& report) override;
    /// Ends the line where it stands.
    void close() { bar_.reset(); }

private:
    std::unique_ptr<Progress> bar_;
};

/// RUN/log.jsonl: a JSON object an epoch. Lines of epochs after the checkpoint that is resumed are written again.
class EpochLog : public Callback {
public:
    void on_train_begin(Training& training) override;
    void on_epoch_end(Training& training, const EpochReport& report) override;

private:
    std::optional<JsonLines> log_;
};

/// RUN/events.out.tfevents.liven: the numbers of the log for TensorBoard (`tensorboard --logdir RUN`). Trainers have it
/// when it is added; a resumed one goes on with the file up to its checkpoint.
class TensorBoardEvents : public Callback {
public:
    void on_train_begin(Training& training) override;
    void on_epoch_end(Training& training, const EpochReport& report) override;

private:
    std::unique_ptr<EventFile> file_;
};

/// Keeps the weights of the best epoch and gives them back at the end; stops after `patience` epochs without a better
/// one (0: never). The best has the least validation loss, or the least validation ACER and of equal ones the least
/// loss.
class EarlyStopping : public Callback {
public:
    enum class By { loss, acer };
    explicit EarlyStopping(int64_t patience, By by = By::loss) : patience_(patience), by_(by) {}

    /// Whether such an epoch would be the best so far. The first always is; a NaN is better than nothing.
    bool improves(double loss, double acer = 0) const;
    double best_loss() const { return best_loss_; }
    /// From 0; -1 before the first.
    int64_t best_epoch() const { return best_epoch_; }

    void on_epoch_end(Training& training, const EpochReport& report) override;
    void on_train_end(Training& training) override;
    std::string name() const override { return "early_stopping"; }
    CallbackState state() const override;
    void restore(const CallbackState& state) override;

private:
    int64_t patience_;
    By by_;
    double best_loss_ = 0, best_acer_ = 0;
    int64_t best_epoch_ = -1, waited_ = 0;
    NamedTensors best_;
};

/// Lowers the learning rate when the validation loss stops to improve: see ReduceOnPlateau.
class PlateauRate : public Callback {
public:
    explicit PlateauRate(const ReduceOnPlateau::Options& options) : plateau_(options) {}

    void on_epoch_end(Training& training, const EpochReport& report) override;
    std::string name() const override { return "plateau_rate"; }
    CallbackState state() const override;
    void restore(const CallbackState& state) override;

private:
    ReduceOnPlateau plateau_;
};

/// Writes a checkpoint every `every` updates (0: not) and at the end of each epoch, by the function given.
class Checkpointing : public Callback {
public:
    Checkpointing(int64_t every, std::function<void()> write) : every_(every), write_(std::move(write)) {}

    void on_step(Training& training, const StepReport& report) override;
    void on_epoch_end(Training& training, const EpochReport& report) override;

private:
    int64_t every_;
    std::function<void()> write_;
};

}  // namespace liven
