#include <bit>
#include <catch2/catch.hpp>

#include "liven/core/window.hpp"
#include "src/reference/matmul.hpp"
#include "tests/kernels/programs.hpp"
#include "tests/kernels/step_runner.hpp"

using namespace liven;
using namespace liven::testing;
using kernels::Problem;

namespace {

struct Product {
    Shape a, b, dst;
    MatmulAttributes attributes;
};

Product product(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b) {
    return {transpose_a ? Shape{k, m} : Shape{m, k},
            transpose_b ? Shape{n, k} : Shape{k, n},
            Shape{m, n},
            {transpose_a, transpose_b}};
}

// fp32 sums of k products in blocks against sums in double: the error grows like sqrt(k) * 2^-24 of the result's size
// at most; 1e-6 is four times that at k = 1000.
double bound(int64_t k) { return 1e-6 * std::max(1.0, std::sqrt(static_cast<double>(k) / 1000.0)); }

struct Factors {
    TestTensor a, b, want, got;
    Problem problem;
};

Factors factors(const Product& product, int64_t extra_stride = 0) {
    const auto stride = [&](const Shape& shape) { return extra_stride == 0 ? 0 : shape[-1] + extra_stride; };
    Factors out{random_tensor(product.a, 1, stride(product.a)),
                random_tensor(product.b, 2, stride(product.b)),
                empty_tensor(product.dst),
                empty_tensor(product.dst, stride(product.dst)),
                {}};
    const std::vector<reference::Array<float>> in{out.a.array(), out.b.array()}, result{out.want.array()};
    reference::matmul<float>(&product.attributes, in, result);
    out.problem.op = "matmul";
    out.problem.attributes = &product.attributes;
    out.problem.inputs = {out.a.operand(), out.b.operand()};
    out.problem.outputs = {out.got.operand()};
    return out;
}

/// Every kernel of every ISA that accepts the problem, against the reference and in three orders of units.
int check_all(const Product& product, int64_t extra_stride = 0, int64_t offset = 0) {
    Factors t = factors(product, extra_stride);
    int accepted = 0;
    for (const kernels::KernelInfo& kernel : kernels::registry()) {
        if (kernel.op != "matmul" || kernel.isa > available_isas().back()) continue;
        if (!kernel.refuse(t.problem).empty()) continue;
        ++accepted;
        INFO(kernel.name << " " << product.a << " @ " << product.b << " transposed " << product.attributes.transpose_a
                         << product.attributes.transpose_b);
        const auto step = kernel.make(t.problem, kernel.isa);
        run_step(*step, {&t.a, &t.b}, {&t.got}, Order::forward, offset);
        const std::vector<float> first = t.got.values;
        CHECK(relative_error(first, t.want.values) <= bound(product.a[product.attributes.transpose_a ? -2 : -1]));
        run_step(*step, {&t.a, &t.b}, {&t.got}, Order::shuffled, offset);
        CHECK(same_bits(first, t.got.values));
    }
    return accepted;
}

}  // namespace

TEST_CASE("Products of any size and transposition agree with the reference on every ISA") {
    const bool ta = GENERATE(false, true), tb = GENERATE(false, true);
    for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{{1, 1, 1},
                                                                     {1, 2, 3},
                                                                     {2, 1, 7},
                                                                     {13, 17, 19},
                                                                     {5, 33, 1},
                                                                     {31, 64, 257},
                                                                     {12, 32, 256},
                                                                     {97, 101, 103},
                                                                     {64, 48, 513}}) {
        CHECK(check_all(product(m, n, k, ta, tb)) >= static_cast<int>(available_isas().size()));
    }
}

TEST_CASE("Several units in every direction agree with the reference") {
    CHECK(check_all(product(311, 597, 300, false, false)) > 0);
    CHECK(check_all(product(300, 530, 70, true, true)) > 0);
}

TEST_CASE("Factors inside wider pixels are read and written without touching what lies between") {
    const bool ta = GENERATE(false, true), tb = GENERATE(false, true);
    check_all(product(29, 37, 41, ta, tb), 3, 1);
    check_all(product(7, 300, 64, ta, tb), 16, 0);
}

TEST_CASE("A long inner axis is split, a small one is not, and both say why") {
    const Product dense = product(16, 128, 8192, false, false);
    Factors t = factors(dense);
    for (const Isa isa : available_isas())
        CHECK(kernels::choose(t.problem, isa).chosen->name.find("split_k") != std::string_view::npos);
    check_all(dense);
    check_all(product(5, 7, 4099, true, false));
    check_all(product(3, 130, 2048, false, true));
    const Product small = product(16, 128, 64, false, false);
    Factors s = factors(small);
    const kernels::Choice choice = kernels::choose(s.problem, Isa::baseline);
    CHECK(choice.chosen->name == "matmul_packed_4x8_f32");
    REQUIRE(choice.refused.size() == 4);
    CHECK(choice.refused[0].second == "k is too short to be split");
}

