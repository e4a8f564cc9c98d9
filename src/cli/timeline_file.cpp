#include "timeline_file.hpp"

#include <cmath>

#include "liven/io/file.hpp"
#include "liven/io/json.hpp"

namespace liven::cli {
namespace {

constexpr size_t kManyEvents = 20'000;

/// Events to write, with the units each stands for.
struct Run {
    Timeline::Event event;
    int64_t units = 1;
};

bool continues(const Timeline::Event& before, const Timeline::Event& event) {
    return before.activity == Timeline::Activity::work && event.activity == Timeline::Activity::work &&
           before.thread == event.thread && before.segment == event.segment && before.step == event.step &&
           before.stage == event.stage;
}

std::vector<Run> runs_of(const Timeline& timeline) {
    const bool merge = timeline.events.size() > kManyEvents;
    std::vector<Run> runs;
    for (const Timeline::Event& event : timeline.events) {
        if (merge && !runs.empty() && continues(runs.back().event, event)) {
            runs.back().event.end = event.end;
            ++runs.back().units;
        } else {
            runs.push_back({.event = event});
        }
    }
    return runs;
}

/// "conv1: conv2d"; the operation is the beginning of the step's name.
std::string short_name(const ProfileEntry& step) {
    const std::string op = step.name.substr(0, step.name.find_first_of("[ "));
    return step.scope.empty() ? op : step.scope + ": " + op;
}

/// Microseconds without the last bits of their arithmetic.
double in_nanoseconds(double microseconds) { return std::round(microseconds * 1e3) * 1e-3; }

Json metadata(std::string_view what, int thread, std::string_view key, Json value) {
    return Json::object({{"ph", "M"},
                         {"pid", 1},
                         {"tid", thread},
                         {"name", what},
                         {"args", Json::object({{std::string(key), std::move(value)}})}});
}

Json event_json(const Run& run, const std::vector<ProfileEntry>& steps) {
    const Timeline::Event& event = run.event;
    Json args = Json::object({{"segment", event.segment}});
    std::string name = "barrier", category = "barrier";
    if (event.activity != Timeline::Activity::barrier) {
        const ProfileEntry& step = steps.at(event.step);
        const bool works = event.activity == Timeline::Activity::work;
        name = works ? short_name(step) : "wait for units of the segment";
        category = works ? "work" : "wait";
        args["step"] = event.step;
        args["stage"] = event.stage;
        args["unit"] = event.unit;
        if (run.units > 1) args["units"] = run.units;
        if (works) args["kernel"] = step.kernel;
    }
    return Json::object({{"ph", "X"},
                         {"pid", 1},
                         {"tid", event.thread},
                         {"ts", in_nanoseconds(event.begin)},
                         {"dur", in_nanoseconds(event.end - event.begin)},
                         {"name", name},
                         {"cat", category},
                         {"args", args}});
}

}  // namespace

void write_timeline(const std::filesystem::path& path, const Timeline& timeline, const std::vector<ProfileEntry>& steps,
                    const std::string& title) {
    write_file_atomically(path, [&](OutputFile& file) {
        file.write("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
        file.write(metadata("process_name", 0, "name", title).str());
        for (int thread = 0; thread < timeline.threads; ++thread) {
            file.write(",\n" + metadata("thread_name", thread, "name", "thread " + std::to_string(thread)).str());
            file.write(",\n" + metadata("thread_sort_index", thread, "sort_index", thread).str());
        }
        for (const Run& run : runs_of(timeline)) file.write(",\n" + event_json(run, steps).str());
        file.write("\n]}\n");
    });
}

}  // namespace liven::cli
