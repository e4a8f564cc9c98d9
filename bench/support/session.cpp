#include "bench/support/session.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <ostream>
#include <string_view>

#include "liven/core/error.hpp"

namespace liven::bench {
namespace {

constexpr double kMostOfPeak = 1.01;

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> words;
    for (size_t start = 0; start <= text.size();) {
        const size_t comma = std::min(text.find(',', start), text.size());
        words.push_back(text.substr(start, comma - start));
        start = comma + 1;
    }
    return words;
}

int integer(const std::string& option, const std::string& text) {
    int value = 0;
    const char* end = text.data() + text.size();
    if (std::from_chars(text.data(), end, value).ptr != end || value < 1)
        throw Error(option, "expected a positive number, got '" + text + "'");
    return value;
}

Isa isa_from(const std::string& text) {
    if (text == "best") return available_isas().back();
    for (const Isa isa : available_isas())
        if (name_of(isa) == text) return isa;
    throw Error("--isa", "'" + text + "' is none of this machine's instruction sets");
}

/// The value of "--name value" or "--name=value", taken out of the command line.
std::optional<std::string> take(const std::string& name, int& argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        int words = 0;
        std::string value;
        if (word == name && i + 1 < argc)
            words = 2, value = argv[i + 1];
        else if (word.starts_with(name + "="))
            words = 1, value = word.substr(name.size() + 1);
        else
            continue;
        std::copy(argv + i + words, argv + argc, argv + i);
        argc -= words;
        return value;
    }
    return std::nullopt;
}

std::vector<Shapes> models_in(const std::filesystem::path& folder, const std::vector<std::string>& wanted) {
    std::vector<Shapes> models;
    if (!std::filesystem::is_directory(folder))
        throw Error("--shapes", "no folder " + folder.string(), "run it from the top of the tree, or say --shapes");
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        const std::string name = file.path().stem().string();
        if (file.path().extension() == ".txt" && (wanted.empty() || std::count(wanted.begin(), wanted.end(), name)))
            models.push_back(read_shapes(file.path()));
    }
    for (const std::string& name : wanted)
        if (std::none_of(models.begin(), models.end(), [&](const Shapes& shapes) { return shapes.model == name; }))
            throw Error("--models", "'" + name + "' has no file in " + folder.string(),
                        "files are called as `liven models` calls the models");
    std::sort(models.begin(), models.end(), [](const auto& a, const auto& b) { return a.model < b.model; });
    return models;
}

/// A short line a benchmark: its figures, then its name.
class Table final : public benchmark::BenchmarkReporter {
public:
    /// Quiet: says nothing when no benchmark matches.
    Table(bool head, bool quiet) : head_(head) {
        if (quiet) SetErrorStream(&nowhere_);
    }
    bool ReportContext(const Context&) override {
        if (!head_) return true;
        std::printf("%10s %9s %8s %9s %7s  %s\n", "ms", "GFLOP/s", "GB/s", "of peak", "rounds",
                    "model/kernel/ISA/threads/weights/shape");
        return true;
    }
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            const std::string& name = run.run_name.function_name;
            if (run.error_occurred) {
                std::printf("%s: %s\n", name.c_str(), run.error_message.c_str());
                continue;
            }
            const auto counter = [&](const char* key) {
                const auto found = run.counters.find(key);
                return found == run.counters.end() ? 0.0 : found->second.value;
            };
            const bool fma = run.counters.count("fma%") > 0;
            std::printf("%10.3f %9.1f %8.1f %5.1f%% %s %7.0f  %s\n", run.GetAdjustedRealTime(), counter("GFLOP/s"),
                        counter("GB/s"), counter(fma ? "fma%" : "memory%"), fma ? "fma" : "mem", counter("rounds"),
                        name.c_str());
        }
        std::fflush(stdout);
    }

private:
    bool head_;
    std::ostream nowhere_{nullptr};
};

