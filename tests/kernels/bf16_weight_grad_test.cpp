#include "kernels/native_bf16.hpp"
#include "liven/core/attributes.hpp"
#include "liven/core/isa.hpp"
#include "tests/kernels/convolution.hpp"
#include "tests/kernels/programs.hpp"

// Gradients of weights by dot products of bf16, two pixels at a time.

using namespace liven;
using namespace liven::testing;
using namespace liven::kernels;

namespace {

const Convolution paired_layers[] = {
    // 1x1: channels that fill no vector, odd pixels, several samples in a tile (49 each), strides, wide rows, one
    // pixel.
    {.src = {2, 9, 11, 48}, .filters = 33, .attributes = {.window = {.kernel = {1}}}},
    {.src = {5, 7, 7, 70}, .filters = 300, .attributes = {.window = {.kernel = {1}}}},
    {.src = {2, 9, 8, 32}, .filters = 16, .attributes = {.window = {.kernel = {1}, .stride = {2}}}},
    {.src = {1, 3, 517, 5}, .filters = 7, .attributes = {.window = {.kernel = {1}}}},
    {.src = {1, 1, 1, 1}, .filters = 1, .attributes = {.window = {.kernel = {1}}}},
    {.src = {1, 5, 3, 600}, .filters = 530, .attributes = {.window = {.kernel = {1}}}},  // maps made beforehand
    {.src = {2, 9, 9, 600}, .filters = 530, .attributes = {.window = {.kernel = {1}, .stride = {2}}}},
    // Strided windows with padding, an element after the other.
    {.src = {2, 9, 13, 64},
     .filters = 80,
     .attributes = {.window = {.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}}}},
    {.src = {3, 7, 7, 66}, .filters = 64, .attributes = {.window = {.kernel = {2, 3}, .stride = {3, 2}}}},
    // Any other window: odd widths, few channels on either side, dilation, a first layer, a chunk of rows a unit, maps
    // made beforehand, no source pixel at all.
    {.src = {2, 13, 17, 16}, .filters = 40, .attributes = {.window = {.kernel = {3}, .padding = {1, 1, 1, 1}}}},
    {.src = {1, 40, 33, 64}, .filters = 3, .attributes = {.window = {.kernel = {3}, .padding = {1, 1, 1, 1}}}},
    {.src = {2, 20, 19, 6},
     .filters = 17,
     .attributes = {.window = {.kernel = {7}, .stride = {2}, .padding = {3, 3, 3, 3}}}},
    {.src = {1, 64, 20, 3}, .filters = 16, .attributes = {.window = {.kernel = {3}, .padding = {1, 1, 1, 1}}}},
    {.src = {2, 11, 10, 16},
     .filters = 16,
     .attributes = {.window = {.kernel = {3}, .padding = {2, 2, 2, 2}, .dilation = {2}}}},
    {.src = {3, 9, 12, 32}, .filters = 16, .attributes = {.window = {.kernel = {2}}}},
    {.src = {1, 5, 5, 128}, .filters = 160, .attributes = {.window = {.kernel = {5}, .padding = {2, 2, 2, 2}}}},
    {.src = {1, 1, 1, 2}, .filters = 5, .attributes = {.window = {.kernel = {3}, .padding = {2, 2, 2, 2}}}},
};

Problem weight_grad_problem(const Convolution& layer) {
    Problem problem;
    problem.op = "conv2d_weight_grad";
    problem.attributes = &layer.attributes;
    return problem;
}

/// The gradient of these two maps in f32.
std::vector<float> exact_grad(const Convolution& layer, TestTensor src, TestTensor diff_dst) {
    src.dtype = diff_dst.dtype = DType::f32;
    TestTensor grad = empty_tensor(layer.weights());
    Problem problem = weight_grad_problem(layer);
    problem.inputs = {src.operand(), diff_dst.operand()};
    problem.outputs = {grad.operand()};
    problem.strict_math = true;
    run_step(*make_step(problem, Isa::avx512), {&src, &diff_dst}, {&grad});
    return grad.values;
}

/// Runs every kernel with dot products, whose units may run in any order.
void check_dots(const Problem& problem, const std::vector<const TestTensor*>& inputs, const Convolution& layer,
                const std::vector<float>& want) {
    const std::vector<const KernelInfo*> kernels = dots_kernels(problem);
    INFO(layer.src << " -> " << layer.filters);
    CHECK_FALSE(kernels.empty());
    for (const KernelInfo* kernel : kernels) {
        INFO(kernel->name);
        TestTensor got = empty_tensor(layer.weights());
        const auto step = kernel->make(problem, Isa::avx512);
        run_step(*step, inputs, {&got});
        // Products of bf16 are exact in fp32; what is left is the order of up to 1,551 additions.
        CHECK(relative_error(got.values, want) <= 1e-5);
        const std::vector<float> first = got.values;
        run_step(*step, inputs, {&got}, Order::shuffled);
        CHECK(same_bits(first, got.values));
    }
}

}  // namespace

