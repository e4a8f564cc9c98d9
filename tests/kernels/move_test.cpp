#include "src/reference/move.hpp"

#include <catch2/catch.hpp>

#include "tests/kernels/map_check.hpp"

using namespace liven;
using namespace liven::testing;

namespace {

Shape permuted(const Shape& shape, const AxisArray& order) {
    Shape out;
    for (int axis = 0; axis < shape.rank(); ++axis)
        out.append(shape[static_cast<int>(order[static_cast<size_t>(axis)])]);
    return out;
}

/// Moves `src` by one operation, dense and inside wider pixels.
void check(std::string_view op, const void* attributes, std::vector<TestTensor> inputs, const Shape& result,
           reference::Function<float> reference) {
    MapCase c{.op = op, .attributes = attributes, .inputs = std::move(inputs), .result = result};
    check_map(c, reference);
    for (TestTensor& tensor : c.inputs) tensor.pixel_stride = tensor.channels() + 3;
    c.result_stride = (result.rank() == 0 ? 1 : result[-1]) + 5;
    check_map(c, reference);
}

}  // namespace

TEST_CASE("Concatenation along any axis") {
    const ConcatAttributes channels{3}, rows{1}, samples{0}, last{-1};
    check("concat", &channels,
          {random_tensor({2, 5, 6, 16}, 1), random_tensor({2, 5, 6, 32}, 2), random_tensor({2, 5, 6, 3}, 3)},
          {2, 5, 6, 51}, reference::concat<float>);
    check("concat", &last, {random_tensor({2, 40, 37, 16}, 1), random_tensor({2, 40, 37, 16}, 2)}, {2, 40, 37, 32},
          reference::concat<float>);
    check("concat", &rows, {random_tensor({3, 5, 6, 7}, 1), random_tensor({3, 1, 6, 7}, 2)}, {3, 6, 6, 7},
          reference::concat<float>);
    check("concat", &samples, {random_tensor({3, 5}, 1), random_tensor({1, 5}, 2)}, {4, 5}, reference::concat<float>);
    check("concat", &samples, {random_tensor({3}, 1), random_tensor({0}, 2), random_tensor({4}, 3)}, {7},
          reference::concat<float>);
}

TEST_CASE("Slices of any axis") {
    const SliceAttributes middle{{1, 2, 3, 4, 0, 0}}, channels{{0, 0, 0, 16, 0, 0}}, one{{5, 0, 0, 0, 0, 0}};
    check("slice", &middle, {random_tensor({4, 7, 9, 20}, 1)}, {2, 5, 4, 11}, reference::slice<float>);
    check("slice", &channels, {random_tensor({3, 6, 6, 48}, 1)}, {3, 6, 6, 32}, reference::slice<float>);
    check("slice", &one, {random_tensor({9}, 1)}, {1}, reference::slice<float>);
    check("slice", &one, {random_tensor({9, 2, 3, 2, 2, 3}, 1)}, {3, 2, 3, 2, 2, 3}, reference::slice<float>);
}

TEST_CASE("Padding of any axis, each side by itself") {
    const PadAttributes image{{0, 1, 2, 0, 0, 0}, {0, 0, 3, 0, 0, 0}, -1.5f},
        all{{1, 2, 0, 1, 0, 0}, {1, 0, 2, 4, 0, 0}, 7.0f};
    check("pad", &image, {random_tensor({3, 5, 6, 17}, 1)}, {3, 6, 11, 17}, reference::pad<float>);
    check("pad", &all, {random_tensor({2, 3, 4, 5}, 1)}, {4, 5, 6, 10}, reference::pad<float>);
    check("pad", &image, {random_tensor({4}, 1)}, {4}, reference::pad<float>);
    check("pad", &all, {random_tensor({0, 3}, 1)}, {2, 5}, reference::pad<float>);
}

TEST_CASE("Permutations of up to six axes") {
    const PermuteAttributes nchw{{0, 3, 1, 2, 0, 0}}, nhwc{{0, 2, 3, 1, 0, 0}}, turned{{1, 0, 0, 0, 0, 0}},
        same{{0, 1, 2, 3, 0, 0}};
    const PermuteAttributes six{{5, 2, 0, 4, 1, 3}}, heads{{0, 2, 1, 3, 0, 0}}, back{{3, 2, 1, 0, 0, 0}};
    const auto permute = [&](const PermuteAttributes& attributes, const Shape& shape) {
        check("permute", &attributes, {random_tensor(shape, 1)}, permuted(shape, attributes.order),
              reference::permute<float>);
    };
    permute(nchw, {2, 7, 5, 19});
    permute(nhwc, {2, 19, 7, 5});
    permute(nhwc, {1, 64, 33, 32});
    permute(turned, {131, 67});
    permute(turned, {1, 9});
    permute(same, {2, 3, 4, 5});
    permute(six, {2, 3, 4, 5, 6, 7});
    permute(heads, {2, 10, 4, 16});
    permute(back, {17, 5, 3, 18});
}

