#include <array>

#include "kernels/native_bf16.hpp"
#include "liven/core/attributes.hpp"
#include "tests/kernels/convolution.hpp"
#include "tests/kernels/programs.hpp"

// bf16 is how a map is stored, and nothing else: a kernel must give the bits that it gives over the same values in f32,
// rounded where they are written.

using namespace liven;
using namespace liven::testing;
using namespace liven::kernels;

namespace {

/// The ISAs, and the best one once more without the CPU's own rounding.
struct Rounding {
    Isa isa;
    bool native;
};
std::vector<Rounding> roundings() {
    std::vector<Rounding> all;
    for (const Isa isa : available_isas()) all.push_back({isa, false});
    if (has_bf16_dot()) all.push_back({Isa::avx512, true});
    return all;
}

/// Lets kernels round by the CPU's instruction, or not, while it lives.
class NativeBf16 {
public:
    explicit NativeBf16(bool allowed) { allow_native_bf16(allowed); }
    ~NativeBf16() { allow_native_bf16(true); }
    NativeBf16(const NativeBf16&) = delete;
    NativeBf16& operator=(const NativeBf16&) = delete;
};

Program copying_program() { return program_of(Opcode::copy); }

/// A problem with all its tensors.
struct StoredCase {
    Problem problem;
    std::vector<TestTensor> inputs, outputs;

    void run(const KernelInfo& kernel) {
        REQUIRE(takes(kernel));
        std::vector<const TestTensor*> in;
        std::vector<TestTensor*> out;
        for (const TestTensor& tensor : inputs) in.push_back(&tensor);
        for (TestTensor& tensor : outputs) out.push_back(&tensor);
        run_step(*kernel.make(problem, kernel.isa), in, out, Order::shuffled);
    }
    bool takes(const KernelInfo& kernel) {
        problem.inputs.clear();
        problem.outputs.clear();
        for (const TestTensor& tensor : inputs) problem.inputs.push_back(tensor.operand());
        for (const TestTensor& tensor : outputs) problem.outputs.push_back(tensor.operand());
        return kernel.op == problem.op && kernel.refuse(problem).empty();
    }
};

/// Every kernel that takes the case with these inputs and outputs in bf16 against itself in f32; returns how many.
int check_storage(StoredCase c, const std::vector<size_t>& inputs, const std::vector<size_t>& outputs) {
    int kernels = 0;
    for (const size_t i : inputs) c.inputs[i] = in_bf16(c.inputs[i]);
    StoredCase exact = c;
    for (TestTensor& tensor : exact.inputs) tensor.dtype = DType::f32;
    for (const size_t i : outputs) c.outputs[i].dtype = DType::bf16;
    for (const Rounding rounding : roundings()) {
        const NativeBf16 native(rounding.native);
        for (const KernelInfo& kernel : registry()) {
            // Dot products of bf16 are no storage alone.
            if (kernel.isa != rounding.isa || !c.takes(kernel) || !exact.takes(kernel)) continue;
            INFO(kernel.name << " " << name_of(kernel.isa) << (rounding.native ? " native" : "") << " "
                             << c.inputs[0].shape);
            ++kernels;
            c.run(kernel);
            exact.run(kernel);
            for (size_t i = 0; i < c.outputs.size(); ++i) {
                INFO("output " << i);
                const std::vector<float>& want = exact.outputs[i].values;
                // Rows of scratch decide how long tiles are, and these in which order a few hundred values are summed:
                // fp32 within a tile, and signs that cancel.
                if (c.outputs[i].shape.rank() == 1)
                    CHECK(relative_error(c.outputs[i].values, want) <= 1e-5);
                else if (c.outputs[i].dtype == DType::bf16)
                    CHECK(same_bits(c.outputs[i].values, in_bf16(exact.outputs[i]).values));
                else
                    CHECK(same_bits(c.outputs[i].values, want));
            }
        }
    }
    return kernels;
}

// For every kernel of convolutions: tiles over the edges, small maps of many channels, strides, groups, a first layer.
const Convolution stored_layers[] = {
    {.src = {2, 13, 37, 16}, .filters = 32, .attributes = {.window = {.kernel = {3}, .padding = {1}}}},
    {.src = {1, 9, 37, 24}, .filters = 40, .attributes = {.window = {.kernel = {3}, .padding = {1}}}},
    {.src = {3, 7, 7, 64}, .filters = 128, .attributes = {.window = {.kernel = {3}, .padding = {1}}}},
    {.src = {2, 11, 9, 3}, .filters = 17, .attributes = {.window = {.kernel = {3}, .stride = {2}, .padding = {1}}}},
    {.src = {2, 9, 20, 16}, .attributes = {.window = {.kernel = {3}, .padding = {1}}, .groups = 16}},
    {.src = {2, 9, 11, 48}, .filters = 33, .attributes = {.window = {.kernel = {1}}}},
    {.src = {1, 1, 1, 5}, .filters = 7, .attributes = {.window = {.kernel = {1}}}},
};

}  // namespace

