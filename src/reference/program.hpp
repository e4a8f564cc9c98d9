#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/program.hpp"
#include "src/reference/pointwise.hpp"

/// A whole pointwise program in plain loops: what fused kernels are compared with.
namespace liven::reference {

/// One register over N x P x C, in double.
using Register = std::vector<double>;

struct ProgramWalk {
    int64_t samples = 1, pixels = 1, channels = 1;
    int64_t count() const { return samples * pixels * channels; }
};

/// Which value of an input belongs to element `e` of the walk.
inline int64_t index_of(kernels::Access access, const ProgramWalk& walk, int64_t e) {
    const int64_t channel = e % walk.channels, pixel = e / walk.channels, sample = pixel / walk.pixels;
    switch (access) {
        case kernels::Access::full:
            return e;
        case kernels::Access::channel:
            return channel;
        case kernels::Access::sample_channel:
            return sample * walk.channels + channel;
        case kernels::Access::pixel:
            return pixel;
        case kernels::Access::scalar:
            break;
    }
    return 0;
}

/// All registers of the program. `inputs[i]` holds the dense values of program input i (one for each value its access
/// reads; of dropout's seed and counter, their bits as int64_t in `words`).
inline std::vector<Register> run_program(const kernels::Program& program, std::span<const std::vector<float>> inputs,
                                         std::span<const int64_t> words, const ProgramWalk& walk) {
    std::vector<Register> registers(256);
    for (size_t i = 0; i < program.inputs.size(); ++i) {
        if (program.inputs[i].dtype != DType::f32) continue;
        for (int64_t e = 0; e < walk.count(); ++e)
            registers[i].push_back(double{inputs[i][static_cast<size_t>(index_of(program.inputs[i].access, walk, e))]});
    }
    for (const kernels::Instruction& code : program.code) {
        Register& dst = registers[code.dst];
        const int operands = kernels::operands_of(code.op);
        for (int64_t e = 0; e < walk.count(); ++e) {
            const auto at = [&](uint8_t index) { return registers[index][static_cast<size_t>(e)]; };
            if (code.op == Opcode::dropout) {
                const auto seed = static_cast<uint64_t>(words[code.b]), counter = static_cast<uint64_t>(words[code.c]);
                dst.push_back(dropout_keeps(e, seed, counter, code.key, code.imm0) ? at(code.a) * double{code.imm1}
                                                                                   : 0.0);
                continue;
            }
            dst.push_back(apply(code.op, at(code.a), operands > 1 ? at(code.b) : 0.0, operands > 2 ? at(code.c) : 0.0,
                                double{code.imm0}, double{code.imm1}));
        }
    }
    return registers;
}

/// What a reduction gives: sums, or means and biased variances.
struct Reduced {
    std::vector<double> first, second;
};

inline Reduced reduce_register(const kernels::Reduction& reduction, const Register& values, const ProgramWalk& walk) {
    using Over = kernels::Reduction::Over;
    const auto target = [&](int64_t e) {
        const int64_t channel = e % walk.channels, sample = e / walk.channels / walk.pixels;
        if (reduction.over == Over::everything) return int64_t{0};
        return reduction.over == Over::pixels ? sample * walk.channels + channel : channel;
    };
    int64_t results = reduction.over == Over::everything ? 1 : walk.channels;
    if (reduction.over == Over::pixels) results *= walk.samples;
    Reduced out{std::vector<double>(static_cast<size_t>(results), 0.0),
                std::vector<double>(static_cast<size_t>(results), 0.0)};
    for (int64_t e = 0; e < walk.count(); ++e)
        out.first[static_cast<size_t>(target(e))] += values[static_cast<size_t>(e)];
    if (reduction.kind == kernels::Reduction::Kind::sum) return out;
    const double share = static_cast<double>(results) / static_cast<double>(walk.count());
    for (double& mean : out.first) mean *= share;
    for (int64_t e = 0; e < walk.count(); ++e) {
        const double deviation = values[static_cast<size_t>(e)] - out.first[static_cast<size_t>(target(e))];
        out.second[static_cast<size_t>(target(e))] += share * deviation * deviation;
    }
    return out;
}

}  // namespace liven::reference
