// Matrix products of the models: GFLOP/s, GB/s and the share of the FMA peak probed around every run.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bench/probe.hpp"
#include "kernels/native_bf16.hpp"
#include "kernels/step.hpp"
#include "liven/core/buffer.hpp"
#include "liven/core/window.hpp"

namespace {

using namespace liven;
using namespace liven::bench;

struct Case {
    const char* name;
    int64_t m, n, k;
    bool transpose_a, transpose_b;
    DType b = DType::f32, a = DType::f32;
};

constexpr DType f32 = DType::f32, bf16 = DType::bf16;
constexpr Case kCases[] = {
    {"square_1024", 1024, 1024, 1024, false, false},
    {"square_1024_tt", 1024, 1024, 1024, true, true},
    {"conv1x1_64_256", 65536, 256, 64, false, false},
    {"conv1x1_256_64", 65536, 64, 256, false, false},
    {"conv1x1_64_256_input_grad", 65536, 64, 256, false, true},
    {"conv1x1_64_256_weight_grad", 64, 256, 65536, true, false},
    {"dense_forward", 16, 128, 131072, false, false},
    {"dense_forward_1", 1, 128, 131072, false, false},
    {"dense_forward_1_bf16", 1, 128, 131072, false, false, bf16},
    {"dense_forward_4", 4, 128, 131072, false, false},
    {"dense_forward_4_bf16", 4, 128, 131072, false, false, bf16},
    {"dense_forward_bf16", 16, 128, 131072, false, false, bf16},
    {"dense_input_grad", 16, 131072, 128, false, true},
    {"dense_weight_grad", 131072, 128, 16, true, false},
    {"gru_32x768x512", 32, 512, 768, false, false},
    {"square_1024_bf16", 1024, 1024, 1024, false, false, f32, bf16},
    {"square_1024_nt_bf16", 1024, 1024, 1024, false, true, f32, bf16},
    {"square_1024_tn_bf16", 1024, 1024, 1024, true, false, bf16, bf16},
    {"gru_input_10_bf16", 10, 1536, 2048, false, false, f32, bf16},
    {"gru_input_20_bf16", 20, 1536, 2048, false, false, f32, bf16},
    {"gru_input_80_bf16", 80, 1536, 2048, false, false, f32, bf16},
    {"gru_input_grad_10_bf16", 10, 2048, 1536, false, true, f32, bf16},
    {"gru_input_grad_80_bf16", 80, 2048, 1536, false, true, f32, bf16},
    {"gru_weight_grad_10_bf16", 2048, 1536, 10, true, false, bf16, bf16},
    {"gru_weight_grad_80_bf16", 2048, 1536, 80, true, false, bf16, bf16},
    {"aux_8_bf16", 8, 1024, 2048, false, false, f32, bf16},
    {"aux_input_grad_8_bf16", 8, 2048, 1024, false, true, f32, bf16},
    {"dense_forward_a_bf16", 16, 128, 131072, false, false, f32, bf16},
    {"dense_forward_64_a_bf16", 64, 128, 131072, false, false, f32, bf16},
    {"dense_weight_grad_64_bf16", 131072, 128, 64, true, false, bf16, bf16},
};

/// `dots`: with dot products of bf16 where the CPU has them. One thread: units in their order. Each iteration is a
/// probe, the product, a probe; the share is the median over rounds.
void gemm(benchmark::State& state, const Case& c, Isa isa, bool dots) {
    const MatmulAttributes attributes{c.transpose_a, c.transpose_b};
    const Shape a = c.transpose_a ? Shape{c.k, c.m} : Shape{c.m, c.k},
                b = c.transpose_b ? Shape{c.n, c.k} : Shape{c.k, c.n};
    const auto dense = [](const Shape& shape) { return kernels::Operand{shape, DType::f32, shape[-1]}; };
    kernels::Problem problem;
    problem.op = "matmul";
    problem.attributes = &attributes;
    problem.inputs = {dense(a), dense(b)};
    problem.inputs[0].dtype = c.a;
    problem.inputs[1].dtype = c.b;
    problem.outputs = {dense({c.m, c.n})};
    kernels::allow_native_bf16(dots);
    const kernels::Choice choice = kernels::choose(problem, isa);
    const auto step = choice.chosen->make(problem, isa);
    const Buffer left = filled(a.count(), c.a), right = filled(b.count(), c.b), dst = filled(c.m * c.n);
    const Buffer workspace(std::max<size_t>(step->workspace_bytes, 64)),
        scratch(std::max<size_t>(step->scratch_bytes, 64));
    const void* inputs[] = {left.data(), right.data()};
    void* outputs[] = {dst.data()};
    const kernels::Buffers buffers{inputs, outputs, workspace.as<std::byte>(), scratch.as<std::byte>()};
    const double flops = 2.0 * static_cast<double>(c.m) * static_cast<double>(c.n) * static_cast<double>(c.k);
    const double bytes = static_cast<double>(a.count() * static_cast<int64_t>(size_of(c.a)) +
                                             b.count() * static_cast<int64_t>(size_of(c.b)) + c.m * c.n * 4);
    std::vector<double> times, shares;
    for (auto _ : state) {
        const double before = probe_peak(isa), start = seconds_now();
        for (size_t stage = 0; stage < step->stages.size(); ++stage)
            for (int64_t unit = 0; unit < step->stages[stage].units; ++unit)
                step->run(static_cast<int>(stage), unit, buffers);
        const double taken = seconds_now() - start, peak = std::max(before, probe_peak(isa));
        state.SetIterationTime(taken);
        times.push_back(taken);
        shares.push_back(flops / taken / peak);
    }
    kernels::allow_native_bf16(true);
    state.SetLabel(std::string(choice.chosen->name));
    state.counters["GFLOP/s"] = flops / median(times) * 1e-9;
    state.counters["GB/s"] = bytes / median(times) * 1e-9;
    state.counters["peak%"] = 100.0 * median(shares);
}

void add(const std::string& name, const Case& c, Isa isa, bool dots) {
    benchmark::RegisterBenchmark((name + "/" + std::string(name_of(isa))).c_str(),
                                 [&c, isa, dots](benchmark::State& state) { gemm(state, c, isa, dots); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->MinTime(0.2);
}

const bool registered = [] {
    for (const Isa isa : available_isas())
        for (const Case& c : kCases) {
            add(c.name, c, isa, true);
            if (c.a == DType::bf16 && kernels::native_bf16(isa)) add(c.name + std::string("_widened"), c, isa, false);
        }
    return true;
}();

}  // namespace
