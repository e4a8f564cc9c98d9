#include <catch2/catch.hpp>
#include <numeric>

#include "liven/core/attributes.hpp"
#include "programs.hpp"
#include "src/reference/conv2d.hpp"

using namespace liven;
using namespace liven::testing;
using namespace liven::kernels;

namespace {

struct PixelMap {
    Shape shape;
    std::vector<uint8_t> values;
    Operand operand() const { return {.shape = shape, .dtype = DType::u8, .pixel_stride = shape[-1]}; }
};

/// All 256 values come, where there is room for them.
PixelMap pixels_of(const Shape& shape) {
    PixelMap out{.shape = shape, .values = std::vector<uint8_t>(static_cast<size_t>(shape.count()))};
    for (size_t i = 0; i < out.values.size(); ++i) out.values[i] = static_cast<uint8_t>(i * 167 + i / 256);
    return out;
}

/// (pixel * 1/255 - mean) / std: step inputs `operand` (pixels), `operand + 1` (mean) and `operand + 2` (std).
Program scaling_program(int operand, int output) {
    Program program;
    program.inputs = {{.operand = operand, .dtype = DType::u8},
                      {.operand = operand + 1, .access = Access::channel},
                      {.operand = operand + 2, .access = Access::channel}};
    program.code = {{.op = Opcode::widen, .dst = 3, .a = 0},
                    {.op = Opcode::scale_const, .dst = 4, .a = 3, .imm0 = 1.0f / 255.0f},
                    {.op = Opcode::sub, .dst = 5, .a = 4, .b = 1},
                    {.op = Opcode::div, .dst = 6, .a = 5, .b = 2}};
    program.outputs = {{.source = 6, .operand = output}};
    program.registers = 7;
    return program;
}

const std::vector<float> kMean{0.485f, 0.456f, 0.406f}, kStd{0.229f, 0.224f, 0.225f};

std::vector<float> scaled_pixels(const PixelMap& pixels) {
    std::vector<float> out;
    for (size_t i = 0; i < pixels.values.size(); ++i)
        out.push_back((static_cast<float>(pixels.values[i]) * (1.0f / 255.0f) - kMean[i % 3]) / kStd[i % 3]);
    return out;
}

/// Runs all units in order and returns the one output.
std::vector<float> run_bytes(const Step& step, const std::vector<const void*>& inputs, const Shape& output) {
    std::vector<float> out(static_cast<size_t>(output.count()));
    void* const outputs[] = {out.data()};
    Buffer workspace(step.workspace_bytes + 64), scratch(step.scratch_bytes + 64);
    const Buffers buffers{inputs.data(), outputs, workspace.as<std::byte>(), scratch.as<std::byte>()};
    for (size_t stage = 0; stage < step.stages.size(); ++stage)
        for (int64_t unit = 0; unit < step.stages[stage].units; ++unit)
            step.run(static_cast<int>(stage), unit, buffers);
    return out;
}

struct PixelCase {
    int64_t n, h, w, oc;
    Conv2dAttributes attributes;
};
/// The first layers of the models, in small, and odd ones.
const std::vector<PixelCase> kPixelCases{
    {2, 13, 11, 16, {.window = {.kernel = 3, .padding = {1, 1, 1, 1}}}},
    {1, 17, 19, 64, {.window = {.kernel = 7, .stride = 2, .padding = {3, 3, 3, 3}}}},
    {1, 9, 10, 5, {.window = {.kernel = 2, .padding = {0, 1, 0, 1}}}},
    {3, 7, 5, 17, {.window = {.kernel = 3, .stride = 2, .padding = {0, 1, 0, 1}}}},
    {1, 1, 1, 3, {.window = {.kernel = 1}}},
    {2, 6, 7, 16, {.window = {.kernel = 1}}},
};

}  // namespace

