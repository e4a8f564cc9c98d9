#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "bench/support/shape_line.hpp"
#include "bench/support/team.hpp"
#include "kernels/step.hpp"
#include "liven/core/attributes.hpp"
#include "liven/core/buffer.hpp"

namespace liven::bench {

/// A line of a shapes file as the kernels see it, with the attributes and programs its pointers need.
class LineProblem {
public:
    /// Throws Error when the kernels know nothing by that name.
    explicit LineProblem(const ShapeLine& line);
    LineProblem(const LineProblem&) = delete;
    LineProblem& operator=(const LineProblem&) = delete;

    const kernels::Problem& problem() const { return problem_; }
    /// Index of the input that holds weights, or -1.
    int weights() const { return weights_; }

private:
    void make_program(const ShapeLine& line);

    std::variant<std::monostate, Conv2dAttributes, MatmulAttributes, PoolAttributes, ReduceAttributes, ConcatAttributes,
                 SliceAttributes, PadAttributes, PermuteAttributes, ResizeAttributes>
        attributes_;
    kernels::Program program_;
    kernels::Problem problem_;
    int weights_ = -1;
};

/// One step of a kernel with memory of its own, run by a team.
class StepWork {
public:
    StepWork(const kernels::Problem& problem, const kernels::KernelInfo& kernel, Team& team);

    void run();
    /// Flushes an input out of the caches.
    void chill(int input) const;

private:
    /// The thread's own share of the units first, as the executor does it (src/plan/lanes.hpp), then the others'.
    void run_stage(int stage, int thread);

    struct alignas(64) Next {
        std::atomic<int64_t> unit{0};
    };

    Team& team_;
    std::unique_ptr<kernels::Step> step_;
    std::vector<Buffer> operands_;
    std::vector<const void*> inputs_;
    std::vector<void*> outputs_;
    Buffer workspace_;
    std::vector<Buffer> scratch_;
    std::vector<Next> next_;  ///< by stage and thread: how many units of its share have been taken
    Meeting meeting_;
};

}  // namespace liven::bench
