#include "src/plan/repeat_maps.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "liven/core/buffer.hpp"
#include "liven/core/environment.hpp"
#include "liven/graph/engine.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/norm.hpp"
#include "liven/ops/reduce.hpp"
#include "src/plan/allocate.hpp"
#include "src/plan/executor.hpp"
#include "src/plan/rematerialize.hpp"
#include "tests/graph/relative_distance.hpp"
#include "tests/graph/uniform.hpp"
#include "tests/occurrences.hpp"

// Cheap maps are made again in the backward pass where the arena is the smaller for it (src/plan/repeat_maps.cpp).

using namespace liven;
using liven::testing::relative_distance;
using liven::testing::uniform;

namespace {

/// A chain of residual blocks, relu(norm(conv(y)) + y): every second sum is stored, each other computed in its readers.
struct Chain {
    Tensor x;
    std::vector<State> states;
    int64_t kernel;

    /// Maps of 2 MiB.
    Chain(int blocks, int64_t extent) : x(uniform({2, 64, 64, 64}, 1)), kernel(extent) {
        for (int i = 0; i < blocks; ++i) {
            add("conv", {kernel, kernel, 64, 64});
            add("gamma", {64});
            add("beta", {64});
        }
    }
    void add(const char* name, const Shape& shape) {
        states.emplace_back(name, uniform(shape, static_cast<uint64_t>(states.size()) + 2));
    }

    std::vector<Value> results() const {
        Tensor y = x;
        for (size_t i = 0; i < states.size(); i += 3) {
            const Tensor conv = conv2d(y, states[i].tensor(), {.padding = symmetric(kernel / 2)});
            y = relu(batch_norm(conv, states[i + 1].tensor(), states[i + 2].tensor()).y + y);
        }
        const Tensor loss = mean(square(y));
        const Gradients all = gradients(loss, states);
        std::vector<Value> values{loss.value()};
        for (size_t i = 0; i < all.size(); ++i) values.push_back(all.value(i));
        return values;
    }
    Graph traced() const { return Engine::current().graph_of(results()); }
};

Graph simplified(const Graph& traced) { return simplify(lower(differentiate(traced))); }
Graph simplified(const Chain& chain) { return simplified(chain.traced()); }

/// What the plan computes with the rule left out.
std::vector<std::vector<float>> numbers_without_the_rule(const Chain& chain) {
    const std::vector<Value> wanted = chain.results();
    const Graph graph = simplified(Engine::current().graph_of(wanted));
    const EngineOptions options = Engine::current().options();
    const auto plan =
        detail::make_planned(detail::allocate(detail::schedule(detail::fuse(graph, options), options)), options);
    std::vector<const void*> leaves;
    std::vector<Node*> order;
    visit_order(wanted.data(), wanted.data() + wanted.size(), order);
    for (const Node* node : order)
        if (node->is_leaf()) leaves.push_back(node->value());
    std::vector<Buffer> results;  // kernels write whole cache lines
    std::vector<void*> roots;
    for (const Graph::Root& root : graph.roots) {
        results.emplace_back(static_cast<size_t>(root.value.type().bytes()));
        roots.push_back(results.back().data());
    }
    plan->run(leaves, roots);
    std::vector<std::vector<float>> numbers;
    for (size_t i = 0; i < roots.size(); ++i) {
        const float* first = static_cast<const float*>(roots[i]);
        numbers.emplace_back(first, first + graph.roots[i].value.shape().count());
    }
    return numbers;
}

std::vector<std::vector<float>> numbers(const Chain& chain) {
    const std::vector<Value> roots = chain.results();
    Engine::current().evaluate(roots);
    std::vector<std::vector<float>> numbers;
    for (const Value& root : roots) numbers.push_back(Tensor(root).to_vector());
    return numbers;
}

PlanMemory memory_of(const Chain& chain) { return make_plan(chain.traced(), Engine::current().options())->memory(); }

int64_t arena_without_the_rule(const Chain& chain) {
    const EngineOptions options = Engine::current().options();
    return static_cast<int64_t>(
        detail::allocate(detail::schedule(detail::fuse(simplified(chain), options), options)).arena_bytes);
}

}  // namespace

TEST_CASE("The sums of a residual chain are made again where that makes the arena smaller, and how many is told") {
    const Chain chain(6, 3);
    const PlanMemory memory = memory_of(chain);
    CHECK(memory.repeated_bytes >= 2 << 20);
    CHECK(memory.repeated > 0);
    CHECK(memory.repeated < 0.01);  // pointwise operations beside convolutions
    CHECK(memory.arena_bytes <= arena_without_the_rule(chain) - (2 << 20));
    const EngineOptions options = Engine::current().options();
    CHECK(count(explain(chain.traced(), options), "MiB of maps are made again in the backward pass") == 1);
    CHECK(make_plan(chain.traced(), options)
              ->memory_map()
              .str()
              .find("made again in the backward pass rather than held") != std::string::npos);
}

