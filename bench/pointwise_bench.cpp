#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/step.hpp"
#include "liven/core/buffer.hpp"
#include "liven/core/isa.hpp"

// Pointwise programs: bytes a second where memory is the limit, and nanoseconds an element where the first-level cache
// holds everything. One thread. `copy` is what the machine's memory gives at this moment: compare against it.

namespace {

using namespace liven;
using namespace liven::kernels;

/// Inputs and outputs of one f32 program over a shape, and its step.
class Fixture {
public:
    Fixture(const Program& program, const Shape& shape, const Shape& channel_shape, Isa isa) {
        Problem problem;
        problem.op = "pointwise";
        problem.epilogue = &program;
        for (const ProgramInput& input : program.inputs)
            add(problem.inputs, input.access == Access::full ? shape : channel_shape);
        for (size_t i = 0; i < program.outputs.size(); ++i) add(problem.outputs, shape);
        for (size_t i = 0; i < program.reductions.size(); ++i) {
            add(problem.outputs, channel_shape);
            add(problem.outputs, channel_shape);
        }
        step_ = choose(problem, isa).chosen->make(problem, isa);
        scratch_ = Buffer(step_->scratch_bytes);
        workspace_ = Buffer(step_->workspace_bytes);
        const size_t inputs = problem.inputs.size();
        for (size_t i = 0; i < inputs; ++i) inputs_.push_back(buffers_[i].data());
        for (size_t i = inputs; i < buffers_.size(); ++i) outputs_.push_back(buffers_[i].data());
        moved_bytes_ = static_cast<double>(shape.count()) * sizeof(float) *
                       static_cast<double>(full_inputs(program) + program.outputs.size());
    }

    void run() const {
        const Buffers buffers{inputs_.data(), outputs_.data(), workspace_.as<std::byte>(), scratch_.as<std::byte>()};
        for (size_t stage = 0; stage < step_->stages.size(); ++stage)
            for (int64_t unit = 0; unit < step_->stages[stage].units; ++unit)
                step_->run(static_cast<int>(stage), unit, buffers);
        benchmark::ClobberMemory();
    }
    /// Full operands, each once.
    double moved_bytes() const { return moved_bytes_; }

private:
    static size_t full_inputs(const Program& program) {
        size_t count = 0;
        for (const ProgramInput& input : program.inputs) count += input.access == Access::full;
        return count;
    }

    void add(std::vector<Operand>& side, const Shape& shape) {
        side.push_back({.shape = shape, .dtype = DType::f32, .pixel_stride = shape[-1]});
        buffers_.emplace_back(static_cast<size_t>(shape.count()) * sizeof(float));
        float* values = buffers_.back().as<float>();
        for (int64_t i = 0; i < shape.count(); ++i) values[i] = static_cast<float>(i % 977) * 0.01f - 4.0f;
    }

