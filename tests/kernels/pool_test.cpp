#include "src/reference/pool.hpp"

#include <catch2/catch.hpp>

#include "tests/kernels/map_check.hpp"
#include "tests/kernels/programs.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

// Sums of at most a few hundred fp32 products against sums in double.
constexpr double rounding = 1e-6;

Shape pooled(const Shape& src, const Window2d& window) {
    return {src[0], window.out_h(src[1]), window.out_w(src[2]), src[3]};
}

/// Few different values, so that windows hold equal maxima.
TestTensor with_ties(const Shape& shape, uint64_t seed, int64_t stride = 0) {
    TestTensor out = random_tensor(shape, seed, stride);
    for (float& value : out.values) value = std::round(value * 3.0f);
    return out;
}

std::vector<Window2d> windows() {
    return {
        {.kernel = {2}, .stride = {2}},
        {.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}},
        {.kernel = {3}, .stride = {1}, .padding = {1, 1, 1, 1}},
        {.kernel = {2}, .stride = {2}, .ceil_mode = true},
        {.kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 0, 0, 1}, .ceil_mode = true},
        {.kernel = {2}, .stride = {3}},
        {.kernel = {2, 3}, .stride = {1}, .padding = {2, 1, 1, 2}, .dilation = {2}},
        {.kernel = {1}, .stride = {1}},
        {.kernel = {7}, .stride = {7}, .padding = {3, 3, 3, 3}},
    };
}

std::vector<Shape> sources() {
    return {{1, 7, 7, 1}, {2, 8, 8, 16}, {1, 9, 11, 37}, {3, 13, 8, 5}, {1, 6, 300, 32}, {2, 66, 34, 48}};
}

void check_all(const PoolAttributes& attributes, const Shape& shape, int64_t extra = 0) {
    const auto wide = [&](const Shape& s) { return extra == 0 ? 0 : s[3] + extra; };
    const Shape dst = pooled(shape, attributes.window);
    if (dst.count() == 0) return;
    const TestTensor src = with_ties(shape, 1, wide(shape)), other = random_tensor(shape, 2, wide(shape));
    const TestTensor diff = random_tensor(dst, 3, wide(dst));
    const auto check = [&](std::string_view op, reference::Function<float> reference,
                           const std::vector<TestTensor>& inputs, const Shape& result, double tolerance) {
        check_map({.op = op,
                   .attributes = &attributes,
                   .inputs = inputs,
                   .result = result,
                   .result_stride = wide(result),
                   .tolerance = tolerance},
                  reference);
    };
    check("max_pool", reference::max_pool<float>, {src}, dst, 0);
    check("max_pool_pick", reference::max_pool_pick<float>, {src, other}, dst, 0);
    check("max_pool_grad", reference::max_pool_grad<float>, {src, diff}, shape, rounding);
    check("avg_pool", reference::avg_pool<float>, {other}, dst, rounding);
    check("avg_pool_grad", reference::avg_pool_grad<float>, {diff}, shape, rounding);
}

}  // namespace

TEST_CASE("Pooling with any window agrees with the reference on every ISA") {
    for (const Window2d& window : windows())
        for (const Shape& shape : sources()) check_all({.window = window}, shape);
}

TEST_CASE("Padding that counts changes the averages only") {
    for (const Window2d& window : windows()) check_all({.window = window, .count_include_pad = true}, {2, 9, 10, 19});
}

TEST_CASE("Pooling reads and writes slices of wider pixels") {
    for (const Window2d& window : windows()) check_all({.window = window}, {2, 10, 9, 21}, 7);
}

TEST_CASE("Samples of a pooling are independent units") {
    const PoolAttributes attributes{.window = {.kernel = {2}, .stride = {2}}};
    const MapCase c{.op = "max_pool",
                    .attributes = &attributes,
                    .inputs = {random_tensor({6, 64, 64, 32}, 1)},
                    .result = {6, 32, 32, 32}};
    const auto step = make_step(problem_of(c), Isa::baseline);
    CHECK(step->stages[0].samples == 6);
    CHECK(step->stages[0].units > 6);
}

TEST_CASE("The first of equal maxima wins, and NaN wins over numbers") {
    const PoolAttributes attributes{.window = {.kernel = {2}, .stride = {2}}};
    TestTensor src = empty_tensor({1, 2, 6, 1}), t = empty_tensor({1, 2, 6, 1});
    src.values = {5, 5, 1, not_a_number, -infinity, -infinity,  //
                  5, 5, 9, not_a_number, -infinity, -infinity};
    t.values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    TestTensor diff = empty_tensor({1, 1, 3, 1});
    diff.values = {10, 20, 30};
    for (const Isa isa : available_isas()) {
        TestTensor max = empty_tensor({1, 1, 3, 1}), picked = max, grad = empty_tensor(src.shape);
        run_step(
            *make_step(problem_of({.op = "max_pool", .attributes = &attributes, .inputs = {src}, .result = max.shape}),
                       isa),
            {&src}, {&max});
        CHECK(max.values[0] == 5);
        CHECK(std::isnan(max.values[1]));
        CHECK(max.values[2] == -infinity);
        run_step(
            *make_step(
                problem_of(
                    {.op = "max_pool_pick", .attributes = &attributes, .inputs = {src, t}, .result = picked.shape}),
                isa),
            {&src, &t}, {&picked});
        CHECK(picked.values == std::vector<float>{1, 4, 5});
        run_step(
            *make_step(
                problem_of(
                    {.op = "max_pool_grad", .attributes = &attributes, .inputs = {src, diff}, .result = src.shape}),
                isa),
            {&src, &diff}, {&grad});
        CHECK(grad.values == std::vector<float>{10, 0, 0, 20, 30, 0, 0, 0, 0, 0, 0, 0});
    }
}

