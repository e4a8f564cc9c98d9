#include <array>
#include <vector>

#include "kernels/native_bf16.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/window.hpp"
#include "src/reference/matmul.hpp"
#include "tests/kernels/programs.hpp"
#include "tests/kernels/step_runner.hpp"

// Matrix products by dot products of bf16, two steps of the inner axis at a time.

using namespace liven;
using namespace liven::testing;
using namespace liven::kernels;

namespace {

/// A product of a in bf16 and b, which is rounded where it is in f32.
struct PairedProduct {
    TestTensor a, b, want, got;
    MatmulAttributes attributes;

    Problem problem() const {
        Problem problem;
        problem.op = "matmul";
        problem.attributes = &attributes;
        problem.inputs = {a.operand(), b.operand()};
        problem.outputs = {got.operand()};
        return problem;
    }
    /// What the reference, which adds up in double, makes of the rounded values.
    void refer() {
        TestTensor left = a, right = in_bf16(b);
        const std::vector<reference::Array<float>> in{left.array(), right.array()}, out{want.array()};
        reference::matmul<float>(&attributes, in, out);
    }
};

PairedProduct paired_product(const Shape& a, const Shape& b, const Shape& dst, const MatmulAttributes& attributes,
                             DType type_of_b, int64_t gap = 0) {
    PairedProduct out{in_bf16(random_tensor(a, 1, a[-1] + gap)), random_tensor(b, 2, b[-1] + gap), empty_tensor(dst),
                      empty_tensor(dst, dst[-1] + gap), attributes};
    if (type_of_b == DType::bf16) out.b = in_bf16(out.b);
    out.refer();
    return out;
}

/// The three products of a layer: forward, gradient of the operand, gradient of the weights.
enum class Layout { forward, operand_grad, weight_grad };
constexpr Layout layouts[] = {Layout::forward, Layout::operand_grad, Layout::weight_grad};

PairedProduct paired_product(Layout layout, int64_t m, int64_t n, int64_t k, int64_t gap = 0) {
    const bool ta = layout == Layout::weight_grad, tb = layout == Layout::operand_grad;
    return paired_product(ta ? Shape{k, m} : Shape{m, k}, tb ? Shape{n, k} : Shape{k, n}, {m, n}, {ta, tb},
                          ta ? DType::bf16 : DType::f32, gap);
}

/// Runs every kernel with dot products, whose units may run in any order; returns how many there were.
int check_paired(PairedProduct product) {
    const Problem problem = product.problem();
    const std::vector<const KernelInfo*> kernels = dots_kernels(problem);
    for (const KernelInfo* kernel : kernels) {
        INFO(kernel->name << " " << product.a.shape << " @ " << product.b.shape << " transposed "
                          << product.attributes.transpose_a << product.attributes.transpose_b);
        const auto step = kernel->make(problem, Isa::avx512);
        run_step(*step, {&product.a, &product.b}, {&product.got});
        // Products of bf16 are exact in fp32, and are added up in blocks: as for products in f32 (gemm_test.cpp).
        CHECK(relative_error(product.got.values, product.want.values) <= 3e-6);
        const std::vector<float> first = product.got.values;
        run_step(*step, {&product.a, &product.b}, {&product.got}, Order::shuffled);
        CHECK(same_bits(first, product.got.values));
    }
    return static_cast<int>(kernels.size());
}

}  // namespace

TEST_CASE("Dot products of bf16 give matrix products of any size, forward and backward") {
    if (!has_bf16_dot()) return;
    const std::array<int64_t, 3> sizes[] = {
        {1, 1, 2},     {1, 33, 6},     {2, 1, 8},      {13, 17, 20},    {5, 33, 2},      {31, 64, 258},
        {12, 32, 512}, {97, 101, 104}, {64, 48, 1030}, {311, 597, 600}, {290, 270, 1030}};  // the last packed ahead
    for (const auto& [m, n, k] : sizes)
        for (const Layout layout : layouts)
            for (const int64_t gap : {0, 6}) CHECK(check_paired(paired_product(layout, m, n, k, gap)) > 0);
}

TEST_CASE("Dot products of bf16 take any number of rows") {
    if (!has_bf16_dot()) return;
    for (int64_t rows = 1; rows <= 26; ++rows)
        for (const Layout layout : layouts) {
            const bool turned = layout == Layout::weight_grad;
            CHECK(check_paired(paired_product(layout, turned ? 40 : rows, 50, turned ? rows : 22)) > 0);
        }
}