    std::vector<Buffer> buffers_;
    std::vector<const void*> inputs_;
    std::vector<void*> outputs_;
    std::unique_ptr<Step> step_;
    Buffer scratch_, workspace_;
    double moved_bytes_ = 0;
};

Program unary(Opcode op) {
    Program program;
    program.inputs = {{.operand = 0}};
    program.code = {{.op = op, .dst = 1, .a = 0, .imm0 = 0.2f}};
    program.outputs = {{.source = 1, .operand = 0}};
    return program;
}

/// Batch-norm and leaky ReLU: y = leaky_relu(x * scale + shift).
Program affine_leaky_relu(bool statistics) {
    Program program;
    program.inputs = {
        {.operand = 0}, {.operand = 1, .access = Access::channel}, {.operand = 2, .access = Access::channel}};
    program.code = {{.op = Opcode::mad, .dst = 3, .a = 0, .b = 1, .c = 2},
                    {.op = Opcode::leaky_relu, .dst = 4, .a = 3, .imm0 = 0.2f}};
    program.outputs = {{.source = 4, .operand = 0}};
    if (statistics) program.reductions = {{.kind = Reduction::Kind::moments, .source = 4, .operand = 1, .operand2 = 2}};
    return program;
}

/// The gradients of two batch-norms and a leaky ReLU, as AttackNet's first phase has them: four maps read, one written.
Program norm_backward() {
    Program program;
    for (int i = 0; i < 4; ++i) program.inputs.push_back({.operand = i});
    for (int i = 4; i < 11; ++i) program.inputs.push_back({.operand = i, .access = Access::channel});
    using enum Opcode;
    program.code = {{.op = add, .dst = 11, .a = 1, .b = 2},
                    {.op = sub, .dst = 12, .a = 11, .b = 4},
                    {.op = mad, .dst = 13, .a = 12, .b = 5, .c = 6},
                    {.op = mad, .dst = 14, .a = 0, .b = 7, .c = 13},
                    {.op = leaky_relu, .dst = 15, .a = 1, .imm0 = 0.2f},
                    {.op = sub, .dst = 16, .a = 15, .b = 8},
                    {.op = mad, .dst = 17, .a = 16, .b = 9, .c = 10},
                    {.op = mad, .dst = 18, .a = 3, .b = 7, .c = 17},
                    {.op = add, .dst = 19, .a = 14, .b = 18},
                    {.op = leaky_step, .dst = 20, .a = 1, .b = 19, .imm0 = 0.2f}};
    program.outputs = {{.source = 20, .operand = 0}};
    return program;
}

void in_memory(benchmark::State& state, const Program& program, Isa isa) {
    const Fixture fixture(program, {16, 256, 256, 16}, {16}, isa);
    for (auto _ : state) fixture.run();
    state.counters["GB/s"] =
        benchmark::Counter(fixture.moved_bytes() * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void in_cache(benchmark::State& state, const Program& program, Isa isa) {
    const Shape shape{1, 4, 32, 16};
    const Fixture fixture(program, shape, {16}, isa);
    for (auto _ : state) fixture.run();
    state.counters["ns/element"] =
        benchmark::Counter(static_cast<double>(shape.count()) * 1e-9,
                           benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// memcpy of as many bytes as one full operand.
void plain_copy(benchmark::State& state) {
    const size_t bytes = size_t{16} * 256 * 256 * 16 * sizeof(float);
    const Buffer src(bytes), dst(bytes);
    std::memset(src.data(), 1, bytes);
    for (auto _ : state) {
        std::memcpy(dst.data(), src.data(), bytes);
        benchmark::ClobberMemory();
    }
    state.counters["GB/s"] =
        benchmark::Counter(2e-9 * static_cast<double>(bytes), benchmark::Counter::kIsIterationInvariantRate);
}

const bool registered = [] {
    benchmark::RegisterBenchmark("memory/memcpy", plain_copy);
    for (const Isa isa : available_isas()) {
        const std::string suffix = "/" + std::string(name_of(isa));
        const auto add = [&](const std::string& name, auto* body, const Program& program) {
            benchmark::RegisterBenchmark((name + suffix).c_str(),
                                         [=](benchmark::State& state) { body(state, program, isa); });
        };
        add("memory/copy", in_memory, unary(Opcode::copy));
        add("memory/affine_leaky_relu", in_memory, affine_leaky_relu(false));
        add("memory/affine_leaky_relu_moments", in_memory, affine_leaky_relu(true));
        add("memory/norm_backward", in_memory, norm_backward());
        add("cache/norm_backward", in_cache, norm_backward());
        add("cache/affine_leaky_relu", in_cache, affine_leaky_relu(false));
        add("cache/affine_leaky_relu_moments", in_cache, affine_leaky_relu(true));
        for (const Opcode op : {Opcode::leaky_relu, Opcode::exp, Opcode::log, Opcode::tanh, Opcode::sigmoid,
                                Opcode::softplus, Opcode::gelu, Opcode::pow_const})
            add("cache/" + std::string(name_of(op)), in_cache, unary(op));
    }
    return true;
}();

}  // namespace
