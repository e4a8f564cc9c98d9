#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "cli.hpp"
#include "kernels/peak.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"
#include "liven/core/version.hpp"
#include "liven/graph/plan.hpp"
#include "liven/io/json.hpp"
#include "work_profile.hpp"
#include "workload.hpp"

namespace liven::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// A field of /proc/self/status in MB, or 0 where there is none.
double status_mb(const std::string& field) {
    std::ifstream status("/proc/self/status");
    std::string name;
    double kilobytes = 0;
    while (status >> name) {
        if (name == field + ":" && status >> kilobytes) return kilobytes * 1.024e-3;  // of 1,024 bytes
        status.ignore(1024, '\n');
    }
    return 0;
}

struct BenchOptions {
    ModelChoice model;
    std::string mode = "train", memory_limit;
    DType dtype = DType::f32, dense_weights = DType::f32;
    int64_t batch = 16;
    int rounds = 30, untimed = 0;
    double seconds = 10;
    bool json = false, profile = false;
};

struct Measurement {
    double ms_min = 0, ms_median = 0, peak_gflops = 0;
    size_t steps = 0;
};

Measurement measure(Workload& work, int threads, double budget, int rounds) {
    std::vector<double> times, peaks;
    work.run();  // makes the plan
    const Clock::time_point start = Clock::now();
    while (static_cast<int>(times.size()) < rounds && (times.size() < 3 || seconds_since(start) < budget)) {
        const Clock::time_point before = Clock::now();
        work.run();
        times.push_back(seconds_since(before) * 1e3);
        if (times.size() % 4 == 1) peaks.push_back(kernels::measure_fma_peak(active_isa(), threads) * 1e-9);
    }
    std::sort(times.begin(), times.end());
    std::sort(peaks.begin(), peaks.end());
    return {.ms_min = times.front(),
            .ms_median = times[times.size() / 2],
            .peak_gflops = peaks[peaks.size() / 2],
            .steps = times.size()};
}

/// Runs steps for a tool that counts from outside, and says what the plan thinks one moves: operands of its kernels
/// read and results written, each once; and the results alone, which go back to memory.
Json planned_traffic(Workload& work, int steps) {
    work.set_profiling(true);
    for (int i = 0; i < steps; ++i) work.run();
    double bytes = 0, written = 0;
    for (const ProfileEntry& entry : work.profile()) bytes += entry.bytes, written += entry.written;
    return Json::object({{"steps", steps}, {"planned_bytes", bytes}, {"planned_written_bytes", written}});
}

/// What sets a run of Liven apart from others of the same task: "avx512", and what was not left as it is.
std::string variant_of(const BenchOptions& options) {
    std::string variant(name_of(active_isa()));
    if (options.dtype != DType::f32) variant += " " + std::string(name_of(options.dtype));
    if (options.dense_weights != DType::f32) variant += " dense " + std::string(name_of(options.dense_weights));
    if (!options.memory_limit.empty()) variant += " limit " + options.memory_limit;
    return variant;
}

}  // namespace

void add_bench_command(CLI::App& app) {
    auto options = std::make_shared<BenchOptions>();
    CLI::App* command =
        app.add_subcommand("bench", "time a training step or an inference, beside the machine's FMA peak");
    add_model_options(*command, options->model);
    command->add_option("--mode", options->mode, "train or infer")->check(CLI::IsMember({"train", "infer"}));
    add_dtype_option(*command, options->dtype);
    add_dense_weights_option(*command, options->dense_weights);
    command->add_option("--batch", options->batch, "images")->check(CLI::Range(1, 65536));
    add_memory_limit_option(*command, options->memory_limit);
    CLI::Option* rounds =
        command->add_option("--rounds", options->rounds, "steps to time at most")->check(CLI::Range(3, 100000));
    CLI::Option* seconds =
        command->add_option("--seconds", options->seconds, "stop after this long")->check(CLI::PositiveNumber);
    CLI::Option* json = command->add_flag("--json", options->json, "one JSON object");
    CLI::Option* profile =
        command->add_flag("--profile", options->profile, "time of every step of the plan")->excludes(json);
    command
        ->add_option("--untimed", options->untimed,
                     "only run this many steps, for a tool that counts from outside; prints the bytes that the plan "
                     "moves, and writes")
        ->check(CLI::Range(1, 1000))
        ->excludes(rounds)
        ->excludes(seconds)
        ->excludes(profile);
    command->footer("Example: liven bench attacknet-v2.2 --mode train --batch 16 --threads 2 --json");
    command->callback([options] {
        const int threads = thread_count();
        const double resident_before = status_mb("VmRSS");
        if (options->mode == "train" && options->dense_weights != DType::f32)
            throw Error("--dense-weights", "expected f32 in training, got bf16", "it is a choice of --mode infer");
        if (options->profile) WorkProfile::require_times("--profile");
        Workload work(options->model, {.batch = options->batch,
                                       .train = options->mode == "train",
                                       .dtype = options->dtype,
                                       .dense_weights = options->dense_weights,
                                       .memory_limit = memory_limit_from(options->memory_limit, options->mode)});
        if (options->untimed > 0) return print(planned_traffic(work, options->untimed).str());
        const double flops = work.flops();
        const Measurement time = measure(work, threads, options->seconds, options->rounds);
        const double efficiency = flops / (time.ms_median * 1e-3) * 1e-9 / time.peak_gflops;
        const double arena = static_cast<double>(work.arena_bytes()) * 1e-6;
        const std::string isa(name_of(active_isa()));
        if (options->json)
            // The first fields are those that the scripts of bench/peers print for other engines.
            print(Json::object({{"engine", "liven"},
                                {"version", version()},
                                {"variant", variant_of(*options)},
                                {"model", options->model.name},
                                {"mode", options->mode},
                                {"batch", options->batch},
                                {"size", options->model.shape()[-3]},
                                {"threads", threads},
                                {"isa", isa},
                                {"dtype", name_of(options->dtype)},
                                {"dense_weights", name_of(options->dense_weights)},
                                {"steps", time.steps},
                                {"ms_min", time.ms_min},
                                {"ms_median", time.ms_median},
                                {"flops", flops},
                                {"peak_gflops", time.peak_gflops},
                                {"efficiency", efficiency},
                                {"arena_mb", arena},
                                {"repeated", work.repeated()},
                                {"rss_mb", status_mb("VmHWM")},
                                {"rss_before_mb", resident_before}})
                      .str());
        else {
            const std::string words = isa + ", " + std::string(name_of(options->dtype)) +
                                      (options->dense_weights == DType::f32 ? "" : ", dense weights bf16");
            char line[256];
            std::snprintf(line, sizeof line,
                          "%s %s batch %lld, %d threads, %s: median %.1f ms, min %.1f ms, %.1f GFLOP, %.0f %% of the "
                          "FMA peak %.0f GFLOP/s, arena %.0f MB, resident %.0f MB",
                          options->model.name.c_str(), options->mode.c_str(), static_cast<long long>(options->batch),
                          threads, words.c_str(), time.ms_median, time.ms_min, flops * 1e-9, 100 * efficiency,
                          time.peak_gflops, arena, status_mb("VmHWM"));
            print(line);
            if (work.repeated() > 0) {
                std::snprintf(line, sizeof line, "%.1f %% of the arithmetic is done twice, so that less memory is held",
                              100 * work.repeated());
                print(line);
            }
        }
        if (options->profile) print(WorkProfile::measure(work, threads).table());
    });
}

}  // namespace liven::cli
