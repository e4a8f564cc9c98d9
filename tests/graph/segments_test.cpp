#include <catch2/catch.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/reduce.hpp"
#include "tests/graph/uniform.hpp"

// What is walked together: see src/plan/segments.hpp.

using namespace liven;
using liven::testing::uniform;

namespace {

/// Two convolutions and their gradients, as they are scheduled.
std::string schedule_of(int64_t samples) {
    const State first("first", uniform({3, 3, 16, 16}, 1)), second("second", uniform({3, 3, 16, 16}, 2));
    const Tensor x = uniform({samples, 128, 128, 16}, 3);
    const Tensor hidden = leaky_relu(conv2d(x, first.tensor(), {.padding = symmetric(1)}), 0.2f);
    const Tensor loss = sum(square(conv2d(hidden, second.tensor(), {.padding = symmetric(1)})));
    const std::vector<State> states{first, second};
    const Gradients all = gradients(loss, states);
    const Value roots[] = {loss.value(), all.value(0), all.value(1)};
    return explain(Engine::current().graph_of(roots), Engine::current().options(), {.after = PlanStage::schedule});
}

/// The segment with its heading whose text has `what`; empty when there is none.
std::string segment_with(const std::string& plan, const std::string& what) {
    const size_t at = plan.find(what);
    if (at == std::string::npos) return {};
    const size_t begin = plan.rfind("segment ", at);
    return plan.substr(begin, plan.find("barrier", at) - begin);
}

/// A step of gradient descent over a chain of 1x1 convolutions of few pixels and many channels, whose rate depends on
/// the norm over all gradients.
std::string schedule_of_clipped_step() {
    Tensor y = uniform({2, 4, 4, 128}, 1);
    std::vector<State> states;
    for (const char* name : {"first", "second", "third"}) {
        const Scope scope(name);
        states.emplace_back(name, uniform({1, 1, 128, 128}, states.size() + 2));
        y = relu(conv2d(y, states.back().tensor()));
    }
    const Gradients all = gradients(sum(square(y)), states);
    Tensor squares = sum(square(all[0]));
    for (size_t i = 1; i < states.size(); ++i) squares = squares + sum(square(all[i]));
    std::vector<Value> roots;
    for (size_t i = 0; i < states.size(); ++i) roots.push_back((states[i].tensor() - all[i] * rsqrt(squares)).value());
    return explain(Engine::current().graph_of(roots), Engine::current().options(), {.after = PlanStage::schedule});
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Convolutions and their gradients are walked in bands, each gradient of weights beside what it reads") {
    const std::string plan = schedule_of(4);
    INFO(plan);
    const std::string walked =
        segment_with(plan, "conv2d_input_grad   conv2d_bwd_data_winograd_f4x4_nhwc_f32   in bands");
    CHECK(mentions(walked, "4 samples"));
    CHECK(mentions(walked, "conv2d_weight_grad"));
}

TEST_CASE("Weights are packed before the samples are walked, sums finished behind them") {
    const std::string plan = schedule_of(4);
    INFO(plan);
    std::istringstream lines(plan);
    bool walks = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("segment ", 0) == 0) walks = mentions(line, "samples");
        const bool packs =
            mentions(line, "stage 0") && (mentions(line, " conv2d ") || mentions(line, "conv2d_input_grad"));
        if (packs || mentions(line, "stage 2")) CHECK_FALSE(walks);
    }
}

TEST_CASE("One sample is no walk: its stages stand behind each other") {
    CHECK_FALSE(mentions(schedule_of(1), "samples"));
}

TEST_CASE("Gradients of weights that take more memory than what they are made of come behind the backward pass") {
    const std::string plan = schedule_of_clipped_step();
    INFO(plan);
    CHECK(mentions(plan, "conv2d_input_grad"));
    CHECK(mentions(plan, "conv2d_weight_grad"));
    CHECK(plan.find("conv2d_weight_grad") > plan.rfind("conv2d_input_grad"));
}