TEST_CASE("One row times a wide matrix comes as one stream, rows of b apart or not") {
    check_all(product(1, 128, 131, false, false));
    check_all(product(1, 128, 9001, false, false));
    check_all(product(1, 256, 700, true, false));
    check_all(product(1, 640, 515, false, false), 16, 0);
}

TEST_CASE("Weights in bf16 are read as the floats that they are") {
    struct Case {
        int64_t m, n, k, stride;
        const char* form;
    };
    const std::vector<Case> cases{{1, 128, 9001, 128, "split_k"},  {1, 256, 70, 256, "packed"},
                                  {1, 131, 2050, 131, ""},         {3, 128, 5000, 136, ""},
                                  {16, 128, 8192, 128, "split_k"}, {31, 45, 77, 45, "packed"},
                                  {300, 270, 600, 271, "packed"},  {1, 1, 1, 1, "packed"}};
    for (const Case& c : cases) {
        const Product p = product(c.m, c.n, c.k, false, false);
        Factors wide = factors(p);
        // Two bf16 values to a float of the test's memory.
        TestTensor narrow = empty_tensor({1, (c.k * c.stride + 1) / 2});
        auto* halves = reinterpret_cast<uint16_t*>(narrow.values.data());
        for (int64_t k = 0; k < c.k; ++k)
            for (int64_t n = 0; n < c.n; ++n) {
                float& value = wide.b.values[static_cast<size_t>(k * c.n + n)];
                const uint32_t upper = std::bit_cast<uint32_t>(value) >> 16;
                halves[k * c.stride + n] = static_cast<uint16_t>(upper);
                value = std::bit_cast<float>(upper << 16);
            }
        const std::vector<reference::Array<float>> in{wide.a.array(), wide.b.array()}, out{wide.want.array()};
        reference::matmul<float>(&p.attributes, in, out);
        Problem problem = wide.problem;
        problem.attributes = &p.attributes;
        problem.inputs[1] = {.shape = p.b, .dtype = DType::bf16, .pixel_stride = c.stride};
        for (const Isa isa : available_isas()) {
            const kernels::Choice choice = kernels::choose(problem, isa);
            REQUIRE(choice.chosen);
            INFO(choice.chosen->name << " " << p.a << " @ " << p.b);
            CHECK(choice.chosen->name.ends_with("_bf16"));
            CHECK(choice.chosen->name.find(c.form) != std::string_view::npos);
            const auto step = choice.chosen->make(problem, isa);
            run_step(*step, {&wide.a, &narrow}, {&wide.got}, Order::forward, 1);
            const std::vector<float> first = wide.got.values;
            CHECK(relative_error(first, wide.want.values) <= bound(c.k));
            run_step(*step, {&wide.a, &narrow}, {&wide.got}, Order::shuffled, 0);
            CHECK(same_bits(first, wide.got.values));
        }
    }
}

TEST_CASE("Few rows times a long transposed matrix are computed turned") {
    const Product backward = product(16, 3001, 128, false, true);
    Factors t = factors(backward);
    for (const Isa isa : available_isas()) {
        if (isa == Isa::baseline) continue;  // four lanes: turning b costs little there
        CHECK(kernels::choose(t.problem, isa).chosen->name.find("turned") != std::string_view::npos);
    }
    check_all(backward);
    check_all(product(1, 777, 9, true, true));
    check_all(product(32, 513, 300, false, true), 5);
}

TEST_CASE("A batch multiplies matrix by matrix, and shares b when b has none") {
    const bool ta = GENERATE(false, true), tb = GENERATE(false, true);
    const MatmulAttributes attributes{ta, tb};
    const auto a = [&](int64_t m, int64_t k) { return ta ? Shape{2, 3, k, m} : Shape{2, 3, m, k}; };
    check_all({a(17, 11), tb ? Shape{2, 3, 19, 11} : Shape{2, 3, 11, 19}, {2, 3, 17, 19}, attributes});
    check_all({a(17, 11), tb ? Shape{19, 11} : Shape{11, 19}, {2, 3, 17, 19}, attributes});
    check_all({a(70, 33), tb ? Shape{48, 33} : Shape{33, 48}, {2, 3, 70, 48}, attributes});
}

