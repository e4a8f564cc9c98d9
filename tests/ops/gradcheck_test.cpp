#include "liven/graph/gradcheck.hpp"

#include <catch2/catch.hpp>

#include "harness.hpp"
#include "liven/core/error.hpp"
#include "liven/ops/activation.hpp"
#include "liven/ops/linear.hpp"
#include "liven/ops/reduce.hpp"
#include "liven/ops/softmax.hpp"

using namespace liven;
using namespace liven::testing;

TEST_CASE("A right gradient passes, with the rounding of double left over") {
    const GradcheckReport report = gradcheck([](const TensorList& in) { return tanh(matmul(in[0], in[1])); },
                                             {uniform({3, 5}, 1), uniform({5, 2}, 2)});
    INFO(report.text);
    CHECK(report);
    CHECK(report.error < 1e-8);
    CHECK(report.checked == 25);
}

TEST_CASE("Several results, inputs without gradients, inputs that matter to nothing") {
    const GradcheckReport report = gradcheck(
        [](const TensorList& in) -> TensorList {
            return {exp(in[0]) * one_hot(in[1], 3), sum(in[0])};
        },
        {uniform({2, 3}, 1), labels({2, 0}), uniform({4}, 2)});
    INFO(report.text);
    CHECK(report);
    CHECK(report.checked == 10);
}

TEST_CASE("Gradients of gradients, by the option and inside the function") {
    const auto f = [](const TensorList& in) { return sigmoid(in[0]) * in[0] * in[0]; };
    for (int order : {1, 2, 3}) {
        const GradcheckReport report = gradcheck(f, {uniform({5}, 1)}, {.order = order});
        INFO(report.text);
        CHECK(report);
    }
    CHECK(
        gradcheck([&](const TensorList& in) { return square(gradients(sum(f(in)), {in[0]})[0]); }, {uniform({5}, 1)}));
}

TEST_CASE("A kink between the two points of the difference is noticed") {
    CHECK_FALSE(gradcheck([](const TensorList& in) { return relu(in[0]); }, {Tensor::from({1.0f, 0.0f}, {2})}));
    CHECK_FALSE(gradcheck([](const TensorList& in) { return log(in[0]); }, {Tensor::from({1.0f, 0.0f}, {2})}));
}

TEST_CASE("Large inputs are checked at random places") {
    const GradcheckReport report =
        gradcheck([](const TensorList& in) { return square(in[0]); }, {uniform({40, 50}, 1)}, {.elements = 10});
    CHECK(report);
    CHECK(report.checked == 10);
}

TEST_CASE("Nothing to differentiate is an error") {
    CHECK_THROWS_AS(gradcheck([](const TensorList& in) { return one_hot(in[0], 2); }, {labels({0, 1})}), Error);
    CHECK_THROWS_AS(gradcheck(
                        [](const TensorList&) -> TensorList {
                            return {labels({0, 1})};
                        },
                        {uniform({2}, 1)}),
                    Error);
}
