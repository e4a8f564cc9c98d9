// 3x3 convolutions with the programs a training step of AttackNet V2.2 gives them: what a prologue and an epilogue cost
// beside the bare kernel. Shares of the FMA peak probed around every run, one thread, as bench/conv2d_bench.cpp.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bench/probe.hpp"
#include "kernels/step.hpp"
#include "liven/core/attributes.hpp"
#include "liven/core/buffer.hpp"

namespace {

using namespace liven;
using namespace liven::bench;
using kernels::Access;
using kernels::Opcode;

struct Case {
    const char* name;
    int64_t n, h, c;
    double flops() const { return 18.0 * static_cast<double>(n * h * h * c * c); }
};
constexpr Case kCases[] = {{"16-16@256", 3, 256, 16},   {"32-32@128", 4, 128, 32},   {"64-64@56", 8, 56, 64},
                           {"128-128@28", 16, 28, 128}, {"256-256@14", 16, 14, 256}, {"512-512@7", 16, 7, 512}};

/// Operands of every step: 0 the first map (made by the prologue when there is one), 1 the second operand, 2 a map to
/// read beside it, 3 to 5 one value a channel. Outputs: the result, and two of one value a channel.
constexpr int kMap = 2, kChannel = 3;

struct Fusion {
    const char* name;
    const char* op;  ///< the only one it goes with; empty: any
    kernels::Program prologue = {}, epilogue = {};
};

/// A batch-norm that is still pending, behind the activation.
kernels::Program batch_norm() {
    return {.inputs = {{.operand = 0},
                       {.operand = kChannel, .access = Access::channel},
                       {.operand = kChannel + 1, .access = Access::channel},
                       {.operand = kChannel + 2, .access = Access::channel}},
            .code = {{.op = Opcode::leaky_relu, .dst = 4, .a = 0, .imm0 = 0.2f},
                     {.op = Opcode::sub, .dst = 5, .a = 4, .b = 1},
                     {.op = Opcode::mad, .dst = 6, .a = 5, .b = 2, .c = 3}},
            .outputs = {{.source = 6, .operand = -1}},
            .reductions = {},
            .registers = 7};
}

kernels::Program bias_activation() {
    return {.inputs = {{.operand = -1}, {.operand = kChannel, .access = Access::channel}},
            .code = {{.op = Opcode::add, .dst = 2, .a = 0, .b = 1},
                     {.op = Opcode::leaky_relu, .dst = 3, .a = 2, .imm0 = 0.2f}},
            .outputs = {{.source = 3, .operand = 0}},
            .reductions = {},
            .registers = 4};
}

/// Bias, activation, and the statistics of the sum with a residual.
kernels::Program residual_moments() {
    return {.inputs = {{.operand = -1}, {.operand = kChannel, .access = Access::channel}, {.operand = kMap}},
            .code = {{.op = Opcode::add, .dst = 3, .a = 0, .b = 1},
                     {.op = Opcode::leaky_relu, .dst = 4, .a = 3, .imm0 = 0.2f},
                     {.op = Opcode::add, .dst = 5, .a = 2, .b = 4}},
            .outputs = {{.source = 4, .operand = 0}},
            .reductions = {{.kind = kernels::Reduction::Kind::moments, .source = 5, .operand = 1, .operand2 = 2}},
            .registers = 6};
}

kernels::Program activation_gradient() {
    return {.inputs = {{.operand = kMap}, {.operand = -1}},
            .code = {{.op = Opcode::leaky_step, .dst = 2, .a = 0, .b = 1, .imm0 = 0.2f}},
            .outputs = {{.source = 2, .operand = 0}},
            .reductions = {{.source = 2, .operand = 1}},
            .registers = 3};
}

/// The two sums that a batch-norm's gradient needs.
kernels::Program batch_norm_sums() {
    return {.inputs = {{.operand = -1}, {.operand = kMap}, {.operand = kChannel, .access = Access::channel}},
            .code = {{.op = Opcode::leaky_relu, .dst = 3, .a = 1, .imm0 = 0.2f},
                     {.op = Opcode::sub, .dst = 4, .a = 3, .b = 2},
                     {.op = Opcode::mul, .dst = 5, .a = 0, .b = 4}},
            .outputs = {{.source = 0, .operand = 0}},
            .reductions = {{.source = 5, .operand = 1}, {.source = 0, .operand = 2}},
            .registers = 6};
}

const Fusion kFusions[] = {
    {.name = "bare", .op = ""},
    {.name = "prologue", .op = "", .prologue = batch_norm()},
    {.name = "prologue+epilogue", .op = "conv2d", .prologue = batch_norm(), .epilogue = bias_activation()},
    {.name = "residual+moments", .op = "conv2d", .epilogue = residual_moments()},
    {.name = "activation_gradient", .op = "conv2d_input_grad", .epilogue = activation_gradient()},
    {.name = "batch_norm_sums", .op = "conv2d_input_grad", .epilogue = batch_norm_sums()}};

void convolve(benchmark::State& state, const Case& c, const Fusion& fusion, const kernels::KernelInfo& kernel) {
    const Conv2dAttributes same{.window = {.kernel = 3, .padding = {1, 1, 1, 1}}};
    const Shape map{c.n, c.h, c.h, c.c}, weights{3, 3, c.c, c.c}, channel{c.c};
    const bool weight_grad = kernel.op == "conv2d_weight_grad";
    const Shape inputs[] = {map, weight_grad ? map : weights, map, channel, channel, channel};
    const Shape outputs[] = {weight_grad ? weights : map, channel, channel};
    kernels::Problem problem;
    problem.op = kernel.op;
    problem.attributes = &same;
    std::vector<Buffer> memory;
    std::vector<const void*> in;
    std::vector<void*> out;
    // What a prologue makes is no operand of the convolution: its own come first, without it.
    kernels::Program prologue = fusion.prologue, epilogue = fusion.epilogue;
    const bool made = !prologue.empty();
    const auto place = [&](int operand) {
        return !made || operand < 0 ? operand : operand == 0 ? 1 : operand == 1 ? 0 : operand;
    };
    for (int i = 0; i < 6; ++i) {
        const Shape& shape = inputs[place(i)];
        problem.inputs.push_back({shape, DType::f32, shape[-1]});
        in.push_back(memory.emplace_back(filled(shape.count())).data());
    }
    const size_t results = epilogue.empty() ? 1 : 1 + 2 * epilogue.reductions.size();
    for (size_t i = 0; i < std::min<size_t>(results, 3); ++i) {
        problem.outputs.push_back({outputs[i], DType::f32, outputs[i][-1]});
        out.push_back(memory.emplace_back(filled(outputs[i].count())).data());
    }
    for (kernels::Program* program : {&prologue, &epilogue})
        for (kernels::ProgramInput& input : program->inputs) input.operand = place(input.operand);
    if (made) {
        problem.prologue[0] = &prologue;
        problem.prologue_shape[0] = map;
    }
    if (!epilogue.empty()) {
        problem.epilogue = &epilogue;
        problem.epilogue_shape = map;
    }
    if (const std::string reason = kernel.refuse(problem); !reason.empty()) {
        state.SkipWithError(reason.c_str());
        return;
    }
    const auto step = kernel.make(problem, kernel.isa);
    const Buffer workspace(std::max<size_t>(step->workspace_bytes, 64)),
        scratch(std::max<size_t>(step->scratch_bytes, 64));
    const kernels::Buffers buffers{in.data(), out.data(), workspace.as<std::byte>(), scratch.as<std::byte>()};
    const StepTimes times = time_step(state, *step, buffers, kernel.isa, c.flops());
    state.counters["GFLOP/s"] = c.flops() / times.seconds * 1e-9;
    state.counters["peak%"] = 100.0 * times.share;
}

bool takes(const kernels::KernelInfo& kernel, const Case& c, const Fusion& fusion) {
    const bool by_channels = kernel.name.find("by_channels") != std::string_view::npos;
    return kernel.name.find("winograd") != std::string_view::npos && (!*fusion.op || kernel.op == fusion.op) &&
           (!by_channels || c.h <= 14);
}

const bool registered = [] {
    for (const kernels::KernelInfo& kernel : kernels::registry())
        for (const Case& c : kCases)
            for (const Fusion& fusion : kFusions) {
                if (kernel.isa > available_isas().back() || !takes(kernel, c, fusion)) continue;
                const std::string name = std::string(kernel.name) + "/" + std::string(name_of(kernel.isa)) + "/" +
                                         c.name + "/" + fusion.name;
                benchmark::RegisterBenchmark(name.c_str(),
                                             [&](benchmark::State& state) { convolve(state, c, fusion, kernel); })
                    ->UseManualTime()
                    ->Unit(benchmark::kMillisecond)
                    ->MinTime(0.15);
            }
    return true;
}();

}  // namespace
