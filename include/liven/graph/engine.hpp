#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "liven/core/environment.hpp"
#include "liven/core/isa.hpp"
#include "liven/graph/graph.hpp"
#include "liven/graph/profile.hpp"

namespace liven {

class Plan;

/// How plans are made and run. All but the last four are part of a plan's key.
struct EngineOptions {
    ExecutorKind executor = ExecutorKind::planned;
    Isa isa = Isa::baseline;
    bool strict_math = false;  ///< only kernels with the error of direct summation
    DType dtype = DType::f32;  ///< how maps between steps are stored: f32, or bf16, half the bytes; arithmetic is f32
    bool detect_anomaly = false;  ///< no fusion; the first operation to make a NaN or infinity is named in an Error
    uint64_t tuning = 0;          ///< hash of the table of measured kernel times; 0: kernels are chosen by estimates
    int64_t arena_limit = 0;      ///< bytes; what exceeds it is computed again rather than held. 0: no limit
    bool frozen_states = false;   ///< states never change: what follows from them alone is made in the first run
    int threads = 1;
    bool poison = false;  ///< freed arena ranges are filled with NaN
    int verbose = 0;
};

struct EngineStatistics {
    int64_t plans_made = 0;
    int64_t plan_hits = 0;
    int64_t plans_evicted = 0;
    int64_t cached_plans = 0;
    int64_t runs = 0;
    int64_t recomputed = 0;  ///< nodes computed again because they had been read before a commit
    int64_t arena_bytes = 0;
    double repeated = 0;        ///< of the plan that ran last, see PlanMemory
    int64_t steps_skipped = 0;  ///< commits whose guard was 0
};

/// Makes, caches and runs the plans of one thread.
class Engine {
public:
    /// The engine of this thread.
    static Engine& current();
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// What the next plan is made and run with: the LIVEN_* environment, its overrides, and the switches below.
    EngineOptions options() const;
    void set_strict_math(bool on);
    void set_detect_anomaly(bool on);
    /// How maps between steps are stored, EngineOptions::dtype. Throws Error for others than f32 and bf16.
    void set_dtype(DType dtype);
    /// Bytes that a plan's arena may take; 0: as many as it needs. A training step that exceeds them computes parts of
    /// its forward pass a second time; a plan that cannot be made to fit is an Error.
    void set_arena_limit(int64_t bytes);
    const EngineStatistics& statistics() const;
    /// Plans kept at most; the least recently used goes first.
    void set_plan_limit(size_t plans);
    void clear_plans();
    /// Times every step of plans run from now on; `profile` and `timeline` are those of the plan that ran last.
    void set_profiling(bool on);
    std::vector<ProfileEntry> profile() const;
    Timeline timeline() const;

    /// Computes these values and stores them at their nodes. Nothing else changes.
    void evaluate(std::span<const Value> values);
    /// Computes the values and stores them at their nodes, and overwrites each target's state with its value. This is
    /// the inside of commit() in state.hpp.
    struct Target {
        Value value;
        NodePtr state;
    };
    void run(std::span<const Value> keep, std::span<const Target> targets);
    /// The guard of a commit turned out 0: for the statistics.
    void count_skipped_step();

    /// The recorded graph of these values, as run() would plan it.
    Graph graph_of(std::span<const Value> keep, std::span<const Target> targets = {});

private:
    Engine();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Has this thread's engine store maps in another type while it lives.
class WithDType {
public:
    explicit WithDType(DType dtype) : before_(Engine::current().options().dtype) { Engine::current().set_dtype(dtype); }
    ~WithDType() { Engine::current().set_dtype(before_); }
    WithDType(const WithDType&) = delete;
    WithDType& operator=(const WithDType&) = delete;

private:
    DType before_;
};

}  // namespace liven