TEST_CASE("Broadcasting stretches any axes") {
    check("broadcast", nullptr, {random_tensor({1, 1, 1, 17}, 1)}, {2, 5, 6, 17}, reference::broadcast<float>);
    check("broadcast", nullptr, {random_tensor({2, 5, 6, 1}, 1)}, {2, 5, 6, 33}, reference::broadcast<float>);
    check("broadcast", nullptr, {random_tensor({3, 1, 1, 16}, 1)}, {3, 8, 8, 16}, reference::broadcast<float>);
    check("broadcast", nullptr, {random_tensor({1, 4, 1, 3, 1, 2}, 1)}, {5, 4, 3, 3, 2, 2},
          reference::broadcast<float>);
    check("broadcast", nullptr, {random_tensor({}, 1)}, {}, reference::broadcast<float>);
}

TEST_CASE("Copies go from one pixel stride to another") {
    check("copy", nullptr, {random_tensor({2, 9, 11, 16}, 1)}, {2, 9, 11, 16}, reference::copy<float>);
    check("copy", nullptr, {random_tensor({2, 9, 11, 1}, 1)}, {2, 9, 11, 1}, reference::copy<float>);
    check("copy", nullptr, {random_tensor({300, 700}, 1)}, {300, 700}, reference::copy<float>);
}

TEST_CASE("Elements of every size are moved") {
    const PermuteAttributes order{{1, 0, 2, 0, 0, 0}};
    const auto permute = [&](auto zero, DType dtype) {
        using T = decltype(zero);
        std::vector<T> src(2 * 3 * 5), dst(src.size());
        for (size_t i = 0; i < src.size(); ++i) src[i] = static_cast<T>(i + 1);
        kernels::Problem problem;
        problem.op = "permute";
        problem.attributes = &order;
        problem.inputs = {{.shape = {2, 3, 5}, .dtype = dtype, .pixel_stride = 5}};
        problem.outputs = {{.shape = {3, 2, 5}, .dtype = dtype, .pixel_stride = 5}};
        const void* inputs[] = {src.data()};
        void* outputs[] = {dst.data()};
        for (const Isa isa : available_isas()) {
            const auto step = make_step(problem, isa);
            for (int64_t unit = 0; unit < step->stages[0].units; ++unit)
                step->run(0, unit, {inputs, outputs, nullptr, nullptr});
            for (size_t i = 0; i < 3; ++i)
                for (size_t j = 0; j < 2; ++j)
                    for (size_t c = 0; c < 5; ++c) CHECK(dst[(i * 2 + j) * 5 + c] == src[(j * 3 + i) * 5 + c]);
        }
    };
    permute(uint8_t{}, DType::u8);
    permute(uint16_t{}, DType::bf16);
    permute(int32_t{}, DType::i32);
    permute(int64_t{}, DType::i64);
}

TEST_CASE("Values keep their bits, NaN payloads and negative zeros included") {
    TestTensor src = empty_tensor({3, 5});
    for (size_t i = 0; i < src.values.size(); ++i) {
        const uint32_t bits = i % 2 ? 0x7fa00001u + static_cast<uint32_t>(i) : 0x80000000u + static_cast<uint32_t>(i);
        std::memcpy(&src.values[i], &bits, sizeof bits);
    }
    for (const Isa isa : available_isas()) {
        TestTensor dst = empty_tensor(src.shape);
        run_step(*make_step(problem_of({.op = "copy", .inputs = {src}, .result = src.shape}), isa), {&src}, {&dst});
        CHECK(same_bits(src.values, dst.values));
    }
}

TEST_CASE("What cannot be moved is refused with the reason") {
    const PermuteAttributes twice{{0, 0, 1, 0, 0, 0}};
    const SliceAttributes outside{{3, 0, 0, 0, 0, 0}};
    const auto reason = [](const kernels::Problem& problem) {
        const kernels::Choice choice = kernels::choose(problem, Isa::baseline);
        REQUIRE(choice.chosen == nullptr);
        REQUIRE(choice.refused.size() == 1);
        return choice.refused[0].second;
    };
    CHECK(reason(problem_of(
              {.op = "permute", .attributes = &twice, .inputs = {random_tensor({2, 2, 2}, 1)}, .result = {2, 2, 2}})) ==
          "the order names an axis twice");
    CHECK(
        reason(problem_of({.op = "slice", .attributes = &outside, .inputs = {random_tensor({4}, 1)}, .result = {2}})) ==
        "the slice leaves the operand");
    CHECK(reason(problem_of({.op = "broadcast", .inputs = {random_tensor({2}, 1)}, .result = {4}})) ==
          "only extents of 1 stretch");
}
