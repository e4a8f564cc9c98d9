// Convolutions of the models, all three directions: nominal GFLOP/s (products with padding counted), GB/s of the maps,
// and the share of the FMA peak probed around every run.
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

struct Case {
    const char* name;
    int64_t n, h, c, oc, kernel, stride = 1, groups = 1;
    bool pixels = false;  ///< 8-bit, widened and scaled by a prologue

    int64_t out_h() const { return (h + stride - 1) / stride; }
    double flops() const {
        return 2.0 * static_cast<double>(n * out_h() * out_h() * oc) *
               static_cast<double>(kernel * kernel * c / groups);
    }
};

constexpr Case kCases[] = {{"3-16@256", 2, 256, 3, 16, 3},
                           {"3-16@256u8", 2, 256, 3, 16, 3, 1, 1, true},
                           {"3-64@224k7s2u8", 1, 224, 3, 64, 7, 2, 1, true},
                           {"16-16@256", 2, 256, 16, 16, 3},
                           {"16-16@128", 8, 128, 16, 16, 3},
                           {"32-32@128", 2, 128, 32, 32, 3},
                           {"64-64@56", 4, 56, 64, 64, 3},
                           {"128-128@28", 8, 28, 128, 128, 3},
                           {"256-256@14", 8, 14, 256, 256, 3},
                           {"512-512@7", 16, 7, 512, 512, 3},
                           {"64-128@56s2", 4, 56, 64, 128, 3, 2},
                           {"3-64@224k7s2", 1, 224, 3, 64, 7, 2},
                           {"64-256@56k1", 2, 56, 64, 256, 1},
                           {"256-64@56k1", 2, 56, 256, 64, 1},
                           {"64-3@224", 1, 224, 64, 3, 3},
                           {"64-64@112k2", 2, 112, 64, 64, 2},
                           {"64-64@224s2", 1, 224, 64, 64, 3, 2},
                           {"256-512@14s2", 8, 14, 256, 512, 3, 2},
                           {"64-64@56k1", 2, 56, 64, 64, 1},
                           {"512-128@28k1", 4, 28, 512, 128, 1},
                           {"128-512@28k1", 4, 28, 128, 512, 1},
                           {"1024-256@14k1", 8, 14, 1024, 256, 1},
                           {"256-1024@14k1", 8, 14, 256, 1024, 1},
                           {"512-2048@7k1", 16, 7, 512, 2048, 1},
                           {"2048-512@7k1", 16, 7, 2048, 512, 1},
                           {"256-512@56k1s2", 2, 56, 256, 512, 1, 2},
                           {"512-2048@7k1n1", 1, 7, 512, 2048, 1},
                           {"16-16@64k1", 4, 64, 16, 16, 1},
                           {"32-32@64k1", 4, 64, 32, 32, 1},
                           {"64-32@112k2", 1, 112, 64, 32, 2},
                           {"64@56depthwise", 4, 56, 64, 64, 3, 1, 64}};

/// "Same" padding as Keras has it: the odd pixel comes last.
Conv2dAttributes attributes_of(const Case& c) {
    const int64_t total = std::max<int64_t>((c.out_h() - 1) * c.stride + c.kernel - c.h, 0), low = total / 2;
    return {.window = {.kernel = c.kernel, .stride = c.stride, .padding = {low, total - low, low, total - low}},
            .groups = c.groups};
}

/// Pixels as floats between 0 and 1.
kernels::Program scaling_program() {
    kernels::Program program;
    program.inputs = {{.operand = 1, .dtype = DType::u8}};
    program.code = {{.op = kernels::Opcode::widen, .dst = 1, .a = 0},
                    {.op = kernels::Opcode::scale_const, .dst = 2, .a = 1, .imm0 = 1.0f / 255.0f}};
    program.outputs = {{.source = 2, .operand = -1}};
    program.registers = 3;
    return program;
}