TEST_CASE("Dot products of bf16 give the gradient of the weights over two maps in bf16") {
    if (!has_bf16_dot()) return;
    for (const Convolution& layer : paired_layers)
        for (const int64_t gap : {0, 3}) {
            const TestTensor src = in_bf16(random_tensor(layer.src, 1, layer.src[3] + gap)),
                             diff_dst = in_bf16(random_tensor(layer.dst(), 2, layer.filters + gap)),
                             grad = empty_tensor(layer.weights());
            Problem problem = weight_grad_problem(layer);
            problem.inputs = {src.operand(), diff_dst.operand()};
            problem.outputs = {grad.operand()};
            check_dots(problem, {&src, &diff_dst}, layer, exact_grad(layer, src, diff_dst));
        }
}

TEST_CASE("Dot products of bf16 round what prologues make of maps in bf16 for the gradient of the weights") {
    if (!has_bf16_dot()) return;
    Program squares[2];  // one for each map
    for (int map = 0; map < 2; ++map) {
        squares[map] = program_of(Opcode::square);
        squares[map].inputs[0].operand = map;
        squares[map].outputs[0].operand = -1;
    }
    for (const Convolution& layer : paired_layers) {
        const TestTensor src = in_bf16(random_tensor(layer.src, 1)), diff_dst = in_bf16(random_tensor(layer.dst(), 2)),
                         grad = empty_tensor(layer.weights());
        TestTensor made[] = {src, diff_dst};
        for (TestTensor& map : made) {
            for (float& value : map.values) value *= value;
            map = in_bf16(map);
        }
        Problem problem = weight_grad_problem(layer);
        problem.outputs = {grad.operand()};
        problem.inputs = {src.operand(), diff_dst.operand()};
        problem.prologue[0] = &squares[0];
        problem.prologue[1] = &squares[1];
        problem.prologue_shape[0] = layer.src;
        problem.prologue_shape[1] = layer.dst();
        check_dots(problem, {&src, &diff_dst}, layer, exact_grad(layer, made[0], made[1]));
        // The source as it lies.
        problem.prologue[0] = nullptr;
        problem.prologue_shape[0] = {};
        check_dots(problem, {&src, &diff_dst}, layer, exact_grad(layer, src, made[1]));
    }
}

TEST_CASE("Dot products of bf16 along pixels are refused with a reason, and widening takes their place") {
    const Convolution layer{.src = {2, 9, 11, 64}, .filters = 96, .attributes = {.window = {.kernel = {1}}}};
    TestTensor src = in_bf16(random_tensor(layer.src, 1)), diff_dst = in_bf16(random_tensor(layer.dst(), 2)),
               grad = empty_tensor(layer.weights());
    Problem problem = weight_grad_problem(layer);
    const auto reason = [&](bool strict = false, std::string_view name = "conv2d_bwd_weights_gemm_dots_nhwc_bf16") {
        problem.inputs = {src.operand(), diff_dst.operand()};
        problem.outputs = {grad.operand()};
        problem.strict_math = strict;
        for (const KernelInfo& kernel : registry())
            if (kernel.name == name) return kernel.refuse(problem);
        return std::string("there is none");
    };
    allow_native_bf16(false);
    CHECK_THAT(reason(), Catch::Contains("AVX512_BF16"));
    for (const Isa isa : available_isas()) {
        const Choice choice = choose(problem, isa);
        REQUIRE(choice.chosen);
        CHECK(choice.chosen->name == "conv2d_bwd_weights_gemm_nhwc_f32");
    }
    allow_native_bf16(true);
    if (!has_bf16_dot()) return;
    CHECK(reason().empty());
    CHECK(choose(problem, Isa::avx512).chosen->name == "conv2d_bwd_weights_gemm_dots_nhwc_bf16");
    CHECK_THAT(reason(true), Catch::Contains("strict math"));
    CHECK_THAT(reason(false, "conv2d_bwd_weights_direct_dots_nhwc_bf16"), Catch::Contains("1x1 kernels"));
    src.dtype = DType::f32;
    CHECK_THAT(reason(), Catch::Contains("both maps stored in bf16"));
    src.dtype = DType::bf16;
    diff_dst.dtype = DType::f32;
    CHECK_THAT(reason(), Catch::Contains("both maps stored in bf16"));
}