TEST_CASE("Loss and gradients are those of the maps that were held, and have the same bits on one thread and two") {
    const Chain chain(6, 3);
    REQUIRE(memory_of(chain).repeated_bytes > 0);
    const std::vector<std::vector<float>> held = numbers_without_the_rule(chain);
    const int threads = thread_count();
    set_thread_count(1);
    const std::vector<std::vector<float>> one = numbers(chain);
    set_thread_count(2);
    const bool same_bits = numbers(chain) == one;
    CHECK(same_bits);
    set_thread_count(threads);
    // The maps have the same bits, but sums over gradients ride in the steps that make them again and so are added in
    // another order: a few units in the last place, which six layers of batch-norm carry on.
    CHECK(one.front() == held.front());
    for (size_t i = 1; i < held.size(); ++i) {
        INFO("gradient " << i);
        CHECK(relative_distance(one[i], held[i]) < 1e-5);
    }
}

TEST_CASE("Nothing is made again where it would take more than its share of the step's time") {
    // 1x1 convolutions cost little more than the sums themselves.
    const Chain chain(4, 1);
    CHECK(memory_of(chain).repeated_bytes == 0);
    CHECK(memory_of(chain).arena_bytes == arena_without_the_rule(chain));
}

TEST_CASE("A held map counts as many bytes as it takes in memory") {
    const Chain chain(4, 1);
    EngineOptions options = Engine::current().options();
    size_t narrow = 0;
    for (const DType dtype : {DType::f32, DType::bf16}) {
        options.dtype = dtype;
        const detail::FusedGraph fused = detail::fuse(simplified(chain), options);
        const std::vector<detail::HeldMap> held = detail::held_maps(fused);
        CHECK(held.size() > 3);
        for (const detail::HeldMap& map : held)
            for (const detail::Group& group : fused.groups)
                for (const detail::GroupOperand& output : group.outputs) {
                    if (output.value != map.value) continue;
                    CHECK(map.bytes == static_cast<double>(output.storage_bytes()));
                    narrow += output.bf16 ? 1 : 0;
                }
    }
    CHECK(narrow > 1);
}

TEST_CASE("Nothing is made again at inference, nor while anomalies are looked for") {
    const Chain chain(6, 3);
    const Graph graph = simplified(chain);
    EngineOptions options = Engine::current().options();
    CHECK(detail::repeat_cheap_maps(graph, options).str() != graph.str());
    options.detect_anomaly = true;
    CHECK(detail::repeat_cheap_maps(graph, options).str() == graph.str());
    options.detect_anomaly = false;
    const Value loss = chain.results().front();
    const Graph forward = simplify(lower(differentiate(Engine::current().graph_of({&loss, 1}))));
    CHECK(detail::repeat_cheap_maps(forward, options).str() == forward.str());
}

TEST_CASE("A limit of the arena that the maps made again keep to repeats no more than them") {
    const Chain chain(6, 3);
    const PlanMemory whole = memory_of(chain);
    EngineOptions options = Engine::current().options();
    options.arena_limit = whole.arena_bytes;
    const PlanMemory limited = make_plan(chain.traced(), options)->memory();
    CHECK(limited.arena_bytes == whole.arena_bytes);
    CHECK(limited.repeated == whole.repeated);
    options.arena_limit = whole.arena_bytes * 9 / 10;
    CHECK(make_plan(chain.traced(), options)->memory().arena_bytes <= options.arena_limit);
}

TEST_CASE("An epilogue computes nothing that nobody reads") {
    // What other steps compute again for themselves is no part of the step whose result it is made of.
    const EngineOptions options = Engine::current().options();
    const detail::FusedGraph fused = detail::fuse(detail::repeat_cheap_maps(simplified(Chain(6, 3)), options), options);
    int instructions = 0;
    for (const detail::Group& group : fused.groups) {
        const kernels::Program& program = group.epilogue;
        std::vector<bool> read(static_cast<size_t>(program.registers), false);
        for (const kernels::ProgramOutput& output : program.outputs) read[output.source] = true;
        for (const kernels::Reduction& reduction : program.reductions) read[reduction.source] = true;
        for (const kernels::Instruction& instruction : program.code) {
            const uint8_t operands[] = {instruction.a, instruction.b, instruction.c};
            for (int i = 0; i < kernels::operands_of(instruction.op); ++i) read[operands[i]] = true;
        }
        INFO(group.str());
        CHECK(std::find(read.begin(), read.end(), false) == read.end());
        instructions += static_cast<int>(program.code.size());
    }
    CHECK(instructions > 0);
}
