#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "liven/graph/profile.hpp"
#include "schedule.hpp"

namespace liven::detail {

/// The times of one unit of work.
struct UnitTimes {
    using Clock = std::chrono::steady_clock;

    int thread = -1;  ///< -1: nobody did it in this run
    int team = 1;     ///< threads that share the segment
    Clock::time_point taken, began, ended;

    static UnitTimes of_thread(int thread, int team) {
        return {.thread = thread, .team = team, .taken = {}, .began = {}, .ended = Clock::now()};
    }
    /// A thread takes its next unit when it has ended the one before.
    void begin(bool waited) {
        taken = ended;
        began = waited ? Clock::now() : taken;
    }
    const UnitTimes& end() {
        ended = Clock::now();
        return *this;
    }
};

/// Writes down what each thread does in a run, and keeps the sums of the last runs by step. Between `begin` and `end`
/// nothing is allocated and nothing locked: every item of the schedule and every thread's wait at a barrier has a place
/// of its own, and one writer.
class RunRecorder {
public:
    using Clock = UnitTimes::Clock;

    /// Keeps the reference.
    explicit RunRecorder(const Schedule& schedule) : schedule_(schedule) {}

    /// Forgets all runs.
    void reset();
    void begin(int threads);
    void add_unit(size_t segment, size_t item, const UnitTimes& times) noexcept {
        units_[first_unit_[segment] + item] = times;
    }
    void add_barrier(size_t segment, int thread, Clock::time_point from, Clock::time_point to) noexcept {
        barriers_[static_cast<size_t>(thread) * schedule_.segments.size() + segment] = {from, to};
    }
    void end();

    /// By step; medians of the last runs.
    std::vector<ProfileEntry> profile() const;
    /// Of the last run.
    Timeline timeline() const;
    /// The profile, a line a step.
    std::string str() const;

private:
    struct Barrier {
        Clock::time_point from, to;
    };

    void make_room(int threads);
    double median(size_t step) const;
    void add_events(Timeline& timeline, size_t segment) const;

    const Schedule& schedule_;
    std::vector<size_t> first_unit_;    ///< by segment
    std::vector<UnitTimes> units_;      ///< by segment and item
    std::vector<Barrier> barriers_;     ///< by thread and segment
    std::vector<double> milliseconds_;  ///< by kept run and step
    int threads_ = 0;
    int64_t runs_ = 0;
    Clock::time_point began_, ended_;
};

}  // namespace liven::detail
