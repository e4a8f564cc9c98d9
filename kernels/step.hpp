#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/program.hpp"
#include "liven/core/dtype.hpp"
#include "liven/core/isa.hpp"
#include "liven/core/shape.hpp"

/// The contract between planner, executor and kernels.
namespace liven::kernels {

/// Where a tensor lies: a pixel's channels are contiguous, the next pixel is `pixel_stride` elements on. A slice of a
/// concatenation has a pixel stride wider than its channels.
struct Operand {
    Shape shape;
    DType dtype = DType::f32;
    int64_t pixel_stride = 0;  ///< elements; equal to the last extent when dense

    int64_t channels() const { return shape.rank() == 0 ? 1 : shape[-1]; }
    bool dense() const { return pixel_stride == channels(); }
};

/// What a step has to compute, sizes and all, but no pointers. Inputs are the operation's own operands first (conv2d:
/// src, weights, bias...), then whatever the programs read.
struct Problem {
    std::string_view op;  ///< "conv2d", "pointwise", "matmul", ...
    std::vector<Operand> inputs;
    std::vector<Operand> outputs;
    const void* attributes =
        nullptr;  ///< the op's structural attributes, e.g. Conv2dAttributes; valid while making the step
    const Program* prologue[2] = {nullptr,
                                  nullptr};  ///< makes operand 0 / 1 row by row instead of reading it; null: read it
    const Program* epilogue = nullptr;       ///< takes the result row by row instead of storing it; null: store it
    Shape prologue_shape[2];  ///< shape of the operand a prologue makes; that operand is then absent from `inputs`
    Shape epilogue_shape;     ///< shape of the core's result when an epilogue takes it; rank 0: that of its first full
                              ///< output
    bool strict_math = false;
};

/// Values of all inputs and outputs together: the cost of a step that waits for memory is in proportion to them.
double values_moved(const Problem& problem);

/// Bytes between the scratch of one thread and what another writes. The CPU reads on past what a loop reads, for some
/// kilobytes; where that is what another core is writing, each waits for the other.
inline constexpr size_t scratch_gap = 16 * 1024;

/// Whether the program makes its values of a map in bf16, so that rounding them to bf16 again loses no more than that
/// did.
bool reads_bf16(const Program& program, const Problem& problem);

/// The pointers of one run.
struct Buffers {
    const void* const* inputs = nullptr;
    void* const* outputs = nullptr;
    std::byte* workspace = nullptr;  ///< shared by all units of the step, 64-byte aligned, workspace_bytes
    std::byte* scratch = nullptr;    ///< this thread's own, 64-byte aligned, scratch_bytes
};

/// A prepared computation. Stages run one after the other, those that walk samples sample by sample; the units of a
/// stage in any order on any thread. Units are cut by shape alone, never by thread count, and partial sums are added in
/// a fixed order: the same bits for every number of threads. `run` allocates nothing, throws nothing and opens no
/// parallel region.
class Step {
public:
    struct Stage {
        int64_t units = 1;
        /// Stages whose unit u touches only sample u / (units / samples) of every batched operand, and of what earlier
        /// stages that do the same left in the workspace, may be walked sample by sample together with their
        /// neighbours; 1 when a stage reads or writes across samples.
        int64_t samples = 1;
        /// The only input it reads, by which it can run before the others are there (packing weights), and which no
        /// later stage reads again; -1: all the others.
        int reads = -1;
        /// After this stage every output is complete but the program's reductions.
        bool completes_maps = false;
        /// Once the first u of the n units of a sample have run, the first u / n of its rows are complete.
        bool in_row_order = false;
        /// Unit u of the n units of a sample reads no row of the sample's maps beyond the share (u + 1) / n + reach of
        /// them; 1: any row.
        double reach = 1;
    };

    virtual ~Step() = default;
    virtual void run(int stage, int64_t unit, const Buffers& buffers) const noexcept = 0;

    std::vector<Stage> stages{Stage{}};
    /// Its epilogue takes each place of the result once, and only it writes the maps: one of them may lie where an
    /// operand lies that the epilogue alone reads, place by place.
    bool visits_once = false;
    size_t workspace_bytes = 0;
    size_t scratch_bytes = 0;
};

/// One way to compute an operation.
struct KernelInfo {
    std::string_view op;
    std::string_view name;  ///< a sentence: conv2d_fwd_direct_nhwc_oc16x8_f32
    Isa isa = Isa::baseline;
    std::string_view tile;
    std::string_view takes;  ///< what `refuse` lets pass, in a line
    /// Why this kernel cannot take the problem, or an empty string when it can.
    std::string (*refuse)(const Problem&) = nullptr;
    /// Expected time in units of one FMA-peak second per TFLOP: only the order among accepting kernels matters.
    double (*cost)(const Problem&) = nullptr;
    std::unique_ptr<Step> (*make)(const Problem&, Isa) = nullptr;
};

/// All kernels of all ISAs, in a fixed order.
const std::vector<KernelInfo>& registry();

/// Each family adds its own (kernels/registry.cpp calls them in order).
void register_pointwise(std::vector<KernelInfo>& out);
void register_conv2d_direct(std::vector<KernelInfo>& out);
void register_winograd(std::vector<KernelInfo>& out);
void register_gemm(std::vector<KernelInfo>& out);
void register_pool(std::vector<KernelInfo>& out);
void register_resize(std::vector<KernelInfo>& out);
void register_reduce(std::vector<KernelInfo>& out);
void register_move(std::vector<KernelInfo>& out);

/// Corrects the estimated costs of these kernels by what was measured over a convolution that is near
/// (kernels/conv2d/measured_costs.hpp), and says over which; an empty string where they stay as they are.
std::string correct_by_measurements(const Problem& problem, Isa isa, const std::vector<const KernelInfo*>& kernels,
                                    std::vector<double>& costs);

/// The cheapest accepting kernel of the ISA, and why no other; `chosen` is null when none accepts.
struct Choice {
    const KernelInfo* chosen = nullptr;
    bool measured = false;  ///< by the times of the active tuning table, not by the kernels' own costs
    std::string near;       ///< or by shares of the peak measured over this shape (kernels/conv2d/measured_costs.hpp)
    std::vector<std::pair<const KernelInfo*, std::string>> refused;
    std::vector<std::pair<const KernelInfo*, double>> slower;  ///< accept too, at so many times the chosen one's cost
};
/// Kernels of the ISA that accept the problem, in the registry's order; `refused` gets the others, unless null.
std::vector<const KernelInfo*> accepting(const Problem& problem, Isa isa,
                                         std::vector<std::pair<const KernelInfo*, std::string>>* refused = nullptr);
Choice choose(const Problem& problem, Isa isa);

}  // namespace liven::kernels