TEST_CASE("Images are the samples of a 1 x 1 convolution") {
    const MatmulAttributes attributes;
    const Product product{{3, 16, 16, 24}, {24, 40}, {3, 16, 16, 40}, attributes};
    Factors t = factors(product);
    for (const Isa isa : available_isas()) CHECK(make_step(t.problem, isa)->stages[0].samples == 3);
    check_all(product);
}

TEST_CASE("A product over nothing is zero") { check_all(product(5, 9, 0, false, false)); }

TEST_CASE("What matmul cannot multiply is refused with the reason") {
    Product wrong = product(4, 5, 6, false, false);
    Factors t = factors(wrong);
    t.problem.inputs[1].shape = {7, 5};
    for (const kernels::KernelInfo& kernel : kernels::registry())
        if (kernel.op == "matmul") CHECK(kernel.refuse(t.problem) == "the inner extents differ");
    t.problem.inputs[1].shape = {6, 5};
    t.problem.inputs[1].dtype = DType::i32;
    CHECK(kernels::choose(t.problem, Isa::baseline).chosen == nullptr);
    t.problem.inputs[1].dtype = DType::f32;
    t.problem.inputs[0].dtype = DType::u8;
    CHECK(kernels::choose(t.problem, Isa::baseline).chosen == nullptr);
    Product turned = product(4, 5, 6, false, true);
    Factors u = factors(turned);
    u.problem.inputs[1].dtype = DType::bf16;
    const kernels::Choice choice = kernels::choose(u.problem, Isa::baseline);
    CHECK(choice.chosen == nullptr);
    CHECK(choice.refused[0].second == "operand b is bf16 and transposed");
}

TEST_CASE("Infinities and NaN reach exactly the results they belong to") {
    const Product p = product(7, 9, 20, false, false);
    Factors t = factors(p);
    t.a.values[3 * 20 + 4] = testing::not_a_number;
    for (const Isa isa : available_isas()) {
        run_step(*make_step(t.problem, isa), {&t.a, &t.b}, {&t.got});
        for (int64_t i = 0; i < 7 * 9; ++i) CHECK(std::isnan(t.got.values[static_cast<size_t>(i)]) == (i / 9 == 3));
    }
}

TEST_CASE("An epilogue takes the rows of every form of the product, and its sums do not depend on the order of units") {
    struct Fused {
        Product product;
        const char* form;
    };
    const std::vector<Fused> cases{
        {product(70, 50, 300, false, false), "packed"},    {product(290, 600, 260, true, false), "packed"},
        {product(16, 131, 4099, false, false), "split_k"}, {product(9, 1500, 33, false, true), "turned"},
        {product(300, 40, 20, false, true), "packed"},
    };
    for (const Fused& fused : cases) {
        const int64_t n = fused.product.dst[1];
        const TestTensor a = random_tensor(fused.product.a, 1), b = random_tensor(fused.product.b, 2);
        const TestTensor scale = random_tensor({n}, 3), shift = random_tensor({n}, 4);
        Factors plain = factors(fused.product);
        const std::vector<float> want = scaled_shifted_relu(plain.want.values, scale.values, shift.values);
        const Moments moments = moments_of(want, static_cast<size_t>(n));
        kernels::Program epilogue = scale_shift_relu(-1, 2, 0);
        add_moments(epilogue, 4, 1, 2);
        TestTensor dst = empty_tensor(fused.product.dst, n + 3), mean = empty_tensor({n}), variance = mean;
        Problem problem = plain.problem;
        problem.inputs = {a.operand(), b.operand(), scale.operand(), shift.operand()};
        problem.outputs = {dst.operand(), mean.operand(), variance.operand()};
        problem.epilogue = &epilogue;
        for (const kernels::KernelInfo& kernel : kernels::registry()) {
            if (kernel.op != "matmul" || kernel.isa > available_isas().back()) continue;
            if (kernel.name.find(fused.form) == std::string_view::npos || kernel.name.ends_with("_bf16")) continue;
            INFO(kernel.name << " " << fused.product.a << " @ " << fused.product.b);
            REQUIRE(kernel.refuse(problem).empty());
            const auto step = kernel.make(problem, kernel.isa);
            run_step(*step, {&a, &b, &scale, &shift}, {&dst, &mean, &variance});
            CHECK(relative_error(dst.values, want) <= bound(4099));
            CHECK(relative_error(mean.values, moments.mean) <= bound(4099));
            CHECK(relative_error(variance.values, moments.variance) <= 2 * bound(4099));
            const auto first_dst = dst.values, first_mean = mean.values, first_variance = variance.values;
            run_step(*step, {&a, &b, &scale, &shift}, {&dst, &mean, &variance}, Order::shuffled);
            CHECK(same_bits(first_dst, dst.values));
            CHECK(same_bits(first_mean, mean.values));
            CHECK(same_bits(first_variance, variance.values));
        }
    }
}

