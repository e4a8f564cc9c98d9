#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/support/rounds.hpp"
#include "bench/support/shape_line.hpp"
#include "liven/io/json_lines.hpp"

namespace liven::bench {

/// Who did what, beside its Timing in the results.
struct Entry {
    std::string engine;  ///< liven, onednn, ...
    std::string kernel;  ///< the name its engine gives it
    std::string model;   ///< whose shapes
    const ShapeLine* line = nullptr;
    bool cold_weights = false;
    bool direct = false;  ///< computes every product: cannot exceed the FMA peak
};

/// What a benchmark program over the shapes files was asked for: the options of `usage`; the rest is Google
/// Benchmark's. Every benchmark is one piece of work timed by the protocol of Stopwatch; its counters go to the table
/// and, with all that is known, as one JSON line to the results.
class Session {
public:
    /// The options, a line each.
    static const char usage[];

    /// Takes its own options out of the command line. Throws Error for what it cannot read.
    Session(int& argc, char** argv);

    const std::vector<Shapes>& models() const { return models_; }
    const std::vector<int>& threads() const { return threads_; }
    /// Whether this instruction set was asked for (and the machine has it).
    bool has(Isa isa) const { return std::find(isas_.begin(), isas_.end(), isa) != isas_.end(); }
    /// One for each number of threads, made when it is first needed.
    Stopwatch& stopwatch(int threads);

    /// Makes the work when the benchmark runs, so that only one holds memory at a time. A reason instead of work skips.
    struct Made {
        Work work;
        std::string refusal;
    };
    void add(const Entry& entry, int threads, Isa isa, const std::function<Made(Stopwatch&)>& make);

    /// Exit status of a run in which a direct kernel exceeded the peak: no share of it is valid.
    static constexpr int invalid = 3;
    /// Runs all that were added. 0, invalid, or 1 for a command line that cannot be read and for a filter that leaves
    /// nothing. Throws Error when nothing was added. In a turn among programs nothing to do is no error.
    int run(int argc, char** argv);

private:
    void record(const Entry& entry, Isa isa, Stopwatch& stopwatch, const Work& work, const Timing& timing);

    void read_turn(int& argc, char** argv);

    std::vector<Shapes> models_;
    bool turn_ = false, head_ = true, added_ = false;
    std::vector<int> threads_{1, 2};
    std::vector<Isa> isas_;
    Protocol protocol_;
    std::optional<JsonLines> results_;
    std::map<int, Stopwatch> stopwatches_;
    bool exceeded_ = false;
};

/// A job's run() as the work of a line.
template <class Job>
Session::Made made(const ShapeLine& line, const std::shared_ptr<Job>& job) {
    return {.work = {.flops = line.flops(), .bytes = line.bytes(), .prepare = {}, .run = [job] { job->run(); }},
            .refusal = {}};
}

/// The main() of a program that adds each line of each model for each number of threads. Prints what went wrong, and
/// with --help the options, wherever it is called from.
int run_lines(const char* program, int argc, char** argv,
              void (*add)(Session&, const Shapes& model, const ShapeLine& line, int threads));

}  // namespace liven::bench
