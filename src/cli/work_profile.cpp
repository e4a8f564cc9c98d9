#include "work_profile.hpp"

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <sstream>

#include "kernels/memory_peak.hpp"
#include "kernels/peak.hpp"
#include "liven/core/buffer.hpp"
#include "liven/core/error.hpp"
#include "liven/graph/engine.hpp"

namespace liven::cli {
namespace {

using ProfileClock = std::chrono::steady_clock;

constexpr int kFewestRuns = 5, kMostRuns = 20;
constexpr double kBudget = 10;            // seconds
constexpr double kSmallestShare = 0.002;  // of a run, for a line of its own

double milliseconds_since(ProfileClock::time_point start) {
    return std::chrono::duration<double, std::milli>(ProfileClock::now() - start).count();
}

double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

/// Some steps taken together.
struct Sum {
    double milliseconds = 0, flops = 0, bytes = 0;
    int64_t steps = 0;
    void add(const ProfileEntry& step) {
        milliseconds += step.milliseconds;
        flops += step.flops;
        bytes += step.bytes;
        ++steps;
    }
};

Sum sum_of(const ProfileEntry& step) {
    Sum sum;
    sum.add(step);
    return sum;
}

/// One table: every line against the same run and the same peaks.
class ProfileTable {
public:
    explicit ProfileTable(const WorkProfile& profile) : profile_(profile) {
        out_ << std::fixed << "      ms   share  GFLOP/s  of FMA     GB/s  of memory  ";
    }

    void title(std::string_view last_column) { out_ << last_column << '\n'; }

    void line(const Sum& sum, std::string_view what) {
        time(sum.milliseconds);
        rate(sum.flops, sum.milliseconds, profile_.fma_peak, 9);
        rate(sum.bytes, sum.milliseconds, profile_.memory_peak, 11);
        out_ << "  " << what << '\n';
    }
    /// A line without work.
    void time_line(double milliseconds, std::string_view what) {
        time(milliseconds);
        out_ << std::string(39, ' ') << what << '\n';
    }
    void blank() { out_ << '\n'; }

    std::string str() const { return out_.str(); }

private:
    void time(double milliseconds) {
        out_ << std::setprecision(2) << std::setw(8) << milliseconds << std::setprecision(1) << std::setw(7)
             << 100 * milliseconds / profile_.milliseconds << '%';
    }
    void rate(double amount, double milliseconds, double peak, int share_width) {
        const double a_second = milliseconds > 0 ? amount / milliseconds * 1e3 : 0;
        out_ << std::setprecision(1) << std::setw(9) << a_second * 1e-9 << std::setprecision(0)
             << std::setw(share_width - 2) << (peak > 0 ? 100 * a_second / peak : 0) << '%';
    }

    const WorkProfile& profile_;
    std::ostringstream out_;
};

}  // namespace

void WorkProfile::require_times(const std::string& option) {
    if (Engine::current().options().executor == ExecutorKind::reference)
        throw Error(option, "the reference executor keeps no times", "leave out --executor reference");
}

WorkProfile WorkProfile::measure(Workload& work, int threads) {
    WorkProfile profile{.threads = threads};
    const auto probe_memory = [&] {
        profile.memory_peak = std::max(profile.memory_peak, kernels::measure_memory_peak(threads).best());
        Buffer::trim();
    };
    probe_memory();
    work.run();  // makes the plan
    work.set_profiling(true);
    std::vector<double> times, peaks;
    const ProfileClock::time_point start = ProfileClock::now();
    while (profile.runs < kFewestRuns || (profile.runs < kMostRuns && milliseconds_since(start) < kBudget * 1e3)) {
        if (profile.runs % 4 == 0) peaks.push_back(kernels::measure_fma_peak(active_isa(), threads));
        const ProfileClock::time_point before = ProfileClock::now();
        work.run();
        const double time = milliseconds_since(before);
        if (times.empty() || time < *std::min_element(times.begin(), times.end())) profile.timeline = work.timeline();
        times.push_back(time);
        ++profile.runs;
    }
    profile.steps = work.profile();
    work.set_profiling(false);
    probe_memory();
    profile.milliseconds = median_of(times);
    profile.fma_peak = median_of(peaks);
    return profile;
}

std::string WorkProfile::table() const {
    static constexpr std::pair<WorkKind, std::string_view> kKinds[] = {{WorkKind::convolution, "convolutions"},
                                                                       {WorkKind::dense, "dense layers and updates"},
                                                                       {WorkKind::pointwise, "pointwise and pools"},
                                                                       {WorkKind::other, "other steps"}};
    std::vector<size_t> sorted;  // step numbers, as --after schedule and --trace have them
    Sum all, small, kinds[std::size(kKinds)];
    for (size_t i = 0; i < steps.size(); ++i) {
        const ProfileEntry& step = steps[i];
        all.add(step);
        kinds[static_cast<size_t>(step.kind)].add(step);
        if (step.milliseconds < kSmallestShare * milliseconds)
            small.add(step);
        else
            sorted.push_back(i);
    }
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](size_t a, size_t b) { return steps[a].milliseconds > steps[b].milliseconds; });
    std::ostringstream out;
    out << std::fixed << std::setprecision(1) << "medians of " << runs << " runs, " << threads << " threads; FMA peak "
        << fma_peak * 1e-9 << " GFLOP/s, memory peak " << memory_peak * 1e-9
        << " GB/s (what lies in cache goes beyond it)\n";
    ProfileTable table(*this);
    table.title("step  kernel   module");
    for (const size_t i : sorted) {
        const std::string number = std::to_string(i);
        const std::string aligned = std::string(number.size() < 4 ? 4 - number.size() : 0, ' ') + number;
        table.line(sum_of(steps[i]), aligned + "  " + steps[i].kernel + "   " + steps[i].scope);
    }
    if (small.steps > 0) table.line(small, std::to_string(small.steps) + " shorter steps");
    table.blank();
    for (const auto& [kind, name] : kKinds) table.line(kinds[static_cast<size_t>(kind)], name);
    table.time_line(std::max(0.0, milliseconds - all.milliseconds), "waiting, tracing and the engine itself");
    table.line({.milliseconds = milliseconds, .flops = all.flops, .bytes = all.bytes}, "one run");
    return out.str() + table.str();
}

}  // namespace liven::cli