TEST_CASE("An epilogue that tells samples apart gets each image's own values and sums") {
    const Shape src{3, 12, 12, 24}, result{3, 12, 12, 40};
    const MatmulAttributes attributes;
    const TestTensor a = random_tensor(src, 1), b = random_tensor({24, 40}, 2), gate = random_tensor({3, 40}, 3);
    TestTensor want = empty_tensor(result);
    {
        TestTensor left = a, right = b;
        const std::vector<reference::Array<float>> in{left.array(), right.array()}, out{want.array()};
        reference::matmul<float>(&attributes, in, out);
    }
    kernels::Program epilogue;
    epilogue.inputs = {{.operand = -1}, {.operand = 2, .access = kernels::Access::sample_channel}};
    epilogue.code = {{.op = kernels::Opcode::mul, .dst = 2, .a = 0, .b = 1}};
    epilogue.outputs = {{.source = 2, .operand = 0}};
    epilogue.registers = 3;
    epilogue.reductions = {
        {.kind = kernels::Reduction::Kind::sum, .over = kernels::Reduction::Over::pixels, .source = 2, .operand = 1}};
    std::vector<float> sums(3 * 40, 0.0f);
    for (size_t i = 0; i < want.values.size(); ++i) {
        const size_t at = i / (144 * 40) * 40 + i % 40;
        want.values[i] *= gate.values[at];
        sums[at] += want.values[i];
    }
    TestTensor dst = empty_tensor(result), sum = empty_tensor({3, 1, 1, 40});
    Problem problem;
    problem.op = "matmul";
    problem.attributes = &attributes;
    problem.inputs = {a.operand(), b.operand(), gate.operand()};
    problem.outputs = {dst.operand(), sum.operand()};
    problem.epilogue = &epilogue;
    problem.epilogue_shape = result;
    for (const Isa isa : available_isas()) {
        const auto step = make_step(problem, isa);
        CHECK(step->stages[0].samples == 3);
        run_step(*step, {&a, &b, &gate}, {&dst, &sum}, Order::shuffled);
        CHECK(relative_error(dst.values, want.values) <= bound(24));
        CHECK(relative_error(sum.values, sums) <= 2e-6);  // 144 values of size 1 added in fp32 by this test
    }
}

TEST_CASE("A prologue makes operand a on the way in, however it is stored") {
    for (const Product& p : {product(70, 50, 300, false, false), product(130, 64, 90, true, false),
                             product(64, 32, 5000, true, false), product(33, 200, 40, false, true)}) {
        const int64_t channels = p.a[1];
        const TestTensor a = random_tensor(p.a, 1), b = random_tensor(p.b, 2);
        const TestTensor scale = random_tensor({channels}, 3), shift = random_tensor({channels}, 4);
        Factors plain = factors(p);
        TestTensor made = a, right = b, want = empty_tensor(p.dst);
        made.values = scaled_shifted_relu(a.values, scale.values, shift.values);
        const std::vector<reference::Array<float>> in{made.array(), right.array()}, out{want.array()};
        reference::matmul<float>(&p.attributes, in, out);
        const kernels::Program prologue = scale_shift_relu(1, 2, -1);
        TestTensor dst = empty_tensor(p.dst);
        Problem problem = plain.problem;
        problem.inputs = {b.operand(), a.operand(), scale.operand(), shift.operand()};
        problem.outputs = {dst.operand()};
        problem.prologue[0] = &prologue;
        problem.prologue_shape[0] = p.a;
        for (const Isa isa : available_isas()) {
            INFO(p.a << " @ " << p.b << " " << name_of(isa));
            run_step(*make_step(problem, isa), {&b, &a, &scale, &shift}, {&dst}, Order::backward);
            CHECK(relative_error(dst.values, want.values) <= bound(5000));
        }
    }
}

TEST_CASE("Programs that do not fit a product are refused with the reason") {
    const Product p = product(16, 2000, 64, false, false);
    Factors t = factors(p);
    const TestTensor row = random_tensor({64}, 1);
    const kernels::Program prologue = scale_shift_relu(1, 2, -1);
    t.problem.inputs = {t.b.operand(), t.a.operand(), row.operand(), row.operand()};
    t.problem.prologue[0] = &prologue;
    t.problem.prologue_shape[0] = p.a;
    const kernels::Choice choice = kernels::choose(t.problem, Isa::baseline);
    CHECK(choice.chosen == nullptr);
    CHECK(choice.refused[0].second == "a program cannot make operand a: blocks of columns would run it again");
}