TEST_CASE("PixelMap are widened, scaled and shifted with one rounding each, to the same bits on every ISA") {
    const Shape shape = GENERATE(Shape{1, 1, 1, 3}, Shape{2, 7, 5, 3}, Shape{1, 13, 37, 3}, Shape{1, 40, 41, 3});
    const PixelMap pixels = pixels_of(shape);
    const Program program = scaling_program(0, 0);
    const Operand by_channel{.shape = {3}, .pixel_stride = 3};
    Problem problem;
    problem.op = "pointwise";
    problem.inputs = {pixels.operand(), by_channel, by_channel};
    problem.outputs = {{.shape = shape, .pixel_stride = 3}};
    problem.epilogue = &program;
    for (const Isa isa : available_isas()) {
        INFO(name_of(isa) << " " << shape);
        const auto step = make_step(problem, isa);
        CHECK(same_bits(run_bytes(*step, {pixels.values.data(), kMean.data(), kStd.data()}, shape),
                        scaled_pixels(pixels)));
    }
}

TEST_CASE("The first convolution reads pixels as if the scaled picture had been stored") {
    const PixelCase& c = kPixelCases[GENERATE(range(size_t{0}, size_t{6}))];
    const PixelMap pixels = pixels_of({c.n, c.h, c.w, 3});
    const std::vector<float> picture = scaled_pixels(pixels);
    const Window2d& window = c.attributes.window;
    const Shape dst{c.n, window.out_h(c.h), window.out_w(c.w), c.oc};
    const Shape weights{window.kernel.h, window.kernel.w, 3, c.oc};
    const Program program = scaling_program(1, -1);
    const bool gradient = GENERATE(false, true);
    // The other operand, weights or diff_dst, comes first: the prologue makes operand 0.
    const TestTensor other = random_tensor(gradient ? dst : weights, 3);
    const Shape result = gradient ? weights : dst;
    const Operand by_channel{.shape = {3}, .pixel_stride = 3};
    Problem problem;
    problem.op = gradient ? "conv2d_weight_grad" : "conv2d";
    problem.inputs = {other.operand(), pixels.operand(), by_channel, by_channel};
    problem.outputs = {{.shape = result, .pixel_stride = c.oc}};
    problem.attributes = &c.attributes;
    problem.prologue[0] = &program;
    problem.prologue_shape[0] = pixels.shape;
    Problem stored = problem;
    stored.prologue[0] = nullptr;
    stored.inputs = {{.shape = pixels.shape, .pixel_stride = 3}, other.operand()};
    for (const Isa isa : available_isas()) {
        INFO(name_of(isa) << " " << pixels.shape << " * " << weights << (gradient ? ", weight gradient" : ""));
        const auto step = make_step(problem, isa), plain = make_step(stored, isa);
        const auto got =
            run_bytes(*step, {other.values.data(), pixels.values.data(), kMean.data(), kStd.data()}, result);
        CHECK(same_bits(got, run_bytes(*plain, {picture.data(), other.values.data()}, result)));
    }
}

TEST_CASE("Only widen reads pixels, and it reads nothing else") {
    const Shape shape{1, 2, 2, 3};
    const Operand bytes{.shape = shape, .dtype = DType::u8, .pixel_stride = 3};
    const Operand floats{.shape = shape, .pixel_stride = 3};
    const auto refused = [&](const Program& program, const Operand& input) {
        Problem problem;
        problem.op = "pointwise";
        problem.inputs = {input};
        problem.outputs = {floats};
        problem.epilogue = &program;
        return !choose(problem, Isa::baseline).chosen;
    };
    Program program = program_of(Opcode::widen);
    CHECK(refused(program, floats));  // the program asks for f32 and there is f32, but widen wants bytes
    program.inputs[0].dtype = DType::u8;
    CHECK_FALSE(refused(program, bytes));
    program.code[0].op = Opcode::relu;
    CHECK(refused(program, bytes));
    program.code.clear();
    program.outputs[0].source = 0;
    CHECK(refused(program, bytes));
}
