#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "liven/core/isa.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/instance_norm.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/resize.hpp"
#include "tests/graph/uniform.hpp"

// Upsampling before a 2x2 convolution becomes part of that convolution (src/plan/fold_upsampling.cpp).

using namespace liven;
using liven::testing::uniform;

namespace {

constexpr Padding2d kCorner{.top = 0, .bottom = 1, .left = 0, .right = 1};

/// A step of a decoder between a weighting and a norm, with its loss and all gradients.
struct Decoder {
    State input, weights, gamma, beta;
    Padding2d padding = kCorner;
    ResizeOptions up{};

    Decoder(const Shape& shape, int64_t filters)
        : input("input", uniform(shape, 1)),
          weights("weights", uniform({2, 2, shape[3], filters}, 2)),
          gamma("gamma", uniform({filters}, 3)),
          beta("beta", uniform({filters}, 4)) {
        up.size = {2 * shape[1], 2 * shape[2]};
    }
    std::vector<Value> results() const {
        const Tensor large = resize(leaky_relu(input.tensor(), 0.2f), up);
        const Tensor y = conv2d(large, weights.tensor(), {.padding = padding});
        const Tensor loss = sum(square(relu(instance_norm(y, gamma.tensor(), beta.tensor()))));
        const std::vector<State> states{input, weights, gamma, beta};
        const Gradients all = gradients(loss, states);
        return {loss.value(), all.value(0), all.value(1), all.value(2), all.value(3)};
    }
};

std::string simplified(const std::vector<Value>& roots) {
    return explain(Engine::current().graph_of(roots), Engine::current().options(), {.after = PlanStage::simplify});
}

std::vector<std::vector<float>> numbers_of(const std::vector<Value>& roots) {
    std::vector<std::vector<float>> out;
    for (const Value& root : roots) out.push_back(Tensor(root).to_vector());
    return out;
}

bool mentions(const std::string& plan, const char* what) { return plan.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("A map is not upsampled for a 2x2 convolution, nor its gradient summed up again") {
    const std::string plan = simplified(Decoder({2, 5, 3, 4}, 7).results());
    CHECK_FALSE(mentions(plan, "resize"));
    CHECK_FALSE(mentions(plan, "kernel=2x2"));
    CHECK(mentions(plan, "conv2d_input_grad[kernel=3x3"));
    CHECK(mentions(plan, "conv2d[kernel=3x3"));
    CHECK(mentions(plan, "conv2d_weight_grad[kernel=3x3"));
}

TEST_CASE("Folded upsampling gives the numbers of the two operations one by one, and their gradients") {
    const Isa before = active_isa();
    for (const auto& [shape, filters] : {std::pair{Shape{2, 5, 3, 4}, 7},
                                         {Shape{1, 1, 1, 3}, 2},
                                         {Shape{1, 7, 7, 16}, 32},
                                         {Shape{3, 4, 9, 33}, 17},
                                         {Shape{2, 9, 12, 48}, 16},
                                         {Shape{1, 1, 2, 32}, 64}}) {
        const Decoder decoder(shape, filters);
        set_executor_kind(ExecutorKind::reference);
        const auto expected = numbers_of(decoder.results());
        set_executor_kind(ExecutorKind::planned);
        for (const Isa isa : available_isas()) {
            set_active_isa(isa);
            const auto got = numbers_of(decoder.results());
            for (size_t i = 0; i < got.size(); ++i) {
                INFO("result " << i << " of " << shape << " on " << name_of(isa));
                double difference = 0, size = 0;
                for (size_t k = 0; k < got[i].size(); ++k) {
                    difference += std::pow(double{got[i][k]} - double{expected[i][k]}, 2);
                    size += std::pow(double{expected[i][k]}, 2);
                }
                // Sums of a few hundred products in single precision, and the norm's division by a small deviation.
                CHECK(std::sqrt(difference) <= 2e-5 * std::sqrt(size) + 1e-6);
            }
        }
    }
    set_active_isa(before);
}

TEST_CASE("Other paddings, kernels and ways to upsample stay as they are") {
    Decoder decoder({1, 4, 4, 3}, 5);
    decoder.padding = {.top = 1, .bottom = 0, .left = 1, .right = 0};
    CHECK(mentions(simplified(decoder.results()), "kernel=2x2"));
    decoder.padding = kCorner;
    decoder.up.mode = ResizeMode::bilinear;
    CHECK(mentions(simplified(decoder.results()), "kernel=2x2"));
    decoder.up = {.size = {8, 12}};
    CHECK(mentions(simplified(decoder.results()), "kernel=2x2"));
}

TEST_CASE("The kernels of upsampled maps are those chosen where there are channels enough, unless math is strict") {
    const auto kernels_of = [](const Shape& shape, bool strict) {
        EngineOptions options = Engine::current().options();
        options.strict_math = strict;
        const std::string plan =
            explain(Engine::current().graph_of(Decoder(shape, 32).results()), options, {.after = PlanStage::schedule});
        int found = 0;
        for (const char* name : {"conv2d_bwd_data_winograd_upsampled", "conv2d_fwd_winograd_upsampled",
                                 "conv2d_bwd_weights_winograd_upsampled"})
            found += mentions(plan, name) ? 1 : 0;
        return found;
    };
    CHECK(kernels_of({2, 14, 14, 64}, false) == 3);
    CHECK(kernels_of({2, 14, 14, 64}, true) == 0);
    CHECK(kernels_of({2, 14, 14, 60}, false) == 3);
    CHECK(kernels_of({2, 14, 14, 12}, false) == 0);
}
