#include "liven/graph/engine.hpp"

#include <algorithm>
#include <list>
#include <unordered_map>

#include "kernels/tuning.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/graph/operation.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/tensor.hpp"
#include "plan_key.hpp"
#include "src/graph/recording.hpp"

namespace liven {
namespace {

struct CachedPlan {
    std::vector<uint64_t> key;
    uint64_t hash = 0;
    std::unique_ptr<Plan> plan;
};

/// Plans by key, the most recently used first.
class PlanCache {
public:
    Plan* find(const detail::PlanKey& key) {
        const uint64_t hash = key.hash();
        for (auto it = plans_.begin(); it != plans_.end(); ++it) {
            if (it->hash != hash || it->key != key.words()) continue;
            plans_.splice(plans_.begin(), plans_, it);
            return it->plan.get();
        }
        return nullptr;
    }
    Plan* add(const detail::PlanKey& key, std::unique_ptr<Plan> plan) {
        plans_.push_front({.key = key.words(), .hash = key.hash(), .plan = std::move(plan)});
        return plans_.front().plan.get();
    }
    int64_t shrink(size_t limit) {
        int64_t evicted = 0;
        for (; plans_.size() > limit; ++evicted) plans_.pop_back();
        return evicted;
    }
    void set_profiling(bool on) {
        for (CachedPlan& cached : plans_) cached.plan->set_profiling(on);
    }
    size_t size() const { return plans_.size(); }
    const std::vector<uint64_t>* latest_key() const { return plans_.empty() ? nullptr : &plans_.front().key; }

private:
    std::list<CachedPlan> plans_;
};

}  // namespace

struct Engine::Impl {
    bool strict_math = false, detect_anomaly = false;
    int64_t arena_limit = 0;
    DType dtype = DType::f32;
    EngineStatistics statistics;
    PlanCache plans;
    size_t plan_limit = 64;
    bool profiling = false;
    Plan* last = nullptr;  ///< the plan that ran last, while it is cached
    int similar_misses = 0;

    // Kept from run to run, so that a steady step allocates nothing.
    detail::PlanKey key;
    std::vector<Value> roots;
    std::vector<Node*> order;
    std::vector<const void*> leaf_values;
    std::vector<void*> root_values;
    std::vector<Buffer> results;

    void visit(std::span<const Value> keep, std::span<const Target> targets) {
        roots.assign(keep.begin(), keep.end());
        for (const Target& target : targets) roots.push_back(target.value);
        for (const Target& target : targets) roots.push_back({target.state, 0});
        visit_order(roots.data(), roots.data() + roots.size(), order);
    }

    /// The traced graph of what visit() saw, each target's root naming the leaf it overwrites.
    Graph graph(size_t kept, std::span<const Target> targets) {
        std::vector<int> leaf_number(order.size(), -1);
        int leaves = 0;
        for (const Node* node : order)
            if (node->is_leaf()) leaf_number[static_cast<size_t>(node->index)] = leaves++;
        std::vector<int> assigned;
        for (const Target& target : targets) assigned.push_back(leaf_number[static_cast<size_t>(target.state->index)]);
        Graph traced = trace(roots);
        traced.roots.resize(kept + targets.size());
        for (size_t i = 0; i < assigned.size(); ++i) traced.roots[kept + i].assigns = assigned[i];
        return traced;
    }

    Plan& plan(std::span<const Value> keep, std::span<const Target> targets, const EngineOptions& options) {
        key.write(order, keep, targets, options);
        if (Plan* known = plans.find(key)) {
            ++statistics.plan_hits;
            similar_misses = 0;
            return *known;
        }
        warn_of_similar_misses(keep, targets, options);
        ++statistics.plans_made;
        Plan* made = plans.add(key, make_plan(graph(keep.size(), targets), options));
        statistics.plans_evicted += plans.shrink(plan_limit);
        statistics.cached_plans = static_cast<int64_t>(plans.size());
        return *made;
    }

    void warn_of_similar_misses(std::span<const Value> keep, std::span<const Target> targets,
                                const EngineOptions& options) {
        size_t where = 0;
        const std::vector<uint64_t>* before = plans.latest_key();
        std::string changed;
        if (before && detail::differ_in_one_word(*before, key.words(), where))
            changed = detail::PlanKey().name_of_word(where, order, keep, targets, options);
        // Reading one tensor after the other asks for other values, not for other attributes.
        const bool similar = !changed.empty() && changed != "kept value" && changed != "assigned value";
        similar_misses = similar ? similar_misses + 1 : 0;
        if (similar_misses != 3) return;
        log_warning("plan: made again and again because one attribute changes: " + changed +
                    ". Hint: option fields are part of a plan; pass a number that changes as a float operand");
    }

    void bind_leaves() {
        leaf_values.clear();
        for (const Node* node : order)
            if (node->is_leaf()) leaf_values.push_back(node->value());
    }

