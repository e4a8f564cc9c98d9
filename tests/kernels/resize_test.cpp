#include "src/reference/resize.hpp"

#include <catch2/catch.hpp>

#include "tests/kernels/map_check.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

using Mode = ResizeAttributes::Mode;

// Sums of a few dozen fp32 products against sums in double.
constexpr double weight_rounding = 1e-6;

void check_both(Mode mode, const Shape& src, const Shape& dst, int64_t extra = 0) {
    const ResizeAttributes attributes{mode};
    const auto wide = [&](const Shape& s) { return extra == 0 ? 0 : s[3] + extra; };
    check_map({.op = "resize",
               .attributes = &attributes,
               .inputs = {random_tensor(src, 1, wide(src))},
               .result = dst,
               .result_stride = wide(dst),
               .tolerance = weight_rounding},
              reference::resize<float>);
    check_map({.op = "resize_grad",
               .attributes = &attributes,
               .inputs = {random_tensor(dst, 2, wide(dst))},
               .result = src,
               .result_stride = wide(src),
               .tolerance = weight_rounding},
              reference::resize_grad<float>);
}

}  // namespace

TEST_CASE("Resizing up and down by any factor agrees with the reference on every ISA") {
    const Mode mode = GENERATE(Mode::nearest, Mode::bilinear);
    check_both(mode, {1, 1, 1, 1}, {1, 5, 3, 1});
    check_both(mode, {2, 5, 7, 16}, {2, 10, 14, 16});
    check_both(mode, {1, 13, 11, 37}, {1, 6, 29, 37});
    check_both(mode, {3, 4, 4, 3}, {3, 4, 4, 3});
    check_both(mode, {1, 64, 48, 5}, {1, 3, 2, 5});
    check_both(mode, {2, 32, 32, 64}, {2, 64, 64, 64});
    check_both(mode, {2, 9, 8, 18}, {2, 12, 5, 18}, 5);
}

TEST_CASE("Resizing agrees with PyTorch at odd scales") {
    const ResizeAttributes bilinear{Mode::bilinear}, nearest{Mode::nearest};
    const auto check = [](const ResizeAttributes& attributes, int64_t height, int64_t width, const golden::Image& want,
                          const golden::Image& want_grad) {
        const TestTensor src = golden_source(height, width), diff = golden_source(want.height, want.width);
        check_golden({.op = "resize", .attributes = &attributes, .inputs = {src}, .result = shape_of(want)},
                     reference::resize<float>, want);
        check_golden({.op = "resize_grad", .attributes = &attributes, .inputs = {diff}, .result = src.shape},
                     reference::resize_grad<float>, want_grad);
    };
    check(bilinear, 3, 4, golden::bilinear_up, golden::bilinear_up_grad);
    check(bilinear, 7, 9, golden::bilinear_down, golden::bilinear_down_grad);
    check(nearest, 3, 4, golden::nearest_up, golden::nearest_up_grad);
    check(nearest, 7, 9, golden::nearest_down, golden::nearest_down_grad);
}

TEST_CASE("The gradient of resizing is its transpose") {
    // <resize(x), y> = <x, resize_grad(y)>
    const ResizeAttributes attributes{Mode::bilinear};
    const TestTensor x = random_tensor({1, 7, 5, 9}, 1), y = random_tensor({1, 17, 3, 9}, 2);
    for (const Isa isa : available_isas()) {
        TestTensor rx = empty_tensor(y.shape), gy = empty_tensor(x.shape);
        run_step(
            *make_step(problem_of({.op = "resize", .attributes = &attributes, .inputs = {x}, .result = y.shape}), isa),
            {&x}, {&rx});
        run_step(
            *make_step(problem_of({.op = "resize_grad", .attributes = &attributes, .inputs = {y}, .result = x.shape}),
                       isa),
            {&y}, {&gy});
        double left = 0, right = 0;
        for (size_t i = 0; i < y.values.size(); ++i) left += double{rx.values[i]} * double{y.values[i]};
        for (size_t i = 0; i < x.values.size(); ++i) right += double{gy.values[i]} * double{x.values[i]};
        CHECK(left == Approx(right).epsilon(1e-5).margin(1e-5));  // sums of 459 fp32 products of size 1
    }
}

TEST_CASE("Doubling by nearest repeats every pixel bit by bit") {
    const ResizeAttributes attributes{Mode::nearest};
    const TestTensor src = random_tensor({1, 3, 3, 20}, 1);
    for (const Isa isa : available_isas()) {
        TestTensor got = empty_tensor({1, 6, 6, 20});
        run_step(
            *make_step(problem_of({.op = "resize", .attributes = &attributes, .inputs = {src}, .result = got.shape}),
                       isa),
            {&src}, {&got});
        for (size_t i = 0; i < got.values.size(); ++i) {
            const size_t c = i % 20, x = i / 20 % 6, y = i / 120;
            CHECK(got.values[i] == src.values[(y / 2 * 3 + x / 2) * 20 + c]);
        }
    }
}
