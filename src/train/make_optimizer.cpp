#include "make_optimizer.hpp"

#include <algorithm>
#include <vector>

namespace liven {

std::unique_ptr<Optimizer> make_optimizer(const TrainSettings& settings, std::span<const Parameter> parameters) {
    const auto rate = static_cast<float>(settings.learning_rate), clip = static_cast<float>(settings.clip_norm),
               decay = static_cast<float>(settings.weight_decay), momentum = static_cast<float>(settings.momentum);
    if (settings.optimizer == "sgd")
        return std::make_unique<Sgd>(
            parameters,
            Sgd::Options{.learning_rate = rate, .clip_norm = clip, .weight_decay = decay, .momentum = momentum});
    const bool decoupled = settings.optimizer == "adamw";
    return std::make_unique<Adam>(
        parameters,
        Adam::Options{.learning_rate = rate, .clip_norm = clip, .weight_decay = decay, .decoupled = decoupled});
}

int moments_of(const TrainSettings& settings) {
    if (settings.optimizer == "sgd") return settings.momentum > 0 ? 1 : 0;
    return 2;
}

Schedule make_schedule(const TrainSettings& settings, int64_t updates) {
    const auto rate = static_cast<float>(settings.learning_rate);
    const int64_t all = settings.epochs * updates;
    Schedule schedule = Schedule::constant(rate);
    if (settings.schedule == "cosine") schedule = Schedule::cosine({.rate = rate, .steps = std::max<int64_t>(1, all)});
    if (settings.schedule == "step")
        schedule = Schedule::multi_step({.rate = rate, .milestones = {all / 2, all * 3 / 4}});
    if (settings.schedule == "milestones") {
        std::vector<int64_t> milestones = settings.milestones;
        for (int64_t& milestone : milestones) milestone *= updates;
        schedule = Schedule::multi_step(
            {.rate = rate, .milestones = milestones, .factor = static_cast<float>(settings.milestone_factor)});
    }
    return settings.warm_up > 0 ? schedule.with_warm_up(settings.warm_up) : schedule;
}

}  // namespace liven
