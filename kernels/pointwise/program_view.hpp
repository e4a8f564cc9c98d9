#pragma once

#include <cstdint>

#include "kernels/program.hpp"
#include "kernels/step.hpp"

/// A pointwise program as the kernels run it: plain data, made once by CompiledProgram
/// (kernels/pointwise/compiled_program.hpp) and called by every kernel that has a prologue or an epilogue. One
/// interpreter exists per ISA; the view carries the pointers to it, so a convolution does not compile its own.
///
/// How a kernel uses it, in one unit of work (scratch: view.scratch_floats floats of this thread, 64-byte aligned):
///
///     view.clear(view, slot, 0, C);                          // once per partial slot, when view.partial_doubles > 0
///     view.prepare(view, buffers, sample, 0, C, scratch);    // when the sample or the channel range changes
///     view.run(view, buffers, {.sample = n, .first_pixel = p, .pixels = w, .core = row}, scratch, slot);   // per row
///
/// and in a later stage, after all units, `view.finalize` turns the slots into the results of the reductions.
namespace liven::kernels {

/// A view has fewer registers than this.
inline constexpr int64_t register_limit = 512;

/// A run of pixels of one sample, all channels or a range of them.
struct Chunk {
    int64_t sample = 0;
    int64_t first_pixel = 0;
    int64_t pixels = 0;
    int64_t first_channel = 0;    ///< the range given to `prepare`
    int64_t channels = 0;         ///< 0: all C
    const float* core = nullptr;  ///< values of operand -1 among the inputs, from (first_pixel, first_channel) on
    int64_t core_stride = 0;      ///< floats from one pixel to the next; 0: dense (the chunk's channels)
    float* sink = nullptr;        ///< takes operand -1 of the outputs, likewise
    int64_t sink_stride = 0;
};

/// How a register's pixels lie.
enum class Layout : uint8_t {
    row,      ///< side by side
    repeats,  ///< an operand by channel or a scalar: the same for all of them
    next,     ///< as `map`, of a tile that comes later
    map,      ///< in a dense operand, C channels apart
    core,     ///< in the core's rows
    sink,     ///< in the sink's
    count
};

struct ViewInput {
    int32_t operand = 0;  ///< -1: the core
    Access access = Access::full;
    bool wide = false;         ///< i64, read by dropout straight from the operand
    bool bytes = false;        ///< u8, widened into the row
    int32_t row = -1;          ///< scratch row for its copy: replicated channels, or pixels gathered from a stride
    int64_t pixel_stride = 0;  ///< elements to the next pixel (full, pixel) or sample (sample_channel)
    bool fetched = false;      ///< a chain has it fetched ahead
    bool bf16 = false;         ///< as it lies in memory (full)
    bool widened = false;      ///< bf16 that something reads as floats: widened into its row first
    Layout layout = Layout::row;
};

struct ViewInstruction {
    Opcode op{};
    uint16_t dst = 0, a = 0, b = 0, c = 0;
    int32_t row = -1;     ///< scratch row of dst
    int32_t output = -1;  ///< the output that dst may be written to directly, unless that destroys a late input
    float imm0 = 0, imm1 = 0;
    uint32_t key = 0;
    bool narrows = false;         ///< a copy: dst is written as bf16
    Layout layout = Layout::row;  ///< of dst
};

/// A piece of code of one ISA, called by those that know its signature only: kernels/pointwise/links.hpp.
using AnyLink = void (*)();

/// One step of a chain: what it does to the block of values that the step before handed on in vector registers.
struct ViewLink {
    AnyLink run = nullptr;
    uint16_t a = 0, b = 0;  ///< registers it reads from memory, or (a) the one it stores
    Layout layout_a = Layout::row, layout_b = Layout::row;
    float imm0 = 0, imm1 = 0;
};

/// Instructions that are run together: as a chain, block after block, or a single one over the whole tile.
struct ViewRun {
    int32_t first = 0, count = 0;  ///< instructions
    int32_t link = -1;             ///< where its chain begins; -1: no chain
};

struct ViewOutput {
    uint16_t source = 0;
    int32_t operand = 0;  ///< -1: the sink
    int64_t pixel_stride = 0;
    bool fetched = false;
    bool bf16 = false;
    uint64_t late_inputs = 0;     ///< by input: read after the output has been made
    Layout layout = Layout::row;  ///< of its source
};

struct ViewReduction {
    Reduction::Kind kind = Reduction::Kind::sum;
    Reduction::Over over = Reduction::Over::pixels_and_samples;
    uint16_t source = 0;
    Layout layout = Layout::row;  ///< of its source
    int32_t operand = 0, operand2 = -1;
    int64_t slot_offset = 0;  ///< doubles; sum: C sums. moments: C counts, C means, C sums of squared deviations
    int64_t block_offset =
        0;  ///< floats in scratch: the running block. sum: C sums. moments: C shifts, C sums, C squares
};

struct ProgramView {
    /// Replicates what does not change along the pixels of `sample` into scratch, for this channel range.
    void (*prepare)(const ProgramView&, const Buffers&, int64_t sample, int64_t first_channel, int64_t channels,
                    float* scratch) noexcept = nullptr;
    /// Runs the program over the chunk and adds its reductions to `slot` (null without reductions).
    void (*run)(const ProgramView&, const Buffers&, const Chunk&, float* scratch, double* slot) noexcept = nullptr;
    /// Empties the channels of one partial slot.
    void (*clear)(const ProgramView&, double* slot, int64_t first_channel, int64_t channels) noexcept = nullptr;
    /// Merges `slots` slots (partial_doubles apart, sample-major: slot s belongs to sample s / (slots / N)) in their
    /// order and writes the results of channels [first_channel, +channels); whoever has channel 0 writes the reductions
    /// over everything.
    void (*finalize)(const ProgramView&, const Buffers&, const double* partials, int64_t slots, int64_t first_channel,
                     int64_t channels) noexcept = nullptr;

    int64_t samples = 0, pixels = 0, channels = 0;  ///< N, P, C
    int64_t row_floats = 0;                         ///< most values one instruction works on at a time
    int64_t row_stride = 0;                         ///< floats from one scratch row to the next
    int64_t scratch_floats = 0;                     ///< of one thread
    int64_t partial_doubles = 0;                    ///< of one slot; 0 without reductions

    bool native_bf16 = false;  ///< the CPU rounds to bf16 by an instruction
    /// All instructions run as chains: where a pixel's channels are whole blocks, every operand is read and written
    /// where it lies, whatever its layout, and nothing is gathered, scattered or repeated for each pixel.
    bool all_chained = false;

    const ViewInput* inputs = nullptr;
    const ViewInstruction* code = nullptr;
    const ViewLink* links = nullptr;
    const ViewRun* runs = nullptr;
    const ViewOutput* outputs = nullptr;
    const ViewReduction* reductions = nullptr;
    int32_t input_count = 0, code_count = 0, run_count = 0, output_count = 0, reduction_count = 0;
};

}  // namespace liven::kernels
