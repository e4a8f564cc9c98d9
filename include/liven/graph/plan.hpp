#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "liven/graph/engine.hpp"
#include "liven/graph/graph.hpp"
#include "liven/graph/memory_map.hpp"

namespace liven {

struct PlanMemory {
    int64_t arena_bytes = 0;    ///< what the plan needs between its leaves and its results
    int64_t lower_bound = 0;    ///< the largest set of values alive at one time
    int64_t scratch_bytes = 0;  ///< per thread
    int64_t result_bytes = 0;   ///< roots that are not written in place
    /// All of it when so many threads run.
    double total(int threads) const {
        return static_cast<double>(arena_bytes + result_bytes + scratch_bytes * threads);
    }
    double repeated = 0;         ///< FLOPs done a second time rather than their results held, of all FLOPs
    int64_t repeated_bytes = 0;  ///< of maps that are made again in the backward pass rather than held for it
};

/// A graph made ready to run. Leaves and results are given by pointer at every run; nothing is allocated.
class Plan {
public:
    virtual ~Plan() = default;

    /// `leaves` in the order of Graph::leaves, `roots` in that of Graph::roots. Not reentrant.
    virtual void run(std::span<const void* const> leaves, std::span<void* const> roots) = 0;
    /// True when root i may be written over the leaf it assigns: nobody reads the old value afterwards.
    virtual bool in_place(size_t root) const = 0;
    virtual PlanMemory memory() const = 0;
    /// What makes up the arena; empty when there is none.
    virtual MemoryMap memory_map() const { return {}; }
    /// Times every unit of the runs from now on until switched off. `profile` is over all of them, `timeline` of the
    /// last.
    virtual void set_profiling(bool) {}
    virtual std::vector<ProfileEntry> profile() const { return {}; }
    virtual Timeline timeline() const { return {}; }
    virtual std::string str() const = 0;
};

/// Makes the plan of a traced graph under the given options.
std::unique_ptr<Plan> make_plan(const Graph& traced, const EngineOptions& options);

/// The stages of planning, for printing.
enum class PlanStage { trace, differentiate, lower, simplify, rematerialize, fuse, schedule, allocate };
PlanStage plan_stage_from(std::string_view name);
/// The graph or plan as it stands after a stage; `graphviz` for a drawing instead of text (after fuse: of the fused
/// groups).
struct ExplainOptions {
    PlanStage after = PlanStage::allocate;
    bool graphviz = false;
};
std::string explain(const Graph& traced, const EngineOptions& options, const ExplainOptions& what = {});

}  // namespace liven
