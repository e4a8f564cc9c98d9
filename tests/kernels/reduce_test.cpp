#include "src/reference/reduce.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "liven/core/attributes.hpp"
#include "liven/core/isa.hpp"
#include "src/reference/table.hpp"
#include "tests/kernels/step_runner.hpp"

using namespace liven;
using namespace liven::kernels;
using liven::testing::empty_tensor;
using liven::testing::infinity;
using liven::testing::not_a_number;
using liven::testing::Order;
using liven::testing::random_tensor;
using liven::testing::relative_error;
using liven::testing::TestTensor;

namespace {

Shape reduced_shape(Shape shape, uint32_t axes) {
    for (int axis = 0; axis < shape.rank(); ++axis)
        if (axes >> axis & 1u) shape.set(axis, 1);
    return shape;
}

Problem problem_of(std::string_view op, const TestTensor& src, const std::vector<TestTensor>& dst,
                   const void* attributes = nullptr) {
    Problem problem;
    problem.op = op;
    problem.inputs = {src.operand()};
    for (const TestTensor& tensor : dst) problem.outputs.push_back(tensor.operand());
    problem.attributes = attributes;
    return problem;
}

/// Runs the operation and its reference twin; returns both results.
struct Pair {
    std::vector<TestTensor> dst, expected;
};

Pair run_both(std::string_view op, Isa isa, TestTensor src, const std::vector<TestTensor>& dst,
              const void* attributes = nullptr) {
    Pair pair{dst, dst};
    const auto step = testing::make_step(problem_of(op, src, dst, attributes), isa);
    std::vector<TestTensor*> outputs;
    for (TestTensor& tensor : pair.dst) outputs.push_back(&tensor);
    testing::run_step(*step, {&src}, outputs);

    std::vector<TestTensor> again = dst;
    std::vector<TestTensor*> again_outputs;
    for (TestTensor& tensor : again) again_outputs.push_back(&tensor);
    testing::run_step(*step, {&src}, again_outputs, Order::shuffled, 1);
    for (size_t i = 0; i < dst.size(); ++i) CHECK(testing::same_bits(pair.dst[i].values, again[i].values));

    const std::array<reference::Array<float>, 1> in{src.array()};
    std::vector<reference::Array<float>> out;
    for (TestTensor& tensor : pair.expected) out.push_back(tensor.array());
    const auto function = reference::reduce_function<float>(op);
    REQUIRE(function);
    function(attributes, in, out);
    return pair;
}

/// Every subset of the axes of a shape.
uint32_t subsets(const Shape& shape) { return 1u << shape.rank(); }

}  // namespace

TEST_CASE("Sums, maxima and moments over every set of axes agree with the reference in any order of units") {
    const auto shape = GENERATE(Shape{}, Shape{1}, Shape{1001}, Shape{5, 1, 7}, Shape{2, 3, 5, 17}, Shape{3, 1, 11, 1},
                                Shape{2, 33, 31, 16}, Shape{2, 3, 2, 3, 2, 5}, Shape{7, 2100}, Shape{2, 2, 1, 1030});
    const int64_t gap = GENERATE(0, 3);
    for (const Isa isa : available_isas())
        for (uint32_t axes = 0; axes < subsets(shape); ++axes) {
            const ReduceAttributes attributes{.axes = axes};
            const TestTensor dst = empty_tensor(reduced_shape(shape, axes));
            const TestTensor src = random_tensor(shape, 1 + axes, shape.rank() == 0 ? 0 : shape[-1] + gap);
            INFO(shape << " over axes " << axes << " on " << name_of(isa) << ", gap " << gap);
            const Pair sum = run_both("reduce_sum", isa, src, {dst}, &attributes);
            const double count = static_cast<double>(src.values.size()) / static_cast<double>(dst.values.size());
            double worst = 0;
            for (size_t i = 0; i < dst.values.size(); ++i)
                worst = std::max(worst, std::abs(double{sum.dst[0].values[i]} - double{sum.expected[0].values[i]}));
            // Values below 1 of both signs: a bound on their number, not on the sum, which cancels.
            CHECK(worst <= 1e-6 * count);
            const Pair most = run_both("reduce_max", isa, src, {dst}, &attributes);
            CHECK(testing::same_bits(most.dst[0].values, most.expected[0].values));
            const Pair moments = run_both("moments", isa, src, {dst, dst}, &attributes);
            for (size_t i = 0; i < dst.values.size(); ++i) {
                CHECK(moments.dst[0].values[i] == Approx(moments.expected[0].values[i]).margin(1e-6));
                CHECK(moments.dst[1].values[i] == Approx(moments.expected[1].values[i]).margin(1e-6));
            }
        }
}