    void bind_roots(const Plan& plan, std::span<const Value> keep, std::span<const Target> targets) {
        root_values.clear();
        results.clear();
        for (const Value& value : keep) results.emplace_back(static_cast<size_t>(value.type().bytes()));
        for (size_t i = 0; i < targets.size(); ++i) {
            const Buffer& current = targets[i].state->outputs[0].storage;
            const bool over = plan.in_place(keep.size() + i) && current.unique();
            results.push_back(over ? current : Buffer(static_cast<size_t>(targets[i].value.type().bytes())));
        }
        for (const Buffer& result : results) root_values.push_back(result.data());
    }

    void store(std::span<const Value> keep, std::span<const Target> targets) {
        for (size_t i = 0; i < keep.size(); ++i) keep[i].node->outputs[keep[i].output].storage = std::move(results[i]);
        for (size_t i = 0; i < targets.size(); ++i)
            targets[i].state->outputs[0].storage = std::move(results[keep.size() + i]);
        results.clear();
        roots.clear();
    }
};

Engine::Engine() : impl_(std::make_unique<Impl>()) {}
Engine::~Engine() = default;

Engine& Engine::current() {
    thread_local Engine engine;
    return engine;
}

EngineOptions Engine::options() const {
    return {.executor = executor_kind(),
            .isa = active_isa(),
            .strict_math = impl_->strict_math,
            .dtype = impl_->dtype,
            .detect_anomaly = impl_->detect_anomaly,
            .tuning = kernels::active_tuning()->hash(),
            .arena_limit = impl_->arena_limit,
            .threads = thread_count(),
            .poison = poison(),
            .verbose = verbosity()};
}
void Engine::set_strict_math(bool on) { impl_->strict_math = on; }
void Engine::set_detect_anomaly(bool on) { impl_->detect_anomaly = on; }
void Engine::set_arena_limit(int64_t bytes) { impl_->arena_limit = bytes; }
void Engine::set_dtype(DType dtype) {
    if (dtype != DType::f32 && dtype != DType::bf16)
        throw Error("Engine", "expected maps in f32 or bf16, got " + std::string(name_of(dtype)));
    impl_->dtype = dtype;
}
const EngineStatistics& Engine::statistics() const { return impl_->statistics; }
void Engine::set_plan_limit(size_t plans) {
    impl_->plan_limit = plans < 1 ? 1 : plans;
    impl_->statistics.plans_evicted += impl_->plans.shrink(impl_->plan_limit);
    impl_->last = nullptr;
    impl_->statistics.cached_plans = static_cast<int64_t>(impl_->plans.size());
}
void Engine::clear_plans() {
    impl_->plans.shrink(0);
    impl_->last = nullptr;
    impl_->statistics.cached_plans = 0;
}

void Engine::evaluate(std::span<const Value> values) {
    run(values, {});
    if (!NoGrad::active()) return;
    for (const Value& value : values)
        if (value.node->outputs.size() == 1) Trace::settle(value.node.get());
}

void Engine::run(std::span<const Value> keep, std::span<const Target> targets) {
    // A rule runs while a plan is made: its operands have no values yet, and another run now would disturb this one.
    if (detail::recording().types_only > 0 || !detail::recording().pass_scopes.empty())
        throw Error("data", "the rules of an operation (forward, gradient) record operations and cannot read numbers",
                    "pass the tensor on, or give the operation the number as an input or an attribute");
    Impl& self = *impl_;
    self.last = nullptr;
    self.visit(keep, targets);
    for (const Node* node : self.order)
        if (!node->is_leaf())
            for (const Node::Output& output : node->outputs) self.statistics.recomputed += output.storage ? 1 : 0;
    Plan& plan = self.plan(keep, targets, options());
    self.bind_leaves();
    self.bind_roots(plan, keep, targets);
    plan.set_profiling(self.profiling);
    plan.run(self.leaf_values, self.root_values);
    self.last = &plan;
    const PlanMemory memory = plan.memory();
    self.statistics.arena_bytes = std::max(self.statistics.arena_bytes, memory.arena_bytes);
    self.statistics.repeated = memory.repeated;
    ++self.statistics.runs;
    self.store(keep, targets);
}

void Engine::count_skipped_step() { ++impl_->statistics.steps_skipped; }

void Engine::set_profiling(bool on) {
    impl_->profiling = on;
    impl_->plans.set_profiling(on);
}
std::vector<ProfileEntry> Engine::profile() const {
    return impl_->last ? impl_->last->profile() : std::vector<ProfileEntry>{};
}
Timeline Engine::timeline() const { return impl_->last ? impl_->last->timeline() : Timeline{}; }

Graph Engine::graph_of(std::span<const Value> keep, std::span<const Target> targets) {
    impl_->visit(keep, targets);
    return impl_->graph(keep.size(), targets);
}

}  // namespace liven
