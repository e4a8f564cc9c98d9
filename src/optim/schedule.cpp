#include "liven/optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "liven/core/error.hpp"

namespace liven {

Schedule Schedule::step(const Step& options) {
    if (options.every < 1)
        throw Error("schedule", "expected at least 1 step between two drops, got " + std::to_string(options.every));
    Schedule schedule(options.rate);
    schedule.kind_ = Kind::step;
    schedule.span_ = options.every;
    schedule.factor_ = options.factor;
    return schedule;
}

Schedule Schedule::multi_step(const MultiStep& options) {
    if (options.milestones.size() > max_milestones)
        throw Error("schedule", "expected at most " + std::to_string(max_milestones) + " milestones, got " +
                                    std::to_string(options.milestones.size()));
    if (!std::is_sorted(options.milestones.begin(), options.milestones.end()))
        throw Error("schedule", "the milestones must ascend");
    Schedule schedule(options.rate);
    schedule.kind_ = Kind::multi_step;
    schedule.factor_ = options.factor;
    for (int64_t milestone : options.milestones) schedule.milestones_[schedule.milestone_count_++] = milestone;
    return schedule;
}

Schedule Schedule::cosine(const Cosine& options) {
    if (options.steps < 1)
        throw Error("schedule", "expected at least 1 step of cosine, got " + std::to_string(options.steps));
    Schedule schedule(options.rate);
    schedule.kind_ = Kind::cosine;
    schedule.span_ = options.steps;
    schedule.floor_ = options.floor;
    return schedule;
}

Schedule Schedule::inverse_time(const InverseTime& options) {
    if (!(options.decay >= 0.0f))
        throw Error("schedule", "the decay must not be negative, got " + std::to_string(options.decay));
    Schedule schedule(options.rate);
    schedule.kind_ = Kind::inverse_time;
    schedule.factor_ = options.decay;
    return schedule;
}

Schedule Schedule::with_warm_up(int64_t steps) const {
    if (steps < 0) throw Error("schedule", "warm-up takes 0 steps or more, got " + std::to_string(steps));
    Schedule schedule = *this;
    schedule.warm_up_ = steps;
    return schedule;
}

float Schedule::operator()(int64_t step) const {
    const double rate = undamped(std::max<int64_t>(0, step));
    if (step >= warm_up_) return static_cast<float>(rate);
    return static_cast<float>(rate * static_cast<double>(step + 1) / static_cast<double>(warm_up_));
}

double Schedule::undamped(int64_t step) const {
    const auto rate = static_cast<double>(rate_), factor = static_cast<double>(factor_);
    switch (kind_) {
        case Kind::step: {
            const int64_t drops = step / span_;
            return rate * std::pow(factor, static_cast<double>(drops));
        }
        case Kind::multi_step: {
            const auto* end = milestones_.begin() + milestone_count_;
            const auto passed = std::upper_bound(milestones_.begin(), end, step) - milestones_.begin();
            return rate * std::pow(factor, static_cast<double>(passed));
        }
        case Kind::cosine: {
            constexpr double pi = 3.14159265358979323846;
            const double progress = static_cast<double>(std::min(step, span_)) / static_cast<double>(span_);
            const auto floor = static_cast<double>(floor_);
            return floor + (rate - floor) * 0.5 * (1.0 + std::cos(pi * progress));
        }
        case Kind::inverse_time:
            return rate / (1.0 + factor * static_cast<double>(step));
        case Kind::constant:
            break;
    }
    return rate;
}

ReduceOnPlateau::ReduceOnPlateau(const Options& options) : options_(options) {
    if (!(options.factor > 0.0f && options.factor < 1.0f))
        throw Error("reduce_on_plateau", "the factor must lie between 0 and 1, got " + std::to_string(options.factor));
    if (options.patience < 0 || options.cooldown < 0)
        throw Error("reduce_on_plateau", "patience and cooldown must be 0 or more");
}

float ReduceOnPlateau::update(double value, float rate) {
    const double better_by = options_.maximize ? value - state_.best : state_.best - value;
    if (!std::isnan(value) && (!state_.has_best || better_by > options_.min_delta)) {
        state_ = {.best = value, .has_best = true, .waited = 0, .cooling = std::max<int64_t>(0, state_.cooling - 1)};
        return rate;
    }
    if (state_.cooling > 0) {
        --state_.cooling;
        state_.waited = 0;
        return rate;
    }
    if (++state_.waited <= options_.patience) return rate;
    state_.waited = 0;
    state_.cooling = options_.cooldown;
    return std::max(options_.min_rate, rate * options_.factor);
}

}  // namespace liven
