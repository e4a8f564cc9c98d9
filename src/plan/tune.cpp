#include "tune.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <map>

#include "arena_limit.hpp"
#include "fused.hpp"
#include "liven/core/buffer.hpp"
#include "liven/core/philox.hpp"
#include "liven/graph/plan.hpp"
#include "schedule.hpp"

namespace liven::detail {
namespace {

using kernels::KernelInfo;
using kernels::Operand;
using kernels::Problem;

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// The operands of a problem with made-up values; whole numbers are 0, which is a class, a step or a place in a window.
class TuneOperands {
public:
    explicit TuneOperands(const Problem& problem) {
        for (const Operand& operand : problem.inputs) inputs_.push_back(add(operand));
        for (const Operand& operand : problem.outputs) outputs_.push_back(add(operand));
    }
    kernels::Buffers buffers() const { return {.inputs = inputs_.data(), .outputs = outputs_.data()}; }

private:
    void* add(const Operand& operand) {
        const int64_t pixels = operand.shape.count() / std::max<int64_t>(1, operand.channels());
        const auto count = static_cast<size_t>(pixels * std::max<int64_t>(operand.pixel_stride, 1));
        const Buffer& memory = memory_.emplace_back(std::max<size_t>(1, count * size_of(operand.dtype)));
        std::memset(memory.data(), 0, memory.bytes());
        if (operand.dtype == DType::f32) {
            Random random(memory_.size());
            std::generate_n(memory.as<float>(), count, [&] { return random.uniform(0.1f, 1.0f); });
        }
        return memory.data();
    }

    std::vector<Buffer> memory_;
    std::vector<const void*> inputs_;
    std::vector<void*> outputs_;
};

/// One kernel over a problem, all of it on this thread.
class TunedKernel {
public:
    TunedKernel(const KernelInfo& kernel, const Problem& problem, Isa isa)
        : step_(kernel.make(problem, isa)),
          workspace_(std::max<size_t>(1, step_->workspace_bytes)),
          scratch_(std::max<size_t>(1, step_->scratch_bytes)) {}

    void time(kernels::Buffers buffers) {
        buffers.workspace = workspace_.as<std::byte>();
        buffers.scratch = scratch_.as<std::byte>();
        const double start = cpu_seconds();
        for (size_t stage = 0; stage < step_->stages.size(); ++stage)
            for (int64_t unit = 0; unit < step_->stages[stage].units; ++unit)
                step_->run(static_cast<int>(stage), unit, buffers);
        seconds_.push_back(cpu_seconds() - start);
    }
    double median() {
        std::sort(seconds_.begin(), seconds_.end());
        // A clock that did not move in so short a time is no time.
        return std::max(seconds_[seconds_.size() / 2], 1e-9);
    }

private:
    std::unique_ptr<kernels::Step> step_;
    Buffer workspace_, scratch_;
    std::vector<double> seconds_;
};

void time_kernels(const Problem& problem, const std::vector<const KernelInfo*>& candidates, Isa isa, int rounds,
                  kernels::TuningTable& table) {
    const TuneOperands operands(problem);
    std::vector<TunedKernel> kernels;
    for (const KernelInfo* kernel : candidates) kernels.emplace_back(*kernel, problem, isa);
    for (int round = 0; round < rounds; ++round)
        for (TunedKernel& kernel : kernels) kernel.time(operands.buffers());
    for (size_t i = 0; i < kernels.size(); ++i)
        table.set({.isa = isa, .kernel = std::string(candidates[i]->name), .problem = kernels::problem_key(problem)},
                  kernels[i].median());
}

}  // namespace

void tune(const Graph& traced, const EngineOptions& options, const TuneOptions& how, kernels::TuningTable& table) {
    const Graph fitting = within_arena_limit(simplify(lower(differentiate(traced))), options);
    const Schedule plan = schedule(fuse(fitting, options), options);
    std::map<std::string, const Group*> problems;
    for (const Group& group : plan.fused.groups) {
        if (!group.kernel) continue;
        const Problem problem = group.problem(options.strict_math);
        const std::string key = kernels::problem_key(problem);
        if (!key.empty() && kernels::accepting(problem, options.isa).size() > 1) problems.emplace(key, &group);
    }
    int64_t done = 0;
    for (const auto& [key, group] : problems) {
        const Problem problem = group->problem(options.strict_math);
        time_kernels(problem, kernels::accepting(problem, options.isa), options.isa, how.rounds, table);
        if (how.progress) how.progress(++done, static_cast<int64_t>(problems.size()));
    }
}

}  // namespace liven::detail