TEST_CASE("Long reductions are cut into pieces and stay accurate far from zero") {
    const auto shape = GENERATE(Shape{1, 1, 300'000}, Shape{300'000, 1, 1}, Shape{2, 400, 300, 3}, Shape{40'000, 20});
    const auto axes = GENERATE(1u, 2u, 4u, 6u, 7u);
    if (axes >> shape.rank() != 0) return;
    TestTensor src = empty_tensor(shape);
    Random random(5);
    for (float& value : src.values) value = 100.0f + random.normal();
    const ReduceAttributes attributes{.axes = axes};
    const TestTensor dst = empty_tensor(reduced_shape(shape, axes));
    for (const Isa isa : available_isas()) {
        INFO(shape << " over axes " << axes << " on " << name_of(isa));
        // Sums of a sign: single precision within 1,024 values, double beyond.
        const Pair sum = run_both("reduce_sum", isa, src, {dst}, &attributes);
        CHECK(relative_error(sum.dst[0].values, sum.expected[0].values) < 1e-6);
        const Pair moments = run_both("moments", isa, src, {dst, dst}, &attributes);
        CHECK(relative_error(moments.dst[0].values, moments.expected[0].values) < 1e-6);
        // Shifted moments: deviations of 1 keep seven digits beside a mean of 100 (which has 1e-5 of absolute
        // rounding).
        CHECK(relative_error(moments.dst[1].values, moments.expected[1].values) < 1e-5);
        const Pair most = run_both("reduce_max", isa, src, {dst}, &attributes);
        CHECK(testing::same_bits(most.dst[0].values, most.expected[0].values));
    }
}

TEST_CASE("A maximum of NaN is NaN, and of nothing but minus infinity is that") {
    for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{3, 70}, {70, 3}}) {
        TestTensor src = random_tensor({rows, columns}, 1);
        std::fill(src.values.begin(), src.values.begin() + columns, -infinity);
        src.values.back() = not_a_number;
        for (const uint32_t axes : {1u, 2u, 3u})
            for (const Isa isa : available_isas()) {
                const ReduceAttributes attributes{.axes = axes};
                const Pair most =
                    run_both("reduce_max", isa, src, {empty_tensor(reduced_shape(src.shape, axes))}, &attributes);
                CHECK(relative_error(most.dst[0].values, most.expected[0].values) == 0);
                CHECK(std::isnan(most.dst[0].values.back()));
                if (axes == 2) CHECK(most.dst[0].values.front() == -infinity);
            }
    }
}

TEST_CASE("Units of a reduction that keeps the samples touch one sample each") {
    const TestTensor src = random_tensor({4, 9, 9, 8}, 1), dst = empty_tensor({4, 1, 1, 8});
    const ReduceAttributes attributes{.axes = 0b0110};
    const auto step = testing::make_step(problem_of("reduce_sum", src, {dst}, &attributes), Isa::baseline);
    CHECK(step->stages[0].samples == 4);
    CHECK(step->stages[0].units % 4 == 0);
}

