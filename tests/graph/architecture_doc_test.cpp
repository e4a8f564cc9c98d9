#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"

// docs/architecture.md follows one small graph through the pipeline. What it prints is what the passes print: every
// block behind <!-- after: STAGE --> is compared, and rewritten when LIVEN_WRITE_DOCS is set.

using namespace liven;

namespace {

const std::string kDocument = LIVEN_GOLDEN "/../../docs/architecture.md";

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    REQUIRE(file);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// The graph of the document.
Graph small_step() {
    const Parameter w("w", Tensor::zeros({3, 3, 3, 8})), b("b", Tensor::zeros({8}));
    const std::vector<Parameter> parameters{w, b};
    const std::vector<float> pixels(2 * 8 * 8 * 3, 0.5f);
    const Tensor x = Tensor::from(std::span<const float>(pixels), {2, 8, 8, 3});
    const Tensor y = max_pool(leaky_relu(conv2d(x, w, {.padding = symmetric(1)}) + b.tensor(), 0.2f), {.size = 2});
    const Tensor loss = mean(square(y));
    const Gradients g = gradients(loss, parameters);
    const Value wanted[] = {loss.value(), g.value(0), g.value(1)};
    return Engine::current().graph_of(wanted);
}

}  // namespace

TEST_CASE("docs/architecture.md prints what the passes print") {
    std::string document = text_of(kDocument);
    const Graph traced = small_step();
    EngineOptions options = Engine::current().options();
    options.isa = Isa::avx2;  // plans are made, not run: the document is the same on every machine
    options.threads = 2;
    for (const char* stage : {"trace", "differentiate", "simplify", "fuse", "schedule", "allocate"}) {
        INFO("after " << stage);
        const std::string mark = std::string("<!-- after: ") + stage + " -->\n```\n";
        const size_t begin = document.find(mark);
        REQUIRE(begin != std::string::npos);
        const size_t first = begin + mark.size(), end = document.find("```", first);
        const std::string expected = explain(traced, options, {.after = plan_stage_from(stage)});
        if (std::getenv("LIVEN_WRITE_DOCS"))
            document.replace(first, end - first, expected);
        else
            CHECK(document.substr(first, end - first) == expected);
    }
    if (std::getenv("LIVEN_WRITE_DOCS")) std::ofstream(kDocument) << document;
}