TEST_CASE("An odd pair of bf16 ends in zeros, whatever lies behind it") {
    if (!has_bf16_dot()) return;
    const std::array<int64_t, 3> sizes[] = {{1, 1, 1}, {7, 9, 3}, {40, 50, 129}, {300, 290, 515}, {20, 33, 4099}};
    for (const auto& [m, n, k] : sizes)
        for (const int64_t gap : {0, 3}) {
            PairedProduct product = paired_product(Layout::weight_grad, m, n, k, gap);
            CHECK(check_paired(product) > 0);
            // The half that is not there makes no NaN of an infinity beside it.
            product.a.values[static_cast<size_t>((k - 1) * m)] = infinity;
            product.refer();
            check_paired(product);
        }
}

TEST_CASE("Dot products of bf16 take weights in bf16 as they are, and split a long inner axis") {
    if (!has_bf16_dot()) return;
    for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{{3, 45, 78}, {16, 128, 8192}, {70, 131, 4100}})
        for (const DType type_of_b : {DType::f32, DType::bf16}) {
            const PairedProduct product = paired_product({m, k}, {k, n}, {m, n}, {}, type_of_b, 2);
            CHECK(check_paired(product) == (k >= 2048 ? 2 : 1));
        }
    CHECK(check_paired(paired_product(Layout::weight_grad, 64, 48, 4099)) == 2);
}

TEST_CASE("A batch of products in bf16 shares its weights, or has matrices in bf16 of its own") {
    if (!has_bf16_dot()) return;
    CHECK(check_paired(paired_product({2, 3, 17, 22}, {22, 19}, {2, 3, 17, 19}, {}, DType::f32)) > 0);
    CHECK(check_paired(paired_product({2, 3, 70, 48}, {33, 48}, {2, 3, 70, 33}, {false, true}, DType::f32)) > 0);
    CHECK(check_paired(paired_product({2, 3, 17, 22}, {2, 3, 22, 19}, {2, 3, 17, 19}, {}, DType::bf16)) > 0);
    CHECK(check_paired(paired_product({2, 3, 21, 17}, {2, 3, 21, 19}, {2, 3, 17, 19}, {true, false}, DType::bf16)) > 0);
}

TEST_CASE("Dot products of bf16 round what a program makes of operand a in bf16") {
    if (!has_bf16_dot()) return;
    Program square = program_of(Opcode::square);
    square.inputs[0].operand = 1;
    square.outputs[0].operand = -1;
    for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{{13, 17, 20}, {311, 300, 600}, {40, 130, 4100}})
        for (const Layout layout : {Layout::forward, Layout::operand_grad}) {
            PairedProduct product = paired_product(layout, m, n, k);
            const TestTensor src = product.a;
            for (float& value : product.a.values) value *= value;
            product.a = in_bf16(product.a);
            product.refer();
            Problem problem = product.problem();
            problem.inputs = {product.b.operand(), src.operand()};
            problem.prologue[0] = &square;
            problem.prologue_shape[0] = src.shape;
            const std::vector<const KernelInfo*> kernels = dots_kernels(problem);
            CHECK(kernels.size() == (k > 2048 ? 2 : 1));
            for (const KernelInfo* kernel : kernels) {
                INFO(kernel->name << " " << src.shape);
                run_step(*kernel->make(problem, Isa::avx512), {&product.b, &src}, {&product.got});
                CHECK(relative_error(product.got.values, product.want.values) <= 3e-6);  // as above
            }
        }
}

TEST_CASE("An epilogue takes what dot products of bf16 add up, and a bare result in bf16 is rounded once") {
    if (!has_bf16_dot()) return;
    for (const Layout layout : layouts) {
        PairedProduct product = paired_product(layout, 60, 50, 2100);
        const TestTensor scale = random_tensor({50}, 3), shift = random_tensor({50}, 4);
        const std::vector<float> want = scaled_shifted_relu(product.want.values, scale.values, shift.values);
        const Moments moments = moments_of(want, 50);
        Program epilogue = scale_shift_relu(-1, 2, 0);
        add_moments(epilogue, 4, 1, 2);
        TestTensor dst = empty_tensor({60, 50}), mean = empty_tensor({50}), variance = mean;
        Problem problem = product.problem();
        const std::vector<const KernelInfo*> kernels = dots_kernels(problem);
        REQUIRE(kernels.size() == 2);
        for (const KernelInfo* kernel : kernels) {
            INFO(kernel->name);
            problem = product.problem();
            run_step(*kernel->make(problem, Isa::avx512), {&product.a, &product.b}, {&product.got});
            TestTensor narrow = product.got;
            narrow.dtype = DType::bf16;
            problem.outputs = {narrow.operand()};
            REQUIRE(kernel->refuse(problem).empty());
            run_step(*kernel->make(problem, Isa::avx512), {&product.a, &product.b}, {&narrow});
            CHECK(same_bits(narrow.values, in_bf16(product.got).values));
            problem.inputs = {product.a.operand(), product.b.operand(), scale.operand(), shift.operand()};
            problem.outputs = {dst.operand(), mean.operand(), variance.operand()};
            problem.epilogue = &epilogue;
            REQUIRE(kernel->refuse(problem).empty());
            run_step(*kernel->make(problem, Isa::avx512), {&product.a, &product.b, &scale, &shift},
                     {&dst, &mean, &variance});
            CHECK(relative_error(dst.values, want) <= 3e-6);  // as above
            CHECK(relative_error(mean.values, moments.mean) <= 3e-6);
            CHECK(relative_error(variance.values, moments.variance) <= 6e-6);
        }
    }
}