TEST_CASE("Softmax and its logarithm agree with the reference over odd rows, large values and strides") {
    const auto shape = GENERATE(Shape{1}, Shape{7}, Shape{5, 2}, Shape{33, 10}, Shape{3, 16}, Shape{2, 1000},
                                Shape{1, 40'000}, Shape{2, 5, 7, 17});
    const float scale = GENERATE(1.0f, 50.0f, 5000.0f);
    const bool strided = GENERATE(false, true);
    const int64_t stride = strided ? shape[-1] + 3 : 0;
    TestTensor src = random_tensor(shape, 4, stride);
    for (float& value : src.values) value *= scale;
    for (const Isa isa : available_isas()) {
        INFO(shape << " times " << scale << " on " << name_of(isa));
        const Pair soft = run_both("softmax", isa, src, {empty_tensor(shape, stride)});
        // exp turns half an ulp of x - max into |x - max| 6e-8; where the result is not negligible that is below 20.
        CHECK(relative_error(soft.dst[0].values, soft.expected[0].values) < 1e-6);
        const Pair logarithm = run_both("log_softmax", isa, src, {empty_tensor(shape, stride)});
        CHECK(relative_error(logarithm.dst[0].values, logarithm.expected[0].values) < 1e-6);
    }
}

TEST_CASE("Softmax is exact to 4 units in the last place, and one more for each unit of the distance to the maximum") {
    // x - max is rounded: half a unit of it in exp's operand is as much, relative, in the result.
    const auto shape = GENERATE(Shape{400, 2}, Shape{200, 7}, Shape{50, 100}, Shape{2, 5000});
    const float scale = GENERATE(1.0f, 20.0f);
    TestTensor src = random_tensor(shape, 9);
    for (float& value : src.values) value *= scale;
    const auto width = static_cast<size_t>(shape[-1]);
    for (const Isa isa : available_isas()) {
        TestTensor soft = empty_tensor(shape), logarithm = empty_tensor(shape);
        testing::run_step(*testing::make_step(problem_of("softmax", src, {soft}), isa), {&src}, {&soft});
        testing::run_step(*testing::make_step(problem_of("log_softmax", src, {logarithm}), isa), {&src}, {&logarithm});
        double worst = 0, worst_logarithm = 0;
        for (size_t row = 0; row < src.values.size(); row += width) {
            const auto* x = &src.values[row];
            const double most = double{*std::max_element(x, x + width)};
            double sum = 0;
            for (size_t i = 0; i < width; ++i) sum += std::exp(double{x[i]} - most);
            for (size_t i = 0; i < width; ++i) {
                const double distance = most - double{x[i]}, exact = std::exp(-distance) / sum;
                const double unit = std::ldexp(1.0, std::ilogb(exact) - 23);
                worst = std::max(worst, std::abs(double{soft.values[row + i]} - exact) / unit - distance);
                // Its logarithm may be close to zero, where it has the error of what it is the difference of.
                const double log_exact = -distance - std::log(sum);
                const double log_unit = std::ldexp(1.0, std::max(std::ilogb(log_exact), 0) - 23);
                worst_logarithm =
                    std::max(worst_logarithm, std::abs(double{logarithm.values[row + i]} - log_exact) / log_unit);
            }
        }
        INFO(shape << " times " << scale << " on " << name_of(isa) << ": " << worst << ", logarithm "
                   << worst_logarithm);
        CHECK(worst <= 4);
        CHECK(worst_logarithm <= 2);
    }
}

TEST_CASE("Softmax of a row with NaN is NaN and leaves the other rows alone") {
    TestTensor src = random_tensor({3, 5}, 1);
    src.values[7] = not_a_number;
    for (const Isa isa : available_isas())
        for (const std::string_view op : {"softmax", "log_softmax"}) {
            TestTensor dst = empty_tensor({3, 5});
            testing::run_step(*testing::make_step(problem_of(op, src, {dst}), isa), {&src}, {&dst});
            for (size_t i = 0; i < 15; ++i) CHECK(std::isnan(dst.values[i]) == (i / 5 == 1));
        }
}

TEST_CASE("One-hot rows have a single one, and none for an index outside the classes") {
    const std::vector<int32_t> classes{
        0, 3, -1, 2, 4, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
    TestTensor indices = empty_tensor({static_cast<int64_t>(classes.size())});
    std::memcpy(indices.values.data(), classes.data(), classes.size() * sizeof(int32_t));
    const int64_t stride = GENERATE(0, 6);
    TestTensor dst = empty_tensor({static_cast<int64_t>(classes.size()), 4}, stride);
    Problem problem = problem_of("one_hot", indices, {dst});
    problem.inputs[0].dtype = DType::i32;
    for (const Isa isa : available_isas()) {
        testing::run_step(*testing::make_step(problem, isa), {&indices}, {&dst});
        for (size_t row = 0; row < classes.size(); ++row)
            for (int32_t c = 0; c < 4; ++c)
                CHECK(dst.values[row * 4 + static_cast<size_t>(c)] == (classes[row] == c ? 1.0f : 0.0f));
    }
}

TEST_CASE("Reductions that do not fit are refused with the shapes") {
    const TestTensor src = random_tensor({2, 3}, 1);
    const auto reason = [&](std::string_view op, const std::vector<TestTensor>& dst, uint32_t axes) {
        const ReduceAttributes attributes{.axes = axes};
        const Choice choice = choose(problem_of(op, src, dst, &attributes), Isa::baseline);
        CHECK(choice.chosen == nullptr);
        return choice.refused.empty() ? std::string() : choice.refused.front().second;
    };
    CHECK_THAT(reason("reduce_sum", {empty_tensor({2, 2})}, 2), Catch::Contains("2 values") && Catch::Contains("2x2"));
    CHECK_THAT(reason("reduce_sum", {empty_tensor({2, 1})}, 4), Catch::Contains("rank") && Catch::Contains("2x3"));
    CHECK_THAT(reason("moments", {empty_tensor({2, 1})}, 2), Catch::Contains("2 outputs"));
    CHECK_THAT(reason("softmax", {empty_tensor({3, 2})}, 0), Catch::Contains("2x3") && Catch::Contains("3x2"));
    CHECK_THAT(reason("one_hot", {empty_tensor({2, 3})}, 0), Catch::Contains("i32"));
}

TEST_CASE("The norm of a product is taken from its factors, also where almost everything cancels") {
    const auto rows = GENERATE(1, 2, 5, 16, 33);
    const auto columns = GENERATE(std::pair<int64_t, int64_t>{1, 1}, std::pair<int64_t, int64_t>{17, 3},
                                  std::pair<int64_t, int64_t>{4099, 31}, std::pair<int64_t, int64_t>{257, 128});
    TestTensor a = random_tensor({rows, columns.first}, 3), b = random_tensor({rows, columns.second}, 4);
    // Rows of a that differ by little, rows of b that sum to zero: gradients behind a batch-norm.
    for (float& value : a.values) value = 1.0f + 1e-3f * value;
    for (int64_t c = 0; c < columns.second && rows > 1; ++c) {
        float sum = 0;
        for (int64_t r = 0; r + 1 < rows; ++r) sum += b.values[static_cast<size_t>(r * columns.second + c)];
        b.values[static_cast<size_t>((rows - 1) * columns.second + c)] = -sum;
    }
    TestTensor expected = empty_tensor({});
    const std::array<reference::Array<float>, 2> in{a.array(), b.array()};
    const std::array<reference::Array<float>, 1> out{expected.array()};
    reference::function<float>("product_norm")(nullptr, in, out);
    for (const Isa isa : available_isas()) {
        INFO(rows << " rows, " << columns.first << " and " << columns.second << " columns on " << name_of(isa));
        Problem problem;
        problem.op = "product_norm";
        problem.inputs = {a.operand(), b.operand()};
        TestTensor dst = empty_tensor({}), again = dst;
        problem.outputs = {dst.operand()};
        const auto step = testing::make_step(problem, isa);
        testing::run_step(*step, {&a, &b}, {&dst});
        testing::run_step(*step, {&a, &b}, {&again}, Order::shuffled, 1);
        CHECK(testing::same_bits(dst.values, again.values));
        // Double throughout: what is left is the rounding of the result, and that of double to what has cancelled, here
        // at most rows^2 * columns_a * columns_b.
        const double terms = static_cast<double>(rows * rows * columns.first * columns.second);
        CHECK(dst.values[0] == Approx(expected.values[0]).epsilon(1e-6).margin(1e-15 * terms));
    }
}
