#include "liven/ops/gru.hpp"

#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/graph/engine.hpp"
#include "liven/ops/shape.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

struct GruShape {
    int64_t samples, steps, inputs, units;
};

OperationCase gru_case(const GruShape& s, bool reset_after) {
    return {.name = "gru " + Shape{s.samples, s.steps, s.inputs}.str() + " to " + std::to_string(s.units) +
                    (reset_after ? ", reset after" : ", reset before"),
            .operands = [s, reset_after]() -> TensorList {
                TensorList in{uniform({s.samples, s.steps, s.inputs}, 1), uniform({s.samples, s.units}, 2),
                              uniform({s.inputs, 3 * s.units}, 3), uniform({s.units, 3 * s.units}, 4),
                              uniform({3 * s.units}, 5)};
                if (reset_after) in.push_back(uniform({3 * s.units}, 6));
                return in;
            },
            .function = [reset_after](const TensorList& in) -> TensorList {
                const GruWeights weights{.kernel = in[2],
                                         .recurrent_kernel = in[3],
                                         .bias = in[4],
                                         .recurrent_bias = reset_after ? in[5] : Tensor()};
                const GruResult r = gru(in[0], in[1], weights, {.reset_after = reset_after});
                return {r.states, r.last};
            }};
}

}  // namespace

TEST_CASE("GRU over one and several steps, both ways to reset") {
    for (bool reset_after : {true, false}) {
        check(gru_case({1, 1, 1, 1}, reset_after));
        check(gru_case({3, 2, 5, 7}, reset_after));
        check_executors(gru_case({2, 3, 3, 17}, reset_after));
    }
}

TEST_CASE("GRU over many steps") { check_executors(gru_case({2, 11, 3, 4}, true)); }

TEST_CASE("The last state is the state after the last step, and either may be used alone") {
    const OperationCase test = gru_case({2, 3, 4, 5}, true);
    const TensorList r = test.function(test.operands());
    const auto states = r[0].to_vector(), last = r[1].to_vector();
    for (size_t n = 0; n < 2; ++n)
        for (size_t u = 0; u < 5; ++u) CHECK(states[(n * 3 + 2) * 5 + u] == last[n * 5 + u]);
    check_gradients({.name = "only the last state",
                     .operands = test.operands,
                     .function = [&](const TensorList& in) -> TensorList { return {test.function(in)[1]}; }});
    check_gradients({.name = "only the states",
                     .operands = test.operands,
                     .function = [&](const TensorList& in) -> TensorList { return {test.function(in)[0]}; }});
}

TEST_CASE("All steps' input projections are one matrix product") {
    const OperationCase test = gru_case({2, 5, 3, 4}, true);
    const TensorList r = test.function(test.operands());
    const Value value = r[0].value();
    const Graph lowered = lower(Engine::current().graph_of({&value, 1}));
    int products = 0, projections = 0;
    for (const Node* node : lowered.order()) {
        if (node->is_leaf() || node->operation->name() != "matmul") continue;
        ++products;
        projections += node->outputs[0].type.shape == Shape{10, 12};
    }
    CHECK(projections == 1);
    CHECK(products == 1 + 5);
}

TEST_CASE("GRU names the shapes that do not fit") {
    const auto attempt = [](const GruShape& s, const Shape& h, const Shape& kernel, const Shape& recurrent) {
        return message_of([&] {
            gru(uniform({s.samples, s.steps, s.inputs}, 1), uniform(h, 2),
                {uniform(kernel, 3), uniform(recurrent, 4), uniform({3 * s.units}, 5), uniform({3 * s.units}, 6)});
        });
    };
    const GruShape s{2, 3, 4, 5};
    CHECK(attempt(s, {2, 5}, {4, 15}, {5, 15}).empty());
    CHECK_THAT(attempt(s, {1, 5}, {4, 15}, {5, 15}), Catch::Contains("2x3x4") && Catch::Contains("1x5"));
    CHECK_THAT(attempt(s, {2, 5}, {3, 15}, {5, 15}), Catch::Contains("2x3x4") && Catch::Contains("3x15"));
    CHECK_THAT(attempt(s, {2, 5}, {4, 15}, {15, 5}), Catch::Contains("15x5"));
    CHECK_THAT(attempt({2, 3, 4, 6}, {2, 5}, {4, 15}, {5, 15}), Catch::Contains("18"));
    CHECK_THAT(attempt({2, 0, 4, 5}, {2, 5}, {4, 15}, {5, 15}), Catch::Contains("2x0x4"));
    CHECK_THAT(message_of([&] {
                   gru(uniform({2, 3, 4}, 1), uniform({2, 5}, 2),
                       {uniform({4, 15}, 3), uniform({5, 15}, 4), uniform({15}, 5), Tensor()});
               }),
               Catch::Contains("recurrent_bias"));
    CHECK_THAT(message_of([&] {
                   gru_from_keras(uniform({4, 15}, 3), uniform({5, 15}, 4), uniform({3, 15}, 5));
               }),
               Catch::Contains("3x15"));
}
