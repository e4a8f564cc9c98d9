#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace liven {

/// A learning rate as a function of the number of updates (or epochs: whatever the caller counts) made so far, from 0.
/// A plain value without state: resuming at step t needs nothing but t.
///
///     const Schedule schedule = Schedule::cosine({.rate = 1e-3f, .steps = 5000}).with_warm_up(500);
///     adam.set_learning_rate(schedule(step));
class Schedule {
public:
    enum class Kind : uint8_t { constant, step, multi_step, cosine, inverse_time };
    static constexpr size_t max_milestones = 16;

    struct Step {
        float rate = 1e-3f;
        int64_t every = 1;  ///< steps between two drops
        float factor = 0.1f;
    };
    struct MultiStep {
        float rate = 1e-3f;
        std::vector<int64_t> milestones = {};  ///< ascending; the rate drops at each
        float factor = 0.1f;
    };
    struct Cosine {
        float rate = 1e-3f;
        int64_t steps = 1;  ///< until the rate has come down to `floor`, where it stays
        float floor = 0;
    };
    struct InverseTime {
        float rate = 1e-3f;
        float decay = 0;  ///< rate / (1 + decay * step): Keras' old `decay`, LivenessNet's published training
    };

    explicit Schedule(float rate = 1e-3f) : rate_(rate) {}
    static Schedule constant(float rate) { return Schedule(rate); }
    /// rate * factor^(step / every). Throws Error unless every >= 1.
    static Schedule step(const Step& options);
    /// rate * factor^(milestones passed). Throws Error for more than 16 milestones or when they do not ascend.
    static Schedule multi_step(const MultiStep& options);
    /// floor + (rate - floor) * (1 + cos(pi * step / steps)) / 2. Loshchilov and Hutter 2017, without restarts.
    static Schedule cosine(const Cosine& options);
    static Schedule inverse_time(const InverseTime& options);

    /// The same, but over the first steps the rate grows linearly: step t < steps uses (t + 1) / steps of it. The
    /// schedule underneath counts from 0 all the same.
    Schedule with_warm_up(int64_t steps) const;

    /// The rate of the update after `step` others.
    float operator()(int64_t step) const;
    /// The rate it starts from, before warm-up.
    float rate() const { return rate_; }
    Kind kind() const { return kind_; }

private:
    double undamped(int64_t step) const;

    Kind kind_ = Kind::constant;
    float rate_, factor_ = 1, floor_ = 0;
    int64_t span_ = 1, warm_up_ = 0;
    std::array<int64_t, max_milestones> milestones_{};
    size_t milestone_count_ = 0;
};

/// Lowers the rate when a watched number stops to improve, as Keras' callback and PyTorch's scheduler do.
class ReduceOnPlateau {
public:
    struct Options {
        float factor = 0.5f;
        int64_t patience = 7;     ///< this many values without improvement are endured; the next one lowers the rate
        double min_delta = 1e-4;  ///< a smaller change is no improvement
        float min_rate = 0;
        int64_t cooldown = 0;  ///< values after a drop that are not counted
        bool maximize = false;
    };
    /// What a checkpoint must hold.
    struct State {
        double best = 0;
        bool has_best = false;
        int64_t waited = 0, cooling = 0;
        bool operator==(const State&) const = default;
    };

    /// Throws Error unless 0 < factor < 1 and patience >= 0.
    explicit ReduceOnPlateau(const Options& options);
    ReduceOnPlateau() : ReduceOnPlateau(Options()) {}

    /// The rate to go on with, given the one in use and the newest value (validation loss after an epoch). NaN counts
    /// as no improvement.
    float update(double value, float rate);

    const State& state() const { return state_; }
    void restore(const State& state) { state_ = state; }

private:
    Options options_;
    State state_;
};

}  // namespace liven
