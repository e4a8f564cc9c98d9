#include "tune.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <map>

#include "arena_limit.hpp"
#include "fused.hpp"
#include "kernels/peak.hpp"
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
    TunedKernel(const KernelInfo& kernel, const Problem& problem, Isa isa, bool keeps_weights)
        : step_(kernel.make(problem, isa)),
          keeps_weights_(keeps_weights),
          workspace_(std::max<size_t>(1, step_->workspace_bytes)),
          scratch_(std::max<size_t>(1, step_->scratch_bytes)) {}

    double time(kernels::Buffers buffers) {
        buffers.workspace = workspace_.as<std::byte>();
        buffers.scratch = scratch_.as<std::byte>();
        if (keeps_weights_ && seconds_.empty()) run(true, buffers);
        const double start = cpu_seconds();
        if (!keeps_weights_) run(true, buffers);
        run(false, buffers);
        seconds_.push_back(cpu_seconds() - start);
        return seconds_.back();
    }
    double median() {
        std::sort(seconds_.begin(), seconds_.end());
        // A clock that did not move in so short a time is no time.
        return std::max(seconds_[seconds_.size() / 2], 1e-9);
    }

private:
    /// The stages that pack weights, or the others, which come behind them.
    void run(bool packing, const kernels::Buffers& buffers) const {
        for (size_t stage = 0; stage < step_->stages.size(); ++stage) {
            if (packing != (step_->stages[stage].reads >= 0)) continue;
            for (int64_t unit = 0; unit < step_->stages[stage].units; ++unit)
                step_->run(static_cast<int>(stage), unit, buffers);
        }
    }

    std::unique_ptr<kernels::Step> step_;
    bool keeps_weights_;
    Buffer workspace_, scratch_;
    std::vector<double> seconds_;
};

void time_kernels(const Problem& problem, const std::vector<const KernelInfo*>& candidates, Isa isa,
                  const TuneOptions& how, kernels::TuningTable& table) {
    const TuneOperands operands(problem);
    std::vector<TunedKernel> kernels;
    for (const KernelInfo* kernel : candidates) kernels.emplace_back(*kernel, problem, isa, how.keeps_weights);
    for (int round = 0; round < how.rounds; ++round)
        for (TunedKernel& kernel : kernels) kernel.time(operands.buffers());
    for (size_t i = 0; i < kernels.size(); ++i)
        table.set({.isa = isa, .kernel = std::string(candidates[i]->name), .problem = kernels::problem_key(problem)},
                  kernels[i].median());
}

/// FLOP/s of this thread now, by a probe of a fraction of a millisecond.
double peak_now(Isa isa) {
    const double start = cpu_seconds(), flops = kernels::fma_probe(isa, 1 << 13);
    return flops / (cpu_seconds() - start);
}

double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// The first round, in which pages and caches are new, does not count.
void share_out(kernels::MeasuredConvolution& measured, Isa isa, int rounds) {
    const Problem problem = measured.problem();
    const std::vector<const KernelInfo*> candidates = kernels::accepting(problem, isa);
    const TuneOperands operands(problem);
    std::vector<TunedKernel> kernels;
    for (const KernelInfo* kernel : candidates)
        kernels.emplace_back(*kernel, problem, isa, measured.geometry.samples == 1);
    std::vector<std::vector<double>> shares(kernels.size());
    for (int round = 0; round <= rounds; ++round)
        for (size_t i = 0; i < kernels.size(); ++i) {
            const double before = peak_now(isa), seconds = kernels[i].time(operands.buffers()), after = peak_now(isa);
            if (round > 0)
                shares[i].push_back(measured.geometry.flops() / std::max(seconds, 1e-9) * 2 / (before + after));
        }
    for (size_t i = 0; i < kernels.size(); ++i)
        measured.shares.emplace_back(candidates[i]->name, std::max(median_of(shares[i]), 0.001));
}

/// The problems of a plan, one of each kind, in which several kernels could be chosen.
template <class Key>
std::map<std::string, const Group*> choices(const Schedule& plan, const EngineOptions& options, const Key& key_of) {
    std::map<std::string, const Group*> found;
    for (const Group& group : plan.fused.groups) {
        if (!group.kernel) continue;
        const Problem problem = group.problem(options.strict_math);
        const std::string key = key_of(problem);
        if (!key.empty() && kernels::accepting(problem, options.isa).size() > 1) found.emplace(key, &group);
    }
    return found;
}

Schedule plan_of(const Graph& traced, const EngineOptions& options) {
    return schedule(fuse(within_arena_limit(simplify(lower(differentiate(traced))), options), options), options);
}

}  // namespace

void tune(const Graph& traced, const EngineOptions& options, const TuneOptions& how, kernels::TuningTable& table) {
    const Schedule plan = plan_of(traced, options);
    const auto problems = choices(plan, options, kernels::problem_key);
    int64_t done = 0;
    for (const auto& [key, group] : problems) {
        const Problem problem = group->problem(options.strict_math);
        time_kernels(problem, kernels::accepting(problem, options.isa), options.isa, how, table);
        if (how.progress) how.progress(++done, static_cast<int64_t>(problems.size()));
    }
}

void measure_costs(const Graph& traced, const EngineOptions& options, const TuneOptions& how,
                   kernels::MeasuredCosts& costs) {
    const Schedule plan = plan_of(traced, options);
    const auto problems = choices(plan, options, [](const Problem& problem) {
        const auto convolution = kernels::MeasuredConvolution::of(problem);
        return convolution ? kernels::problem_key(convolution->problem()) : std::string();
    });
    int64_t done = 0;
    for (const auto& [key, group] : problems) {
        auto measured = *kernels::MeasuredConvolution::of(group->problem(options.strict_math));
        share_out(measured, options.isa, how.rounds);
        costs.set(options.isa, std::move(measured));
        if (how.progress) how.progress(++done, static_cast<int64_t>(problems.size()));
    }
}

}  // namespace liven::detail