TEST_CASE("A window that lies in the padding altogether holds nothing") {
    const PoolAttributes attributes{.window = {.kernel = {2}, .stride = {2}, .padding = {2, 0, 2, 0}}};
    const TestTensor src = random_tensor({1, 4, 4, 3}, 1);
    check_all(attributes, src.shape);
    TestTensor max = empty_tensor({1, 3, 3, 3});
    run_step(*make_step(problem_of({.op = "max_pool", .attributes = &attributes, .inputs = {src}, .result = max.shape}),
                        Isa::baseline),
             {&src}, {&max});
    CHECK(max.values[0] == -infinity);
}

TEST_CASE("Ceil mode and padding as computed by hand") {
    // 5 values, windows of 2 at stride 2: floor gives 2 windows, ceil a third one that holds the last value alone.
    const PoolAttributes attributes{.window = {.kernel = {1, 2}, .stride = {1, 2}, .ceil_mode = true}};
    TestTensor src = empty_tensor({1, 1, 5, 1});
    src.values = {1, 3, 2, 0, 7};
    for (const Isa isa : available_isas()) {
        TestTensor max = empty_tensor({1, 1, 3, 1}), mean = max;
        run_step(
            *make_step(problem_of({.op = "max_pool", .attributes = &attributes, .inputs = {src}, .result = max.shape}),
                       isa),
            {&src}, {&max});
        CHECK(max.values == std::vector<float>{3, 2, 7});
        run_step(
            *make_step(problem_of({.op = "avg_pool", .attributes = &attributes, .inputs = {src}, .result = max.shape}),
                       isa),
            {&src}, {&mean});
        CHECK(mean.values == std::vector<float>{2, 1, 7});
    }
}

TEST_CASE("Pooling agrees with PyTorch where ceil mode meets padding") {
    const auto check = [](std::string_view op, reference::Function<float> reference, const PoolAttributes& attributes,
                          int64_t height, int64_t width, const golden::Image& want) {
        const TestTensor src = golden_source(height, width);
        check_golden(
            {.op = op, .attributes = &attributes, .inputs = {src}, .result = pooled(src.shape, attributes.window)},
            reference, want);
    };
    const Window2d ceil{.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}, .ceil_mode = true};
    const PoolAttributes plain{.window = ceil}, counting{.window = ceil, .count_include_pad = true};
    check("max_pool", reference::max_pool<float>, plain, 6, 7, golden::max_3x3_s2_p1_ceil);
    check("max_pool", reference::max_pool<float>, {.window = {.kernel = {2}, .stride = {2}, .ceil_mode = true}}, 5, 5,
          golden::max_2x2_s2_ceil);
    check("max_pool", reference::max_pool<float>, {.window = {.kernel = {3, 2}, .stride = {1}, .dilation = {2}}}, 7, 6,
          golden::max_3x2_s1_d2);
    check("avg_pool", reference::avg_pool<float>, plain, 6, 7, golden::avg_3x3_s2_p1_ceil);
    check("avg_pool", reference::avg_pool<float>, counting, 6, 7, golden::avg_3x3_s2_p1_ceil_padding_counts);
    check("avg_pool", reference::avg_pool<float>,
          {.window = {.kernel = {2, 3}, .stride = {1}, .padding = {1, 1, 1, 1}}, .count_include_pad = true}, 4, 4,
          golden::avg_2x3_s1_p1_padding_counts);
    const Shape src{1, 6, 7, 1}, dst = pooled(src, ceil);
    const TestTensor image = golden_source(6, 7), diff = golden_source(dst[1], dst[2]);
    check_golden({.op = "max_pool_grad", .attributes = &plain, .inputs = {image, diff}, .result = src},
                 reference::max_pool_grad<float>, golden::max_3x3_s2_p1_ceil_grad);
    check_golden({.op = "avg_pool_grad", .attributes = &plain, .inputs = {diff}, .result = src},
                 reference::avg_pool_grad<float>, golden::avg_3x3_s2_p1_ceil_grad);
    check_golden({.op = "avg_pool_grad", .attributes = &counting, .inputs = {diff}, .result = src},
                 reference::avg_pool_grad<float>, golden::avg_3x3_s2_p1_ceil_padding_counts_grad);
}