bool asks_for_help(int argc, char** argv) {
    return std::any_of(argv + 1, argv + argc, [](std::string_view word) { return word == "--help" || word == "-h"; });
}

/// Google Benchmark prints its own options behind ours, and ends the program.
void print_help(const char* program) {
    std::printf("usage: %s [OPTION...]\n\n%s\nGoogle Benchmark's options:\n", program, Session::usage);
    std::fflush(stdout);
    std::string name = program, help = "--help";
    char* words[] = {name.data(), help.data(), nullptr};
    int count = 2;
    benchmark::Initialize(&count, words);
}

int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

const char Session::usage[] =
    R"(  --models A,B         files of --shapes, without .txt (default: all)
  --threads 1,2        each of these numbers of threads (default: 1,2)
  --isa avx2,avx512    of Liven's kernels; best: the widest vectors there are (default: all of this machine)
  --rounds N           rounds to keep of each, whose median counts (default: 20)
  --results FILE       append what was measured, one JSON object a line
  --lines 1-9          only these operations of the one model's file
  --shapes FOLDER      what to measure, as `liven plan MODEL --shapes` prints it (default: bench/shapes)
  --head 0             no head above the table, and nothing to do is no error: a turn among programs
)";

Session::Session(int& argc, char** argv) : isas_(available_isas().begin(), available_isas().end()) {
    const std::string folder = take("--shapes", argc, argv).value_or("bench/shapes");
    const auto models = take("--models", argc, argv);
    models_ = models_in(folder, models ? split(*models) : std::vector<std::string>{});
    read_turn(argc, argv);
    if (const auto text = take("--threads", argc, argv)) {
        threads_.clear();
        for (const std::string& word : split(*text)) threads_.push_back(integer("--threads", word));
    }
    if (const auto text = take("--isa", argc, argv)) {
        isas_.clear();
        for (const std::string& word : split(*text)) isas_.push_back(isa_from(word));
    }
    if (const auto text = take("--rounds", argc, argv)) protocol_.rounds = integer("--rounds", *text);
    if (const auto text = take("--results", argc, argv)) results_.emplace(*text);
}

void Session::read_turn(int& argc, char** argv) {
    if (const auto text = take("--head", argc, argv)) head_ = *text != "0";
    turn_ = !head_;
    const auto text = take("--lines", argc, argv);
    if (!text) return;
    const size_t dash = text->find('-');
    const int first = integer("--lines", text->substr(0, dash));
    const int last = dash == std::string::npos ? first : integer("--lines", text->substr(dash + 1));
    if (models_.size() != 1) throw Error("--lines", "expected one model, got " + std::to_string(models_.size()));
    std::vector<ShapeLine>& lines = models_[0].lines;
    if (first > last || last > std::ssize(lines))
        throw Error("--lines", "expected lines of 1 to " + std::to_string(lines.size()) + ", got '" + *text + "'");
    lines = std::vector<ShapeLine>(lines.begin() + first - 1, lines.begin() + last);
    turn_ = true;
}

Stopwatch& Session::stopwatch(int threads) {
    return stopwatches_.try_emplace(threads, threads, protocol_).first->second;
}

void Session::add(const Entry& entry, int threads, Isa isa, const std::function<Made(Stopwatch&)>& make) {
    added_ = true;
    const std::string name = entry.model + "/" + entry.kernel + "/" + std::string(name_of(isa)) + "/" +
                             std::to_string(threads) + (entry.cold_weights ? "/cold/" : "/hot/") + entry.line->text;
    benchmark::RegisterBenchmark(
        name.c_str(),
        [=, this](benchmark::State& state) {
            Stopwatch& watch = stopwatch(threads);
            const Made made = make(watch);
            if (!made.refusal.empty()) {
                state.SkipWithError(made.refusal.c_str());
                for (auto _ : state) continue;
                return;
            }
            Timing timing;
            for (auto _ : state) {
                timing = watch.time(made.work, isa);
                state.SetIterationTime(timing.seconds);
            }
            if (timing.kept == 0) return state.SkipWithError("the machine is too restless: no round's probes agreed");
            state.counters["GFLOP/s"] = made.work.flops / timing.seconds * 1e-9;
            state.counters["GB/s"] = made.work.bytes / timing.seconds * 1e-9;
            state.counters[timing.roof == Roof::fma ? "fma%" : "memory%"] = 100 * timing.share;
            state.counters["rounds"] = timing.kept;
            record(entry, isa, watch, made.work, timing);
        })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(1);
}

