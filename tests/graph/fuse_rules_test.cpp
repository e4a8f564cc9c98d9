#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "liven/graph/engine.hpp"
#include "liven/graph/plan.hpp"
#include "liven/graph/state.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/arithmetic.hpp"
#include "liven/ops/conv2d.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/pool.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/shape.hpp"
#include "liven/ops/softmax.hpp"
#include "tests/graph/uniform.hpp"
#include "tests/occurrences.hpp"

// Where the rules of fusion put a pointwise operation, and what they say of one that is a step of its own
// (src/plan/fuse_rules.cpp).

using namespace liven;
using liven::testing::uniform;

namespace {

std::string plan_of(const std::vector<Tensor>& results) {
    std::vector<Value> roots;
    for (const Tensor& result : results) roots.push_back(result.value());
    return explain(Engine::current().graph_of(roots), Engine::current().options(), {.after = PlanStage::fuse});
}

Tensor convolved(const Tensor& x, int64_t channels) {
    return conv2d(x, uniform({3, 3, x.shape()[-1], channels}, 2), {.padding = symmetric(1)});
}

void check_apart(const std::vector<Tensor>& results, const std::string& why) {
    const std::string plan = plan_of(results);
    INFO(plan);
    CHECK(count(plan, "= pointwise") >= 1);
    CHECK(count(plan, "a step of its own: not with its operand") >= 1);
    CHECK(count(plan, why) >= 1);
}

}  // namespace

TEST_CASE("What rides in another step gives no reason") {
    const Tensor y = relu(convolved(uniform({2, 6, 6, 3}, 1), 8));
    const std::string plan = plan_of({max_pool(y, {.size = 2}), sum(y, {.axes = {0, 1, 2}})});
    CHECK(count(plan, "= pointwise") == 0);
    CHECK(count(plan, "a step of its own") == 0);
}

TEST_CASE("Not with its operands: what is given, of another shape, or known only behind all rows") {
    const Tensor x = uniform({2, 6, 6, 3}, 1), y = convolved(x, 8);
    check_apart({relu(x)}, "not with its operands (a leaf is given)");
    check_apart({relu(flatten(y))}, "not with its operands (conv2d is read under another shape)");
    check_apart({relu(sum(y, {.axes = {0, 1, 2}, .keep_axes = true}))}, "(reduce_sum is known only behind all rows)");
    // The mean must be there before it can be taken off.
    const Tensor centred = y - mean(y, {.axes = {0, 1, 2}});
    check_apart({centred}, "not with its operands (conv2d must have ended before)");
}

TEST_CASE("Not in its readers: a result, one that cannot make it, or what is dear to repeat") {
    const Tensor x = uniform({2, 6, 6, 3}, 1), y = uniform({2, 6, 6, 3}, 2), z = uniform({2, 6, 6, 3}, 3);
    check_apart({relu(x)}, "not in its readers (it is a result)");
    check_apart({transpose(relu(x))}, "not in its readers (permute has no kernel that makes it)");
    check_apart({transpose(flatten(relu(x)))}, "not in its readers (reshape reads it under another shape)");
    const auto twice = [](const Tensor& made) {
        return std::vector<Tensor>{convolved(made, 4), max_pool(made, {.size = 2})};
    };
    check_apart(twice(exp(x)), "not in its readers (several would repeat what takes long)");
    check_apart(twice(x * y + z), "not in its readers (several would read more than two maps for it)");
    Tensor many = x;
    for (int i = 0; i < 13; ++i) many = square(many) + 0.5f;
    check_apart(twice(many), "not in its readers (several would repeat many operations)");
    for (int i = 0; i < 10; ++i) many = square(many) + 0.5f;
    check_apart({convolved(many, 4)}, "not in its readers (its program is long enough)");
    // Otherwise each of them makes it.
    CHECK(count(plan_of(twice(relu(x))), "= pointwise") == 0);
}

TEST_CASE("Beside what reads the same maps: one step, unless it would have to wait for itself") {
    const Tensor x = uniform({2, 6, 6, 3}, 1);
    const std::string together = plan_of({relu(x), exp(x)});
    CHECK(count(together, "= pointwise") == 1);
    CHECK(count(together, "not beside what reads the same maps (there is none)") == 1);
    const Tensor scaled = relu(x) * sum(exp(x));
    check_apart({scaled}, "not beside what reads the same maps (reduce_sum must have ended before)");
}

TEST_CASE("Maps that several steps compute rather than one storing them are counted, with the bytes that saves") {
    const Tensor x = uniform({4, 128, 128, 16}, 1), y = uniform({4, 128, 128, 16}, 2);  // 4.2 MB each
    const auto line = [](const Tensor& made, int readers) {
        std::vector<Tensor> results;
        for (int i = 0; i < readers; ++i) results.push_back(convolved(made, 16 * (i + 1)));
        const std::string plan = plan_of(results);
        const size_t at = plan.find("computed again rather than stored");
        return at == std::string::npos ? std::string() : plan.substr(at, plan.find('\n', at) - at);
    };
    CHECK(line(relu(x), 1).empty());  // computed once
    // Not written, and every reader reads x in its place.
    CHECK(line(relu(x), 2) == "computed again rather than stored: 4.00 MiB of maps, 4.00 MiB less to read and write");
    CHECK(line(relu(x), 3) == "computed again rather than stored: 4.00 MiB of maps, 4.00 MiB less to read and write");
    // All but the one that would write it read one map more.
    CHECK(line(x * y, 2) == "computed again rather than stored: 4.00 MiB of maps, 0.00 MiB less to read and write");
    // What is made on the way to another such map is not counted again.
    CHECK(line(relu(square(x) + 1.0f), 2) ==
          "computed again rather than stored: 4.00 MiB of maps, 4.00 MiB less to read and write");
}

TEST_CASE("A step behind a kernel that takes no program says so") {
    const Tensor logits = uniform({4, 3}, 1);
    check_apart({relu(matmul(logits, logits, {.transpose_b = true})) + 0.0f, relu(log_softmax(logits))},
                "not with its operands (log_softmax has no kernel that takes a program)");
}