/// One thread, units in their order, packing of the weights included. Each iteration is a probe, the convolution, a
/// probe; the share is the median over rounds.
void convolve(benchmark::State& state, const Case& c, const kernels::KernelInfo& kernel) {
    const Conv2dAttributes attributes = attributes_of(c);
    const Shape src{c.n, c.h, c.h, c.c}, dst{c.n, c.out_h(), c.out_h(), c.oc},
        weights{c.kernel, c.kernel, c.c / c.groups, c.oc};
    const auto dense = [](const Shape& shape) { return kernels::Operand{shape, DType::f32, shape[-1]}; };
    const bool input_grad = kernel.op == "conv2d_input_grad", weight_grad = kernel.op == "conv2d_weight_grad";
    const Shape &first = input_grad ? dst : src, &second = weight_grad ? dst : weights,
                &result = input_grad    ? src
                          : weight_grad ? weights
                                        : dst;
    kernels::Problem problem;
    problem.op = kernel.op;
    problem.attributes = &attributes;
    problem.inputs = {dense(first), dense(second)};
    problem.outputs = {dense(result)};
    const kernels::Program scaling = scaling_program();
    if (c.pixels) {
        problem.inputs = {dense(second), kernels::Operand{src, DType::u8, src[3]}};
        problem.prologue[0] = &scaling;
        problem.prologue_shape[0] = src;
    }
    if (const std::string reason = kernel.refuse(problem); !reason.empty()) {
        state.SkipWithError(reason.c_str());
        return;
    }
    const auto step = kernel.make(problem, kernel.isa);
    const Buffer a = filled(first.count()), b = filled(second.count()), out = filled(result.count());
    const Buffer workspace(std::max<size_t>(step->workspace_bytes, 64)),
        scratch(std::max<size_t>(step->scratch_bytes, 64));
    const void* inputs[] = {c.pixels ? b.data() : a.data(), c.pixels ? a.data() : b.data()};
    void* outputs[] = {out.data()};
    const kernels::Buffers buffers{inputs, outputs, workspace.as<std::byte>(), scratch.as<std::byte>()};
    const double map_bytes = c.pixels ? 1.0 : 4.0;
    const double bytes =
        map_bytes * static_cast<double>(first.count()) + 4.0 * static_cast<double>(second.count() + result.count());
    const StepTimes times = time_step(state, *step, buffers, kernel.isa, c.flops());
    state.counters["GFLOP/s"] = c.flops() / times.seconds * 1e-9;
    state.counters["GB/s"] = bytes / times.seconds * 1e-9;
    state.counters["peak%"] = 100.0 * times.share;
}

bool takes(const kernels::KernelInfo& kernel, const Case& c) {
    const bool depthwise = kernel.name.find("depthwise") != std::string_view::npos;
    const bool winograd = kernel.name.find("winograd") != std::string_view::npos;
    const bool small_maps = kernel.name.find("by_channels") != std::string_view::npos;
    const bool gemm = kernel.name.find("gemm") != std::string_view::npos;
    const bool strided_input_grad = kernel.op == "conv2d_input_grad" && c.stride > 1;
    const bool narrow = kernel.name.find("narrow") != std::string_view::npos;
    if (c.pixels && (kernel.op == "conv2d_input_grad" || narrow)) return false;
    if (narrow && (kernel.op == "conv2d" ? c.oc : c.c) >= 16) return false;
    if (narrow && (c.groups > 1 || (kernel.op == "conv2d" && c.stride > 1))) return false;
    if (gemm && (c.kernel > 1 || c.groups > 1 || strided_input_grad)) return false;
    return depthwise == (c.groups > 1) &&
           (!winograd || (c.kernel == 3 && c.stride == 1 && c.c % 16 == 0 && c.oc % 16 == 0)) &&
           (!small_maps || c.h <= 32);
}

const bool registered = [] {
    for (const kernels::KernelInfo& kernel : kernels::registry()) {
        if (kernel.op.substr(0, 6) != "conv2d" || kernel.isa > available_isas().back()) continue;
        for (const Case& c : kCases) {
            if (!takes(kernel, c)) continue;
            const std::string name = std::string(kernel.name) + "/" + std::string(name_of(kernel.isa)) + "/" + c.name;
            benchmark::RegisterBenchmark(name.c_str(), [&](benchmark::State& state) { convolve(state, c, kernel); })
                ->UseManualTime()
                ->Unit(benchmark::kMillisecond)
                ->MinTime(0.15);
        }
    }
    return true;
}();

}  // namespace