void Session::record(const Entry& entry, Isa isa, Stopwatch& stopwatch, const Work& work, const Timing& timing) {
    const bool fma = timing.roof == Roof::fma;
    const double least = entry.line->least_flops() / work.flops * timing.share;
    const bool exceeded = fma && entry.direct && least > kMostOfPeak;
    if (exceeded) {
        exceeded_ = true;
        std::fprintf(
            stderr,
            "\nINVALID: %s reached %.1f %% of the FMA peak, which no direct kernel can. The probes are wrong.\n\n",
            entry.kernel.c_str(), 100 * least);
    }
    if (!results_) return;
    results_->append(Json::object({{"kind", "kernel"},
                                   {"at", unix_seconds()},
                                   {"engine", entry.engine},
                                   {"kernel", entry.kernel},
                                   {"isa", name_of(isa)},
                                   {"threads", stopwatch.team().threads()},
                                   {"weights", entry.cold_weights ? "cold" : "hot"},
                                   {"model", entry.model},
                                   {"shape", entry.line->text},
                                   {"op", entry.line->op},
                                   {"count", entry.line->count},
                                   {"flops", work.flops},
                                   {"bytes", work.bytes},
                                   {"ms", timing.seconds * 1e3},
                                   {"gflops", work.flops / timing.seconds * 1e-9},
                                   {"gbytes", work.bytes / timing.seconds * 1e-9},
                                   {"roof", fma ? "fma" : "memory"},
                                   {"share", timing.share},
                                   {"probe", timing.peak * 1e-9},
                                   {"fma_peak_gflops", stopwatch.fma_peak(isa) * 1e-9},
                                   {"memory_read_gbytes", stopwatch.memory_rates().read * 1e-9},
                                   {"memory_copy_gbytes", stopwatch.memory_rates().copy * 1e-9},
                                   {"memory_stream_gbytes", stopwatch.memory_rates().stream * 1e-9},
                                   {"rounds", timing.kept},
                                   {"dropped", timing.dropped},
                                   {"valid", !exceeded}}));
}

int Session::run(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    if (!added_ && !turn_) {
        std::string names;
        for (const Shapes& shapes : models_) names += (names.empty() ? "" : ", ") + shapes.model;
        throw Error("nothing to measure", "no line of " + names + " is work for this program",
                    "kernel_bench takes every line, step_bench the plan of a model, and a file by hand has none");
    }
    Table table(head_, turn_);
    const size_t matched = benchmark::RunSpecifiedBenchmarks(&table);
    benchmark::Shutdown();
    if (matched == 0 && !turn_) return 1;  // Google Benchmark has said so
    if (exceeded_) std::fprintf(stderr, "\nINVALID RUN: a direct kernel was above the peak; throw the figures away.\n");
    return exceeded_ ? invalid : 0;
}

int run_lines(const char* program, int argc, char** argv,
              void (*add)(Session&, const Shapes& model, const ShapeLine& line, int threads)) try {
    if (asks_for_help(argc, argv)) {
        print_help(program);
        return 0;
    }
    Session session(argc, argv);
    for (const int threads : session.threads())
        for (const Shapes& model : session.models())
            for (const ShapeLine& line : model.lines) add(session, model, line, threads);
    return session.run(argc, argv);
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
    return 1;
}

}  // namespace liven::bench
