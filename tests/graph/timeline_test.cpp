#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "liven/core/environment.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "tests/graph/uniform.hpp"

// What is recorded of a run.

using namespace liven;
using liven::testing::uniform;

namespace {

struct RecordedStep {
    State w{"w", uniform({3, 3, 16, 16}, 1)};
    Tensor loss;
    std::vector<Value> roots;

    RecordedStep() {
        const Tensor x = uniform({3, 64, 64, 16}, 2);
        const Tensor y = max_pool(leaky_relu(conv2d(x, w.tensor(), {.padding = symmetric(1)}), 0.2f), {.size = 2});
        loss = sum(square(y));
        const std::vector<State> states{w};
        roots = {loss.value(), gradients(loss, states).value(0)};
    }
    /// How many units the schedule has of each step and stage.
    std::map<std::pair<size_t, int>, int64_t> units() const {
        std::istringstream lines(
            explain(Engine::current().graph_of(roots), Engine::current().options(), {.after = PlanStage::schedule}));
        std::map<std::pair<size_t, int>, int64_t> units;
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            std::string step_word, stage_word;
            size_t step = 0;
            int stage = 0;
            int64_t count = 0;
            if (words >> step_word >> step >> stage_word >> stage >> count && step_word == "step")
                units[{step, stage}] = count;
        }
        return units;
    }
};

/// Profiling while one lives.
struct Profiling {
    Profiling() { Engine::current().set_profiling(true); }
    ~Profiling() { Engine::current().set_profiling(false); }
};

}  // namespace

TEST_CASE("A profile says how many bytes a step reads and writes, and how many of them are results") {
    const Tensor x = uniform({4, 5, 6, 7}, 1), y = uniform({4, 5, 6, 7}, 2);
    Engine::current().set_profiling(true);
    (x * y + 1.0f).to_vector();
    const std::vector<ProfileEntry> steps = Engine::current().profile();
    Engine::current().set_profiling(false);
    REQUIRE(steps.size() == 1);
    CHECK(steps[0].bytes == (3 * 4 * 5 * 6 * 7 + 1) * 4);  // two maps and the 1 are read, a map is written
    CHECK(steps[0].written == 4 * 5 * 6 * 7 * 4);
}

TEST_CASE("What only the first run of a plan makes counts no FLOPs and no bytes in its profile") {
    const State weights("weights", uniform({3, 3, 16, 32}, 1)), factor("factor", uniform({32}, 2));
    const Tensor x = uniform({1, 20, 28, 16}, 3);
    const Value root = conv2d(x, weights.tensor() * factor.tensor(), {.padding = symmetric(1)}).value();
    const Graph graph = Engine::current().graph_of({&root, 1});
    for (const bool frozen : {false, true}) {
        INFO("frozen " << frozen);
        EngineOptions options = Engine::current().options();
        options.frozen_states = frozen;
        const std::unique_ptr<Plan> plan = make_plan(graph, options);
        std::vector<std::vector<float>> values;
        std::vector<const void*> leaves;
        for (const NodePtr& leaf : graph.leaves) {
            values.emplace_back(static_cast<size_t>(leaf->outputs[0].type.shape.count()));
            leaves.push_back(values.back().data());
        }
        std::vector<float> result(static_cast<size_t>(root.shape().count()));
        void* const results[] = {result.data()};
        plan->set_profiling(true);
        for (int i = 0; i < 3; ++i) plan->run(leaves, results);
        const std::vector<ProfileEntry> steps = plan->profile();
        REQUIRE(steps.size() == 2);  // the scaled weights, the convolution
        CHECK((steps[0].flops == 0) == frozen);
        CHECK((steps[0].bytes == 0) == frozen);
        CHECK((steps[0].written == 0) == frozen);
        CHECK(steps[1].flops >= 2.0 * 20 * 28 * 9 * 16 * 32);
        CHECK(steps[1].written == 20 * 28 * 32 * 4);
    }
}

TEST_CASE("A timeline has every unit once, inside the run, and none over another of its thread") {
    const int before = thread_count();
    for (int threads : {1, 2, 3}) {
        INFO(threads << " threads");
        set_thread_count(threads);
        const RecordedStep step;
        const Profiling profiling;
        Engine::current().evaluate(step.roots);
        const Timeline timeline = Engine::current().timeline();
        CHECK(timeline.threads == threads);
        CHECK(timeline.microseconds > 0);
        std::map<std::pair<size_t, int>, int64_t> units;
        const Timeline::Event* last = nullptr;
        for (const Timeline::Event& event : timeline.events) {
            REQUIRE(event.thread >= 0);
            REQUIRE(event.thread < threads);
            REQUIRE(event.begin >= 0);
            REQUIRE(event.begin <= event.end);
            REQUIRE(event.end <= timeline.microseconds);
            if (last && last->thread == event.thread) REQUIRE(last->end <= event.begin);
            if (last) REQUIRE(last->thread <= event.thread);
            last = &event;
            if (event.activity == Timeline::Activity::work) ++units[{event.step, event.stage}];
        }
        CHECK(units == step.units());
    }
    set_thread_count(before);
}

TEST_CASE("A profile is the median of the runs since it was switched on, and its steps fit into the run") {
    const RecordedStep step;
    std::vector<ProfileEntry> profile;
    {
        const Profiling profiling;
        for (int i = 0; i < 3; ++i) Engine::current().evaluate(step.roots);
        profile = Engine::current().profile();
        double steps = 0;
        for (const ProfileEntry& entry : profile) {
            CHECK(entry.runs == 3);
            CHECK(entry.milliseconds >= 0);
            steps += entry.milliseconds;
        }
        CHECK(steps > 0);
    }
    bool convolution = false, pointwise = false;
    for (const ProfileEntry& entry : profile) {
        convolution = convolution || entry.kind == WorkKind::convolution;
        pointwise = pointwise || entry.kind == WorkKind::pointwise;
    }
    CHECK(convolution);
    CHECK(pointwise);
    const Profiling again;
    Engine::current().evaluate(step.roots);
    CHECK(Engine::current().profile().front().runs == 1);
}

TEST_CASE("Without profiling there is no timeline") {
    const RecordedStep step;
    Engine::current().clear_plans();
    Engine::current().evaluate(step.roots);
    CHECK(Engine::current().timeline().events.empty());
}

TEST_CASE("A run of small segments alone wakes no second thread, and gives the same bits") {
    const int before = thread_count();
    const Tensor x = uniform({1, 6, 5, 3}, 1), w = uniform({3, 3, 3, 4}, 2);
    const auto small_net = [&] { return max_pool(relu(conv2d(x, w, {.padding = symmetric(1)})), {.size = 2}); };
    const Profiling profiling;
    set_thread_count(1);
    const std::vector<float> expected = small_net().to_vector();
    set_thread_count(2);
    CHECK(small_net().to_vector() == expected);
    CHECK(Engine::current().timeline().threads == 1);
    const RecordedStep large;
    Engine::current().evaluate(large.roots);
    CHECK(Engine::current().timeline().threads == 2);
    CHECK(small_net().to_vector() == expected);
    CHECK(Engine::current().timeline().threads == 1);
    set_thread_count(before);
}
