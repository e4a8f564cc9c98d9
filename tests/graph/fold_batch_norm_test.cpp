#include <catch2/catch.hpp>
#include <string>

#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/state.hpp"
#include "liven/graph/tensor.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "tests/graph/uniform.hpp"

// At inference a batch-norm goes into the convolution before it.

using namespace liven;
using liven::testing::uniform;

namespace {

std::string fused_plan(const Tensor& result) {
    const Value& root = result.value();
    return explain(Engine::current().graph_of({&root, 1}), Engine::current().options(), {.after = PlanStage::fuse});
}

}  // namespace

TEST_CASE("A convolution keeps the name of its module when a batch-norm goes into it") {
    const State weights("weights", uniform({3, 3, 16, 8}, 1)), bias("bias", uniform({8}, 2));
    const State mean("mean", uniform({8}, 3)), factor("factor", uniform({8}, 4)), beta("beta", uniform({8}, 5));
    const Tensor x = uniform({2, 9, 7, 16}, 6);
    for (const bool biased : {false, true}) {
        INFO((biased ? "with bias" : "without bias"));
        Tensor y;
        {
            const Scope scope("conv3");
            y = conv2d(x, weights.tensor(), {.padding = symmetric(1)});
            if (biased) y = y + bias.tensor();
        }
        {
            const Scope scope("norm3");
            y = mad(y - mean.tensor(), factor.tensor(), beta.tensor());
        }
        const std::string plan = fused_plan(y);
        const size_t convolution = plan.find(" = conv2d[");
        REQUIRE(convolution != std::string::npos);
        const std::string line = plan.substr(convolution, plan.find('\n', convolution) - convolution);
        INFO(line);
        CHECK(line.find("sub(") == std::string::npos);  // it has gone into the weights
        CHECK(line.ends_with("   # conv3"));
    }
}