TEST_CASE("What does not fit a window is refused with the reason") {
    const PoolAttributes attributes{.window = {.kernel = {2}, .stride = {2}}};
    kernels::Problem problem = problem_of({.op = "max_pool",
                                           .attributes = &attributes,
                                           .inputs = {random_tensor({1, 4, 4, 2}, 1)},
                                           .result = {1, 2, 3, 2}});
    const kernels::Choice choice = kernels::choose(problem, Isa::baseline);
    CHECK(choice.chosen == nullptr);
    REQUIRE(choice.refused.size() == 1);
    CHECK(choice.refused[0].second == "the pooled map has another shape than the window gives");
}

TEST_CASE("Prologues make what is pooled and epilogues take the rows, with the same bits in any order") {
    for (const Window2d& window : windows()) {
        const PoolAttributes attributes{.window = window};
        const Shape shape{2, 41, 22, 24}, dst_shape = pooled(shape, window);
        const TestTensor src = with_ties(shape, 1), scale = random_tensor({24}, 2), shift = random_tensor({24}, 3);
        const TestTensor gain = random_tensor({24}, 4), bias = random_tensor({24}, 5);
        TestTensor made = src;
        made.values = scaled_shifted_relu(src.values, scale.values, shift.values);
        const kernels::Program prologue = scale_shift_relu(0, 1, -1);
        kernels::Program epilogue = scale_shift_relu(-1, 3, 0);
        add_moments(epilogue, 4, 1, 2);
        const auto check = [&](std::string_view op, reference::Function<float> reference) {
            const TestTensor core =
                by_reference({.op = op, .attributes = &attributes, .inputs = {made}, .result = dst_shape}, reference);
            const std::vector<float> want = scaled_shifted_relu(core.values, gain.values, bias.values);
            const Moments moments = moments_of(want, 24);
            TestTensor dst = empty_tensor(dst_shape), mean = empty_tensor({24}), variance = mean;
            kernels::Problem problem;
            problem.op = op;
            problem.attributes = &attributes;
            problem.inputs = {src.operand(), scale.operand(), shift.operand(), gain.operand(), bias.operand()};
            problem.outputs = {dst.operand(), mean.operand(), variance.operand()};
            problem.prologue[0] = &prologue;
            problem.prologue_shape[0] = shape;
            problem.epilogue = &epilogue;
            problem.epilogue_shape = dst_shape;
            for (const Isa isa : available_isas()) {
                INFO(op << " " << name_of(isa));
                const auto step = make_step(problem, isa);
                run_step(*step, {&src, &scale, &shift, &gain, &bias}, {&dst, &mean, &variance});
                CHECK(relative_error(dst.values, want) <= rounding);
                CHECK(relative_error(mean.values, moments.mean) <= rounding);
                CHECK(relative_error(variance.values, moments.variance) <= 2 * rounding);
                const auto first = dst.values, first_mean = mean.values;
                run_step(*step, {&src, &scale, &shift, &gain, &bias}, {&dst, &mean, &variance}, Order::shuffled);
                CHECK(same_bits(first, dst.values));
                CHECK(same_bits(first_mean, mean.values));
            }
        };
        check("max_pool", reference::max_pool<float>);
        check("avg_pool", reference::avg_pool<float>);
    }
}

TEST_CASE("The gradient of the maximum recomputes src and makes diff_dst by prologues") {
    for (const Window2d& window : windows()) {
        const PoolAttributes attributes{.window = window};
        const Shape shape{2, 41, 22, 24}, dst_shape = pooled(shape, window);
        const TestTensor src = with_ties(shape, 1), diff = random_tensor(dst_shape, 2);
        const TestTensor scale = random_tensor({24}, 3), shift = random_tensor({24}, 4);
        TestTensor made_src = src, made_diff = diff;
        made_src.values = scaled_shifted_relu(src.values, scale.values, shift.values);
        made_diff.values = scaled_shifted_relu(diff.values, scale.values, shift.values);
        const TestTensor core = by_reference(
            {.op = "max_pool_grad", .attributes = &attributes, .inputs = {made_src, made_diff}, .result = shape},
            reference::max_pool_grad<float>);
        const std::vector<float> want = scaled_shifted_relu(core.values, scale.values, shift.values);
        const kernels::Program prologue0 = scale_shift_relu(0, 2, -1), prologue1 = scale_shift_relu(1, 2, -1);
        const kernels::Program epilogue = scale_shift_relu(-1, 2, 0);
        TestTensor dst = empty_tensor(shape);
        kernels::Problem problem;
        problem.op = "max_pool_grad";
        problem.attributes = &attributes;
        problem.inputs = {src.operand(), diff.operand(), scale.operand(), shift.operand()};
        problem.outputs = {dst.operand()};
        problem.prologue[0] = &prologue0;
        problem.prologue[1] = &prologue1;
        problem.prologue_shape[0] = shape;
        problem.prologue_shape[1] = dst_shape;
        problem.epilogue = &epilogue;
        for (const Isa isa : available_isas()) {
            INFO(name_of(isa));
            run_step(*make_step(problem, isa), {&src, &diff, &scale, &shift}, {&dst}, Order::shuffled);
            CHECK(relative_error(dst.values, want) <= rounding);
        }
    }
}
