#include "src/plan/hand_over.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <functional>
#include <vector>

#include "liven/core/environment.hpp"
#include "liven/graph/engine.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/reduce.hpp"
#include "src/plan/allocate.hpp"
#include "tests/graph/relative_distance.hpp"
#include "tests/graph/uniform.hpp"

// Results that are written over an operand: see src/plan/hand_over.hpp.

using namespace liven;
using liven::testing::relative_distance;
using liven::testing::uniform;

namespace {

Tensor three_by_three(const Tensor& x, uint64_t seed) {
    const int64_t channels = x.shape()[-1];
    return conv2d(x, uniform({3, 3, channels, channels}, seed), {.padding = symmetric(1)});
}
Tensor one_by_one(const Tensor& x, uint64_t seed) {
    const int64_t channels = x.shape()[-1];
    return conv2d(x, uniform({1, 1, channels, channels}, seed));
}

/// A residual block between two convolutions: its end can take the place of its beginning.
Tensor block(const Shape& shape) {
    const Tensor start = three_by_three(uniform(shape, 1), 2);
    return three_by_three(relu(one_by_one(three_by_three(start, 3), 4) + start), 5);
}

detail::Layout layout_of(const std::vector<Value>& wanted, bool frozen = false) {
    EngineOptions options = Engine::current().options();
    options.frozen_states = frozen;
    const Graph graph = simplify(lower(differentiate(Engine::current().graph_of(wanted))));
    return detail::allocate(detail::schedule(detail::fuse(graph, options), options));
}
detail::Layout layout_of(const Tensor& wanted, bool frozen = false) {
    return layout_of(std::vector<Value>{wanted.value()}, frozen);
}

int64_t handed_on(const detail::Layout& layout) {
    return std::count_if(layout.blocks.begin(), layout.blocks.end(), [](const auto& b) { return b.is_handed_on; });
}

/// The loss and the gradient of the input of two residual blocks.
std::vector<Value> way_back(const Shape& shape) {
    const Tensor x = uniform(shape, 1);
    Tensor y = x;
    for (uint64_t i = 0; i < 2; ++i)
        y = relu(one_by_one(relu(three_by_three(one_by_one(y, 10 + i), 20 + i)), 30 + i) + y);
    const Tensor loss = mean(square(y));
    const Gradients all = gradients(loss, std::vector<Tensor>{x});
    return {loss.value(), all.value(0)};
}

std::vector<float> numbers(const std::function<std::vector<Value>()>& make) {
    std::vector<float> all;
    for (const Value& value : make()) {
        const std::vector<float> some = Tensor(value).to_vector();
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

}  // namespace

TEST_CASE("The end of a residual block takes the place of its beginning") {
    for (const bool frozen : {false, true}) {
        INFO((frozen ? "of a session" : "of a training"));
        const detail::Layout layout = layout_of(block({1, 17, 13, 32}), frozen);
        REQUIRE(handed_on(layout) == 1);
        const auto from =
            std::find_if(layout.blocks.begin(), layout.blocks.end(), [](const auto& b) { return b.is_handed_on; });
        const auto to = std::find_if(layout.blocks.begin(), layout.blocks.end(), [&](const detail::ArenaBlock& b) {
            return !b.is_workspace && b.first == from->last + 1 && b.bytes == from->bytes && b.offset == from->offset;
        });
        CHECK(to != layout.blocks.end());
    }
}

TEST_CASE("An operand that is needed later, or is a result itself, keeps its place") {
    const Shape shape{2, 17, 13, 32};
    const Tensor start = three_by_three(uniform(shape, 1), 2);
    const Tensor end = relu(one_by_one(three_by_three(start, 3), 4) + start);
    const Tensor later = three_by_three(three_by_three(end, 5) * start, 6);
    CHECK(handed_on(layout_of(later)) == 0);
    CHECK(handed_on(layout_of({three_by_three(end, 5).value(), start.value()})) == 0);
}

TEST_CASE("A kernel whose cores read rows around those they write leaves its operands alone") {
    const Tensor start = three_by_three(uniform({2, 17, 13, 32}, 1), 2);
    CHECK(handed_on(layout_of(three_by_three(relu(three_by_three(start, 3) + start), 4))) == 0);
    // Here the core itself reads the operand that its epilogue adds.
    CHECK(handed_on(layout_of(three_by_three(relu(one_by_one(start, 3) + start), 4))) == 0);
}

TEST_CASE("What is written over operands has the values of the reference, and the same bits on one and two threads") {
    const int threads = thread_count();
    for (const Shape& shape : {Shape{1, 17, 13, 32}, {1, 5, 7, 48}, {1, 8, 8, 80}, {1, 3, 11, 128}}) {
        INFO(shape);
        const auto make = [&] { return way_back(shape); };
        CHECK(handed_on(layout_of(make())) > 0);
        set_thread_count(1);
        const std::vector<float> one = numbers(make);
        set_thread_count(2);
        const std::vector<float> two = numbers(make);
        set_thread_count(threads);
        set_executor_kind(ExecutorKind::reference);
        const std::vector<float> expected = numbers(make);
        set_executor_kind(ExecutorKind::planned);
        REQUIRE(one.size() == two.size());
        CHECK(std::memcmp(one.data(), two.data(), one.size() * sizeof(float)) == 0);
        CHECK(relative_distance(one, expected) < 1e-5);  // a dozen convolutions in single precision
    }
}