TEST_CASE("Products of many rows are dot products of bf16 where the CPU has them, others widen") {
    for (const Layout layout : layouts) {
        const bool turned = layout == Layout::weight_grad;
        const auto chosen = [&](int64_t rows, Isa isa) {
            const PairedProduct product = paired_product(layout, turned ? 256 : rows, 192, turned ? rows : 256);
            const Problem problem = product.problem();
            const Choice choice = choose(problem, isa);
            REQUIRE(choice.chosen);
            return choice.chosen->name;
        };
        const auto widens = [&](int64_t rows, Isa isa) {
            return chosen(rows, isa).find("dots") == std::string_view::npos;
        };
        allow_native_bf16(false);
        for (const Isa isa : available_isas()) CHECK(widens(300, isa));
        allow_native_bf16(true);
        for (const Isa isa : available_isas()) CHECK(widens(300, isa) == (isa != Isa::avx512 || !has_bf16_dot()));
        // The weights of a few rows are read in place: rounding them would take longer than the products.
        if (layout == Layout::forward && has_bf16_dot()) CHECK(widens(4, Isa::avx512));
    }
}

TEST_CASE("Products without dot products of bf16 say why") {
    PairedProduct product = paired_product(Layout::forward, 20, 30, 40);
    const auto reason_of = [](const Problem& problem) {
        for (const KernelInfo& kernel : registry())
            if (kernel.name == "matmul_packed_dots_12x32_bf16") return kernel.refuse(problem);
        return std::string("there is none");
    };
    const auto reason = [&](bool strict = false) {
        Problem problem = product.problem();
        problem.strict_math = strict;
        return reason_of(problem);
    };
    allow_native_bf16(false);
    CHECK_THAT(reason(), Catch::Contains("AVX512_BF16"));
    allow_native_bf16(true);
    if (!has_bf16_dot()) return;
    CHECK(reason().empty());
    CHECK_THAT(reason(true), Catch::Contains("strict math"));
    product.a.dtype = DType::f32;
    CHECK_THAT(reason(), Catch::Contains("expected operand a in bf16, got f32"));
    product = paired_product(Layout::forward, 20, 30, 41);
    CHECK_THAT(reason(), Catch::Contains("expected rows of pairs, got 41 values 41 apart"));
    product = paired_product(Layout::forward, 20, 30, 40, 3);
    CHECK_THAT(reason(), Catch::Contains("40 values 43 apart"));
    product = paired_product(Layout::weight_grad, 20, 30, 40);
    product.b.dtype = DType::f32;
    CHECK_THAT(reason(), Catch::Contains("both operands of a gradient in bf16"));
    Program square = program_of(Opcode::square);
    square.inputs[0].operand = 1;
    square.outputs[0].operand = -1;
    const auto reason_behind_program = [&] {
        Problem problem = product.problem();
        problem.inputs = {product.b.operand(), product.a.operand()};
        problem.prologue[0] = &square;
        problem.prologue_shape[0] = product.a.shape;
        return reason_of(problem);
    };
    product = paired_product(Layout::weight_grad, 20, 30, 40);
    CHECK_THAT(reason_behind_program(), Catch::Contains("a program makes operand a, which is transposed"));
    product = paired_product(Layout::forward, 20, 30, 40);
    CHECK(reason_behind_program().empty());
    product.a.dtype = DType::f32;
    CHECK_THAT(reason_behind_program(), Catch::Contains("expected operand a in bf16, got f32"));
    product = paired_product({2, 20, 40}, {2, 40, 30}, {2, 20, 30}, {}, DType::f32);
    CHECK_THAT(reason(), Catch::Contains("one matrix of weights"));
}
