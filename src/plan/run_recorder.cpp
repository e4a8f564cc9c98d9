#include "run_recorder.hpp"

#include <algorithm>
#include <sstream>
#include <tuple>

#include "liven/graph/operation.hpp"

namespace liven::detail {
namespace {

constexpr size_t kKeptRuns = 64;
constexpr double kShortestWait = 1;  // microseconds; what a look at the clock and a passing by take is no wait

double microseconds(UnitTimes::Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

bool updates_state(const Group& group, const Graph& graph) {
    return std::any_of(graph.roots.begin(), graph.roots.end(), [&](const Graph::Root& root) {
        const ValueKey key = key_of(storage_of(root.value));
        return root.assigns >= 0 && std::any_of(group.outputs.begin(), group.outputs.end(),
                                                [&](const auto& output) { return key_of(output.value) == key; });
    });
}

WorkKind kind_of(const Group& group, const Graph& graph) {
    const std::string_view category = group.core ? group.core->operation->doc.category : std::string_view();
    if (category == "convolution") return WorkKind::convolution;
    if (category == "linear" || category == "recurrent" || updates_state(group, graph)) return WorkKind::dense;
    if (!group.core || category == "pooling") return WorkKind::pointwise;
    return WorkKind::other;
}

}  // namespace

void RunRecorder::reset() { runs_ = 0; }

void RunRecorder::make_room(int threads) {
    if (first_unit_.empty()) {
        size_t items = 0;
        for (const Segment& segment : schedule_.segments) {
            first_unit_.push_back(items);
            items += segment.items.size();
        }
        units_.resize(items);
        milliseconds_.resize(kKeptRuns * schedule_.steps.size());
    }
    threads_ = threads;
    barriers_.assign(static_cast<size_t>(threads) * schedule_.segments.size(), {});
}

void RunRecorder::begin(int threads) {
    make_room(threads);
    std::fill(units_.begin(), units_.end(), UnitTimes{});
    began_ = Clock::now();
}

void RunRecorder::end() {
    ended_ = Clock::now();
    const size_t steps = schedule_.steps.size(), kept = static_cast<size_t>(runs_) % kKeptRuns;
    double* sums = milliseconds_.data() + kept * steps;
    std::fill(sums, sums + steps, 0.0);
    for (size_t s = 0; s < schedule_.segments.size(); ++s) {
        const Segment& segment = schedule_.segments[s];
        for (size_t i = 0; i < segment.items.size(); ++i) {
            const UnitTimes& unit = units_[first_unit_[s] + i];
            if (unit.thread < 0) continue;
            sums[segment.stages[segment.items[i].stage].step] +=
                microseconds(unit.ended - unit.began) * 1e-3 / unit.team;
        }
    }
    ++runs_;
}

double RunRecorder::median(size_t step) const {
    const size_t runs = std::min(static_cast<size_t>(runs_), kKeptRuns);
    if (runs == 0) return 0;
    std::vector<double> times;
    for (size_t run = 0; run < runs; ++run) times.push_back(milliseconds_[run * schedule_.steps.size() + step]);
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(runs / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
}

std::vector<ProfileEntry> RunRecorder::profile() const {
    std::vector<ProfileEntry> entries;
    for (size_t i = 0; i < schedule_.fused.groups.size(); ++i) {
        const Group& group = schedule_.fused.groups[i];
        const double done = schedule_.keeps_all(i) ? 0 : 1;  // again in each run
        entries.push_back({.name = group.str(),
                           .kernel = std::string(group.kernel_name()),
                           .scope = group.place(),
                           .kind = kind_of(group, schedule_.fused.graph),
                           .milliseconds = median(i),
                           .flops = done * group.flops,
                           .bytes = done * group.bytes,
                           .written = done * group.written_bytes(),
                           .runs = runs_});
    }
    return entries;
}

void RunRecorder::add_events(Timeline& timeline, size_t s) const {
    const Segment& segment = schedule_.segments[s];
    for (size_t i = 0; i < segment.items.size(); ++i) {
        const UnitTimes& unit = units_[first_unit_[s] + i];
        if (unit.thread < 0) continue;
        const WalkItem& item = segment.items[i];
        const ScheduledStage& place = segment.stages[item.stage];
        Timeline::Event event{.thread = unit.thread,
                              .activity = Timeline::Activity::wait,
                              .segment = s,
                              .step = place.step,
                              .stage = place.stage,
                              .unit = item.unit,
                              .begin = microseconds(unit.taken - began_),
                              .end = microseconds(unit.began - began_)};
        if (event.end - event.begin >= kShortestWait) timeline.events.push_back(event);
        event.activity = Timeline::Activity::work;
        event.begin = event.end;
        event.end = microseconds(unit.ended - began_);
        timeline.events.push_back(event);
    }
    for (int thread = 0; thread < threads_; ++thread) {
        const Barrier& barrier = barriers_[static_cast<size_t>(thread) * schedule_.segments.size() + s];
        if (microseconds(barrier.to - barrier.from) < kShortestWait) continue;
        timeline.events.push_back({.thread = thread,
                                   .activity = Timeline::Activity::barrier,
                                   .segment = s,
                                   .begin = microseconds(barrier.from - began_),
                                   .end = microseconds(barrier.to - began_)});
    }
}

Timeline RunRecorder::timeline() const {
    Timeline timeline;
    if (runs_ == 0) return timeline;
    timeline.threads = threads_;
    timeline.microseconds = microseconds(ended_ - began_);
    for (size_t s = 0; s < schedule_.segments.size(); ++s) add_events(timeline, s);
    std::stable_sort(timeline.events.begin(), timeline.events.end(), [](const auto& a, const auto& b) {
        return std::tie(a.thread, a.begin, a.end) < std::tie(b.thread, b.begin, b.end);
    });
    return timeline;
}

std::string RunRecorder::str() const {
    std::ostringstream out;
    out << "time a run";
    for (const ProfileEntry& entry : profile()) {
        const double ms = std::max(entry.milliseconds, 1e-6);  // what a session keeps takes no time at all
        out << "\n  " << entry.milliseconds << " ms   " << entry.flops / ms * 1e-6 << " GFLOP/s   "
            << entry.bytes / ms * 1e-6 << " GB/s   " << entry.kernel << "   " << entry.scope;
    }
    return out.str();
}

}  // namespace liven::detail
