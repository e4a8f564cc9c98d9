#include "kernels/pointwise/known_programs.hpp"

#include <algorithm>

#include "kernels/by_isa.hpp"

namespace liven::kernels {

RunProgram known_program_baseline(size_t index);
RunProgram known_program_avx2(size_t index);
RunProgram known_program_avx512(size_t index);

RunProgram known_program(size_t index, Isa isa) {
    return by_isa(isa, known_program_baseline, known_program_avx2, known_program_avx512)(index);
}

namespace {

constexpr int64_t least_channels = 16;

char letter_of(const ProgramInput& input) {
    if (input.access == Access::channel || input.access == Access::sample_channel) return 'c';
    if (input.access == Access::scalar) return 's';
    if (input.access != Access::full) return '?';
    return input.operand < 0 ? 'r' : 'm';
}

bool is_float(std::span<const Operand> operands, int index) {
    return index < 0 || operands[static_cast<size_t>(index)].dtype == DType::f32;
}

bool same_inputs(const KnownProgram& known, const Program& program, std::span<const Operand> operands) {
    return std::equal(program.inputs.begin(), program.inputs.end(), known.inputs.begin(), known.inputs.end(),
                      [&](const ProgramInput& input, char letter) {
                          return letter_of(input) == letter && is_float(operands, input.operand);
                      });
}

/// Immediates may be any: the loops take them from the program.
bool same_code(const KnownProgram& known, const Program& program) {
    return std::equal(program.code.begin(), program.code.end(), known.code.begin(),
                      known.code.begin() + static_cast<ptrdiff_t>(known.length),
                      [](const Instruction& one, const Instruction& other) {
                          const int operands = operands_of(one.op);
                          return one.op == other.op && one.dst == other.dst && one.a == other.a &&
                                 (operands < 2 || one.b == other.b) && (operands < 3 || one.c == other.c);
                      });
}

bool same_outputs(const KnownProgram& known, const Program& program, std::span<const Operand> operands) {
    return std::equal(program.outputs.begin(), program.outputs.end(), known.outputs.begin(),
                      known.outputs.begin() + static_cast<ptrdiff_t>(known.output_count),
                      [&](const ProgramOutput& output, uint8_t source) {
                          return output.source == source && is_float(operands, output.operand);
                      });
}

bool same_sums(const KnownProgram& known, const Program& program) {
    return std::equal(program.reductions.begin(), program.reductions.end(), known.sums.begin(),
                      known.sums.begin() + static_cast<ptrdiff_t>(known.sum_count),
                      [](const Reduction& reduction, const KnownSum& sum) {
                          return reduction.kind == sum.kind && reduction.source == sum.source;
                      });
}

}  // namespace

std::optional<size_t> find_known_program(const Program& program, std::span<const Operand> inputs,
                                         std::span<const Operand> outputs, int64_t channels) {
    if (channels < least_channels) return {};
    for (size_t i = 0; i < known_programs.size(); ++i) {
        const KnownProgram& known = known_programs[i];
        if (same_outputs(known, program, outputs) && same_inputs(known, program, inputs) && same_code(known, program) &&
            same_sums(known, program))
            return i;
    }
    return {};
}

}  // namespace liven::kernels