TEST_CASE("Every value is rounded to bf16 as to_bf16 rounds it, denormal numbers to zero") {
    // Every upper half with lower halves on both sides of every tie: all signs, exponents, infinities and NaN.
    const uint32_t lower_halves[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
    TestTensor values = empty_tensor({1, 65536 * 6 + 3});
    for (size_t i = 0; i < values.values.size(); ++i)
        values.values[i] = std::bit_cast<float>(static_cast<uint32_t>(i / 6) << 16 | lower_halves[i % 6]);
    const TestTensor want = in_bf16(values);
    const Program program = copying_program();
    for (const Rounding rounding : roundings()) {
        INFO(name_of(rounding.isa) << (rounding.native ? " native" : ""));
        const NativeBf16 native(rounding.native);
        TestTensor got = empty_tensor(values.shape);
        got.dtype = DType::bf16;
        run_step(*make_step(problem_of(program, {&values}, {&got}), rounding.isa), {&values}, {&got});
        CHECK(same_bits(got.values, want.values));
        TestTensor widened = empty_tensor(values.shape);
        run_step(*make_step(problem_of(program, {&want}, {&widened}), rounding.isa), {&want}, {&widened});
        CHECK(same_bits(widened.values, want.values));
    }
}

TEST_CASE("A program reads and writes bf16 with the bits of f32, wherever its chains read it") {
    // Both operands at once, the second of a pair, an operand by channel between them, one that is read twice, one that
    // only a loop of its own reads, a sum that wants floats, an output that is an input, two of one value.
    Program program;
    program.inputs = {{.operand = 0}, {.operand = 1}, {.operand = 2}, {.operand = 3, .access = Access::channel}};
    program.code = {{.op = Opcode::leaky_step, .dst = 4, .a = 0, .b = 1, .imm0 = 0.2f},
                    {.op = Opcode::mad, .dst = 5, .a = 2, .b = 3, .c = 4},
                    {.op = Opcode::mad, .dst = 6, .a = 3, .b = 2, .c = 5},
                    {.op = Opcode::sub, .dst = 7, .a = 6, .b = 0},
                    {.op = Opcode::tanh, .dst = 8, .a = 7},
                    {.op = Opcode::add, .dst = 9, .a = 8, .b = 5}};
    program.outputs = {{.source = 5, .operand = 0},
                       {.source = 9, .operand = 1},
                       {.source = 1, .operand = 2},
                       {.source = 9, .operand = 3}};
    program.registers = 10;
    Program reading_alone = program;
    reading_alone.code[4].a = 1;
    Program summing = program;
    summing.reductions = {{.source = 0, .operand = 4}, {.source = 9, .operand = 5}};
    for (const Program& each : {program, reading_alone, summing})
        for (const Shape& shape : {Shape{2, 5, 7, 16}, Shape{3, 1, 1, 1}, Shape{1, 9, 3, 20}, Shape{2, 3, 1, 1100}})
            for (const int64_t gap : {0, 5}) {
                const int64_t channels = shape[3], stride = channels + gap;
                StoredCase c;
                c.problem.op = "pointwise";
                c.problem.epilogue = &each;
                for (uint64_t i = 0; i < 3; ++i) c.inputs.push_back(random_tensor(shape, i, stride));
                c.inputs.push_back(random_tensor({channels}, 9));
                c.outputs.assign(4, empty_tensor(shape, stride));
                if (!each.reductions.empty()) c.outputs.resize(6, empty_tensor({channels}));
                INFO(each.str() << " over " << shape << ", gap " << gap);
                CHECK(check_storage(c, {0, 1, 2}, {0, 1, 2}) > 0);
                CHECK(check_storage(c, {1}, {}) > 0);
                CHECK(check_storage(c, {}, {0, 1, 2, 3}) > 0);
            }
}

TEST_CASE("bf16 that is no map is refused with a reason") {
    Program program = program_of(Opcode::add);
    program.inputs[1].access = Access::channel;
    TestTensor map = random_tensor({1, 3, 3, 16}, 1), vector = in_bf16(random_tensor({16}, 2)),
               dst = empty_tensor(map.shape);
    const Choice choice = choose(problem_of(program, {&map, &vector}, {&dst}), Isa::baseline);
    REQUIRE_FALSE(choice.chosen);
    CHECK(choice.refused.front().second.find("read full only") != std::string::npos);
}

TEST_CASE("Convolutions and their gradients read and write maps in bf16 with the bits of f32") {
    for (const Convolution& layer : stored_layers) {
        const TestTensor src = random_tensor(layer.src, 1), weights = random_tensor(layer.weights(), 2),
                         dst = random_tensor(layer.dst(), 3);
        StoredCase c;
        c.problem.attributes = &layer.attributes;
        c.problem.op = "conv2d";
        c.inputs = {src, weights};
        c.outputs = {dst};
        CHECK(check_storage(c, {0}, {0}) > 0);
        CHECK(check_storage(c, {0}, {}) > 0);
        CHECK(check_storage(c, {}, {0}) > 0);
        CHECK(check_storage(c, {1}, {}) == 0);
        c.problem.op = "conv2d_input_grad";
        c.inputs = {dst, weights};
        c.outputs = {src};
        CHECK(check_storage(c, {0}, {0}) > 0);
        c.problem.op = "conv2d_weight_grad";
        c.inputs = {src, dst};
        c.outputs = {weights};
        CHECK(check_storage(c, {0, 1}, {}) > 0);
        CHECK(check_storage(c, {1}, {}) > 0);
        CHECK(check_storage(c, {}, {0}) == 0);
    }
}

TEST_CASE("A convolution with a normalising prologue and a residual epilogue has the bits of f32 with maps in bf16") {
    const Program prologue = scale_shift_relu(1, 2, -1);
    Program epilogue;  // dst = core + map, with its moments
    epilogue.inputs = {{.operand = -1}, {.operand = 4}};
    epilogue.code = {{.op = Opcode::add, .dst = 2, .a = 0, .b = 1}};
    epilogue.outputs = {{.source = 2, .operand = 0}};
    epilogue.registers = 3;
    add_moments(epilogue, 2, 1, 2);
    const Convolution& layer = stored_layers[0];
    StoredCase c;
    c.problem.op = "conv2d";
    c.problem.attributes = &layer.attributes;
    c.problem.prologue[0] = &prologue;
    c.problem.prologue_shape[0] = layer.src;
    c.problem.epilogue = &epilogue;
    c.problem.epilogue_shape = layer.dst();
    c.inputs = {random_tensor(layer.weights(), 1), random_tensor(layer.src, 2), random_tensor({16}, 3),
                random_tensor({16}, 4), random_tensor(layer.dst(), 5)};
    c.outputs = {empty_tensor(layer.dst()), empty_tensor({32}), empty_tensor({32})};
    CHECK(check_storage(c, {1, 4}, {0}) > 0);
    CHECK(check_storage(c, {1}, {}) > 0);
}

TEST_CASE("Matrix products read operands and write results in bf16 with the bits of f32") {
    // A dense layer, its gradients, few results of many products, large blocks, one row, odd extents, matrices apart.
    const std::array<int64_t, 3> sizes[] = {{16, 128, 2048}, {16, 2048, 128}, {2048, 128, 16}, {300, 290, 270},
                                            {1, 256, 77},    {13, 17, 19},    {5, 33, 1}};
    for (const auto& [m, n, k] : sizes)
        for (const bool transpose_a : {false, true})
            for (const bool transpose_b : {false, true})
                for (const int64_t gap : {0, 3}) {
                    const MatmulAttributes attributes{transpose_a, transpose_b};
                    const Shape a = transpose_a ? Shape{k, m} : Shape{m, k},
                                b = transpose_b ? Shape{n, k} : Shape{k, n};
                    INFO("transposed " << transpose_a << transpose_b << " gap " << gap);
                    StoredCase c;
                    c.problem.op = "matmul";
                    c.problem.attributes = &attributes;
                    c.inputs = {random_tensor(a, 1, a[1] + gap), random_tensor(b, 2, b[1] + gap)};
                    c.outputs = {empty_tensor({m, n}, n + gap)};
                    CHECK(check_storage(c, {0}, {0}) > 0);
                    CHECK(check_storage(c, {0}, {}) > 0);
                    CHECK(check_storage(c, {}, {0}) > 0);
                }
}

TEST_CASE("A matrix product with an epilogue reads bf16 with the bits of f32") {
    Program epilogue = program_of(Opcode::add);  // dst = core + bias
    epilogue.inputs[0] = {.operand = -1};
    epilogue.inputs[1] = {.operand = 2, .access = Access::channel};
    const MatmulAttributes plain{}, turned{true, false};
    for (const bool transpose_a : {false, true}) {
        StoredCase c;
        c.problem.op = "matmul";
        c.problem.attributes = transpose_a ? &turned : &plain;
        c.problem.epilogue = &epilogue;
        c.problem.epilogue_shape = {18, 128};
        c.inputs = {random_tensor(transpose_a ? Shape{3000, 18} : Shape{18, 3000}, 1), random_tensor({3000, 128}, 2),
                    random_tensor({128}, 3)};
        c.outputs = {empty_tensor({18, 128})};
        CHECK(check_storage(c, {0}, {0}) > 0);
        CHECK(check_storage(c, {0}, {}) > 0);
    }
}

TEST_CASE("The norm of a product reads bf16 with the bits of f32") {
    for (const auto& [rows, left, right] :
         std::vector<std::array<int64_t, 3>>{{16, 9000, 128}, {1, 1, 1}, {7, 257, 300}, {64, 4097, 31}}) {
        StoredCase c;
        c.problem.op = "product_norm";
        c.inputs = {random_tensor({rows, left}, 1), random_tensor({rows, right}, 2)};
        c.outputs = {empty_tensor({})};
        CHECK(check_storage(c, {0}, {}) > 0);
        CHECK(check_storage(c, {0, 1}, {}) > 0);
    }
}

TEST_CASE("Pools and their gradients read and write maps in bf16 with the bits of f32") {
    const Window2d windows[] = {{.kernel = {2}, .stride = {2}}, {.kernel = {3}, .stride = {2}, .padding = {1}}};
    for (const Window2d& window : windows)
        for (const Shape& shape : {Shape{2, 12, 10, 16}, Shape{1, 9, 7, 5}}) {
            const PoolAttributes attributes{.window = window};
            const TestTensor src = random_tensor(shape, 1), other = random_tensor(shape, 2);
            const TestTensor dst =
                random_tensor({shape[0], window.out_h(shape[1]), window.out_w(shape[2]), shape[3]}, 3);
            StoredCase c;
            c.problem.attributes = &attributes;
            for (const char* op : {"max_pool", "avg_pool"}) {
                c.problem.op = op;
                c.inputs = {src};
                c.outputs = {dst};
                CHECK(check_storage(c, {0}, {0}) > 0);
            }
            c.problem.op = "max_pool_pick";
            c.inputs = {src, other};
            CHECK(check_storage(c, {0, 1}, {0}) > 0);
            CHECK(check_storage(c, {1}, {0}) > 0);
            c.problem.op = "max_pool_grad";
            c.inputs = {src, dst};
            c.outputs = {src};
            CHECK(check_storage(c, {0, 1}, {0}) > 0);
            c.problem.op = "avg_pool_grad";
            c.inputs = {dst};
            CHECK(check_storage(c, {0}, {0}) > 0);
        }
}

namespace {

/// A convolution with dot products, forward or backward.
struct DotsCase {
    Shape src;
    int64_t filters;
    Window2d window;
    int64_t gap = 0;  ///< channels between pixels of the source

    Problem problem(std::string_view op, const Conv2dAttributes& attributes) const {
        Problem problem;
        problem.op = op;
        problem.attributes = &attributes;
        return problem;
    }
    Shape result(bool turned) const {
        return turned ? Shape{src[0], (src[1] - 1) * window.stride.h + window.kernel.h - 2 * window.padding.top,
                              (src[2] - 1) * window.stride.w + window.kernel.w - 2 * window.padding.left, filters}
                      : Shape{src[0], window.out_h(src[1]), window.out_w(src[2]), filters};
    }
    TestTensor weights(bool turned) const {
        const Extent2d k = window.kernel;
        return random_tensor(turned ? Shape{k.h, k.w, filters, src[3]} : Shape{k.h, k.w, src[3], filters}, 2);
    }
};

const DotsCase dots_cases[] = {
    // 1x1: columns that fill no vector, parts of the columns, blocks of depth, pixels apart, strides; one pixel.
    {.src = {2, 9, 11, 48}, .filters = 33, .window = {.kernel = {1}}},
    {.src = {1, 28, 28, 64}, .filters = 300, .window = {.kernel = {1}}, .gap = 2},
    {.src = {2, 7, 7, 1100}, .filters = 40, .window = {.kernel = {1}}},
    {.src = {2, 9, 8, 32}, .filters = 16, .window = {.kernel = {1}, .stride = {2}}},
    {.src = {1, 1, 1, 2}, .filters = 1, .window = {.kernel = {1}}},
    {.src = {2, 7, 7, 512}, .filters = 1100, .window = {.kernel = {1}}},  // weights part by part
    {.src = {2, 13, 14, 512}, .filters = 1030, .window = {.kernel = {1}, .stride = {2}}},
    // Wider kernels: padding, strides, dilation, even kernels, pixels apart, channels that fill no vector.
    {.src = {2, 13, 17, 16}, .filters = 40, .window = {.kernel = {3}, .padding = {1, 1, 1, 1}}},
    {.src = {2, 8, 9, 64}, .filters = 64, .window = {.kernel = {3}, .stride = {2}, .padding = {1, 1, 1, 1}}},
    {.src = {1, 20, 19, 6}, .filters = 17, .window = {.kernel = {7}, .stride = {2}, .padding = {3, 3, 3, 3}}, .gap = 4},
    {.src = {2, 9, 12, 32}, .filters = 16, .window = {.kernel = {2}}},
    {.src = {1, 6, 9, 80}, .filters = 192, .window = {.kernel = {3}, .padding = {1, 1, 1, 1}}},  // by channels
    {.src = {1, 11, 10, 16}, .filters = 16, .window = {.kernel = {3}, .padding = {2, 2, 2, 2}, .dilation = {2}}},
};

}  // namespace

TEST_CASE("Dot products of bf16 give a convolution of rounded pixels and weights, forward and backward") {
    if (!has_bf16_dot()) return;
    for (const DotsCase& c : dots_cases)
        for (const std::string_view op : {"conv2d", "conv2d_input_grad"}) {
            const bool turned = op == "conv2d_input_grad";
            if (turned && c.window.dilation != Extent2d(1)) continue;
            const Conv2dAttributes attributes{.window = c.window};
            const TestTensor src = in_bf16(random_tensor(c.src, 1, c.src[3] + c.gap)), weights = c.weights(turned);
            TestTensor exact_src = src, exact_weights = in_bf16(weights), want = empty_tensor(c.result(turned)),
                       got = want;
            exact_src.dtype = exact_weights.dtype = DType::f32;
            Problem problem = c.problem(op, attributes);
            problem.inputs = {exact_src.operand(), exact_weights.operand()};
            problem.outputs = {want.operand()};
            run_step(*make_step(problem, Isa::avx512), {&exact_src, &exact_weights}, {&want});
            problem.inputs = {src.operand(), weights.operand()};
            const std::vector<const KernelInfo*> kernels = dots_kernels(problem);
            INFO(op << " " << c.src << " -> " << c.filters);
            CHECK_FALSE(kernels.empty());
            for (const KernelInfo* kernel : kernels) {
                INFO(kernel->name);
                const auto step = kernel->make(problem, Isa::avx512);
                run_step(*step, {&src, &weights}, {&got});
                // Products of bf16 are exact in fp32; what is left is the order of up to 1,100 additions, and Winograd
                // or not on the other side.
                CHECK(relative_error(got.values, want.values) <= 1e-5);
                const std::vector<float> first = got.values;
                run_step(*step, {&src, &weights}, {&got}, Order::shuffled);
                CHECK(same_bits(first, got.values));
            }
        }
}

TEST_CASE("Dot products of bf16 round what a prologue makes of a map in bf16") {
    if (!has_bf16_dot()) return;
    Program square = program_of(Opcode::square);
    square.inputs[0].operand = 1;
    square.outputs[0].operand = -1;
    for (const DotsCase& c : dots_cases)
        for (const bool turned : {false, true}) {
            if (c.gap != 0 || (turned && c.window.dilation != Extent2d(1))) continue;
            const std::string_view op = turned ? "conv2d_input_grad" : "conv2d";
            const Conv2dAttributes attributes{.window = c.window};
            const TestTensor src = in_bf16(random_tensor(c.src, 1)), weights = c.weights(turned);
            TestTensor squared = src, exact_weights = in_bf16(weights), want = empty_tensor(c.result(turned)),
                       got = want;
            for (float& value : squared.values) value *= value;
            squared = in_bf16(squared);
            squared.dtype = exact_weights.dtype = DType::f32;
            Problem problem = c.problem(op, attributes);
            problem.inputs = {squared.operand(), exact_weights.operand()};
            problem.outputs = {want.operand()};
            run_step(*make_step(problem, Isa::avx512), {&squared, &exact_weights}, {&want});
            problem.inputs = {weights.operand(), src.operand()};
            problem.prologue[0] = &square;
            problem.prologue_shape[0] = c.src;
            const std::vector<const KernelInfo*> kernels = dots_kernels(problem);
            INFO(op << " " << c.src << " -> " << c.filters);
            CHECK_FALSE(kernels.empty());
            for (const KernelInfo* kernel : kernels) {
                INFO(kernel->name);
                run_step(*kernel->make(problem, Isa::avx512), {&weights, &src}, {&got});
                CHECK(relative_error(got.values, want.values) <= 1e-5);  // as above
            }
        }
}

TEST_CASE("Dot products of bf16 are refused with a reason") {
    const Conv2dAttributes attributes{.window = {.kernel = {1}}};
    TestTensor src = in_bf16(random_tensor({1, 4, 4, 16}, 1)), weights = random_tensor({1, 1, 16, 16}, 2),
               dst = empty_tensor({1, 4, 4, 16});
    const auto reason = [&](std::string_view name = "conv2d_fwd_gemm_dots_nhwc_bf16") {
        Problem problem;
        problem.op = "conv2d";
        problem.attributes = &attributes;
        problem.inputs = {src.operand(), weights.operand()};
        problem.outputs = {dst.operand()};
        for (const KernelInfo& kernel : registry())
            if (kernel.name == name) return kernel.refuse(problem);
        return std::string("there is none");
    };
    {
        const NativeBf16 native(false);
        CHECK_THAT(reason(), Catch::Contains("AVX512_BF16"));
    }
    if (!has_bf16_dot()) return;
    CHECK(reason().empty());
    src.dtype = DType::f32;
    CHECK_THAT(reason(), Catch::Contains("stored in bf16"));
    src = in_bf16(random_tensor({1, 4, 4, 15}, 1));
    weights = random_tensor({1, 1, 15, 16}, 2);
    CHECK_THAT(reason(), Catch::Contains("pairs of channels"));
    CHECK_THAT(reason("conv2d_fwd_direct_dots_nhwc_bf16"), Catch::Contains("pairs of channels"));
    src.dtype = DType::f32;
    CHECK_THAT(reason("conv2d_fwd_direct_dots_nhwc_bf16"), Catch::Contains("stored in bf16"));
}
