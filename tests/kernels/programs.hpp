#pragma once

#include <algorithm>

#include "kernels/program.hpp"
#include "tests/kernels/step_runner.hpp"

/// Small programs, by themselves and as prologues and epilogues.
namespace liven::testing {

/// A program of one opcode over as many full inputs as it has operands.
inline kernels::Program program_of(kernels::Opcode op, float imm0 = 0, float imm1 = 0) {
    kernels::Program program;
    const int operands = operands_of(op);
    for (int i = 0; i < operands; ++i) program.inputs.push_back({.operand = i});
    const auto dst = static_cast<uint8_t>(operands);
    program.code = {{.op = op,
                     .dst = dst,
                     .a = 0,
                     .b = static_cast<uint8_t>(operands > 1 ? 1 : 0),
                     .c = static_cast<uint8_t>(operands > 2 ? 2 : 0),
                     .imm0 = imm0,
                     .imm1 = imm1}};
    program.outputs = {{.source = dst, .operand = 0}};
    program.registers = operands + 1;
    return program;
}

/// The problem of a program by itself.
inline kernels::Problem problem_of(const kernels::Program& program, const std::vector<const TestTensor*>& inputs,
                                   const std::vector<TestTensor*>& outputs) {
    kernels::Problem problem;
    problem.op = "pointwise";
    for (const TestTensor* tensor : inputs) problem.inputs.push_back(tensor->operand());
    for (const TestTensor* tensor : outputs) problem.outputs.push_back(tensor->operand());
    problem.epilogue = &program;
    return problem;
}

/// relu(core * scale + shift), scale and shift one value a channel: step inputs `operand` and `operand + 1`.
/// A prologue's core is full input `src`; an epilogue's is the result (-1).
inline kernels::Program scale_shift_relu(int core, int operand, int output) {
    kernels::Program program;
    program.inputs = {{.operand = core},
                      {.operand = operand, .access = kernels::Access::channel},
                      {.operand = operand + 1, .access = kernels::Access::channel}};
    program.code = {{.op = kernels::Opcode::mad, .dst = 3, .a = 0, .b = 1, .c = 2},
                    {.op = kernels::Opcode::relu, .dst = 4, .a = 3}};
    program.outputs = {{.source = 4, .operand = output}};
    program.registers = 5;
    return program;
}

inline void add_moments(kernels::Program& program, uint8_t source, int mean, int variance,
                        kernels::Reduction::Over over = kernels::Reduction::Over::pixels_and_samples) {
    program.reductions.push_back({.kind = kernels::Reduction::Kind::moments,
                                  .over = over,
                                  .source = source,
                                  .operand = mean,
                                  .operand2 = variance});
}

/// What scale_shift_relu gives, value by value.
inline std::vector<float> scaled_shifted_relu(const std::vector<float>& values, const std::vector<float>& scale,
                                              const std::vector<float>& shift) {
    std::vector<float> out(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
        const size_t c = i % scale.size();
        const double value = double{values[i]} * double{scale[c]} + double{shift[c]};
        out[i] = static_cast<float>(std::max(value, 0.0));
    }
    return out;
}

struct Moments {
    std::vector<float> mean, variance;
};
/// Over all pixels of `channels` interleaved channels, in double.
inline Moments moments_of(const std::vector<float>& values, size_t channels) {
    Moments out{std::vector<float>(channels), std::vector<float>(channels)};
    const size_t pixels = values.size() / channels;
    const auto count = static_cast<double>(pixels);
    for (size_t c = 0; c < channels; ++c) {
        double sum = 0, squares = 0;
        for (size_t i = c; i < values.size(); i += channels) sum += double{values[i]};
        for (size_t i = c; i < values.size(); i += channels) squares += std::pow(double{values[i]} - sum / count, 2);
        out.mean[c] = static_cast<float>(sum / count);
        out.variance[c] = static_cast<float>(squares / count);
    }
    return out;
}

}  // namespace liven::testing
