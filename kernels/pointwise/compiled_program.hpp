#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "kernels/pointwise/program_view.hpp"
#include "liven/core/isa.hpp"

namespace liven::kernels {

/// The walk of a program: N samples of P pixels of C channels.
struct Walk {
    int64_t samples = 1, pixels = 1, channels = 1;
};

/// A Program checked against its operands and made ready to run: registers are given rows of scratch by their lifetime,
/// outputs are written by the instruction that makes them where no input can be harmed. It keeps nothing of its
/// arguments.
class CompiledProgram {
public:
    /// `inputs` and `outputs` are all operands of the step; the program's operand numbers index them, -1 means the core
    /// (see program.hpp). Throws Error naming the instruction, the operand and its shape when they do not fit the walk.
    CompiledProgram(const Program& program, std::span<const Operand> inputs, std::span<const Operand> outputs,
                    const Walk& walk, Isa isa);
    CompiledProgram(CompiledProgram&&) = default;
    CompiledProgram& operator=(CompiledProgram&&) = default;

    const ProgramView& view() const { return view_; }
    size_t scratch_bytes() const { return static_cast<size_t>(view_.scratch_floats) * sizeof(float); }
    size_t partial_bytes() const { return static_cast<size_t>(view_.partial_doubles) * sizeof(double); }
    bool reduces() const { return view_.reduction_count > 0; }

    /// Hands on where the maps lie that the chunk's pixels read, then those that they write: `take(data, pixels, bytes
    /// of a pixel, bytes from one to the next)`.
    template <class Take>
    void each_map(const Buffers& buffers, const Chunk& chunk, Take take) const {
        const auto map = [&](const void* data, int64_t stride, int64_t size) {
            const int64_t first = (chunk.sample * view_.pixels + chunk.first_pixel) * stride + chunk.first_channel;
            take(static_cast<const char*>(data) + first * size, chunk.pixels,
                 (chunk.channels > 0 ? chunk.channels : view_.channels) * size, stride * size);
        };
        for (const ViewInput& input : inputs_)
            if (input.access == Access::full && input.operand >= 0)
                map(buffers.inputs[input.operand], input.pixel_stride, input.bytes ? 1 : input.bf16 ? 2 : 4);
        for (const ViewOutput& output : outputs_)
            if (output.operand >= 0) map(buffers.outputs[output.operand], output.pixel_stride, output.bf16 ? 2 : 4);
    }

    /// How many units the stage that finalizes the reductions has; unit u is run by `finalize`.
    int64_t finalize_units() const;
    void finalize(int64_t unit, const Buffers& buffers, const double* partials, int64_t slots) const noexcept;

private:
    std::vector<ViewInput> inputs_;
    std::vector<ViewInstruction> code_;
    std::vector<ViewLink> links_;
    std::vector<ViewRun> runs_;
    std::vector<ViewOutput> outputs_;
    std::vector<ViewReduction> reductions_;
    ProgramView view_;
};

}  // namespace liven::kernels
