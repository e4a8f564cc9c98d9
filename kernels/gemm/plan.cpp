#include "kernels/gemm/plan.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "kernels/native_bf16.hpp"
#include "kernels/rounding.hpp"
#include "liven/core/window.hpp"

namespace liven::kernels {

namespace {

constexpr int64_t kDepth = 256;                      // a panel of b (256 x 32 floats) is the size of L1
constexpr int64_t kCacheFloats = 192 * 1024;         // 768 KiB of a 1 MiB L2 for the packed blocks
constexpr int64_t kStreamFloats = 8 * 1024 * 1024;   // a dst of 32 MiB has left every cache before it is read again
constexpr int64_t kPartialFloats = 8 * 1024 * 1024;  // workspace for packed operands or partial results
constexpr int64_t kMemoryFloats = 4 * 1024 * 1024;
constexpr double kUnitCycles = 1000;  // to start a unit
constexpr int64_t kWorkers = 8;       // units are balanced for this many cores, whatever the machine has

/// Whether `strip` rows of a matrix, `row` floats apart, stay side by side in L1, which has 64 sets of 8 ways.
bool rows_share_cache(int64_t row, int64_t strip) {
    const int64_t bytes = row * static_cast<int64_t>(sizeof(float));
    if (strip <= 4 || bytes % 64 != 0) return true;
    int64_t lines = bytes / 64, sets = 64;
    while (lines % 2 == 0 && sets > 1) {
        lines /= 2;
        sets /= 2;
    }
    return ceil_div(strip, sets) <= 3;
}

/// The largest extent of `parts` nearly equal parts that are multiples of `grain`.
int64_t part_of(int64_t total, int64_t parts, int64_t grain) {
    return std::min(total, ceil_div(ceil_div(total, parts), grain) * grain);
}

Operand operand_a(const Problem& problem) {
    if (!problem.prologue[0]) return problem.inputs[0];
    const Shape& shape = problem.prologue_shape[0];
    return {.shape = shape, .dtype = DType::f32, .pixel_stride = shape.rank() == 0 ? 1 : shape[-1]};
}

int64_t leading(const Shape& shape) {
    int64_t total = 1;
    for (int axis = 0; axis + 2 < shape.rank(); ++axis) total *= shape[axis];
    return total;
}

GemmMatrix matrix_of(const Operand& operand, bool transposed, bool shared) {
    return {.row = operand.pixel_stride,
            .batch = shared ? 0 : operand.shape[-2] * operand.pixel_stride,
            .transposed = transposed};
}

bool same_leading(const Shape& a, const Shape& b) {
    if (a.rank() != b.rank()) return false;
    for (int axis = 0; axis + 2 < a.rank(); ++axis)
        if (a[axis] != b[axis]) return false;
    return true;
}

std::string read_sizes(const Problem& problem, GemmPlan& plan) {
    const size_t own = problem.prologue[0] ? 1 : 2;
    if (problem.inputs.size() < own || problem.outputs.empty()) return "matmul has two operands and one result";
    if (problem.prologue[1]) return "a program cannot make operand b: every unit would run it again";
    const Operand a = operand_a(problem), b = problem.inputs[own - 1];
    for (const Operand* operand : {&a, &b})
        if (operand->dtype != DType::f32 && operand->dtype != DType::bf16) return "operands are not f32 or bf16";
    plan.a_bf16 = a.dtype == DType::bf16;
    plan.b_bf16 = b.dtype == DType::bf16;
    if (a.shape.rank() < 2 || b.shape.rank() < 2) return "operands have fewer than two axes";
    const bool shared = b.shape.rank() == 2;
    if (!shared && !same_leading(a.shape, b.shape)) return "the batch axes differ";
    const auto& attributes = *static_cast<const MatmulAttributes*>(problem.attributes);
    plan.a = matrix_of(a, attributes.transpose_a, a.shape.rank() == 2);
    plan.b = matrix_of(b, attributes.transpose_b, shared);
    plan.m = a.shape[attributes.transpose_a ? -1 : -2];
    plan.k = a.shape[attributes.transpose_a ? -2 : -1];
    plan.n = b.shape[attributes.transpose_b ? -2 : -1];
    if (b.shape[attributes.transpose_b ? -1 : -2] != plan.k) return "the inner extents differ";
    plan.batch = leading(a.shape);
    plan.samples = a.shape.rank() > 2 ? std::max<int64_t>(a.shape[0], 1) : 1;
    if (!problem.epilogue) {
        const Operand& dst = problem.outputs[0];
        if (dst.dtype != DType::f32) return "the result is not f32";
        if (dst.shape.count() != plan.batch * plan.m * plan.n || dst.channels() != plan.n)
            return "the result has another shape than the product";
        plan.dst_row = dst.pixel_stride;
    }
    // A shared b sees all rows of a sample, or of the whole batch when a sample has few, as one matrix.
    if (shared && !attributes.transpose_a && plan.batch > 1) {
        const int64_t matrices = plan.batch * plan.m / plan.samples >= 96 ? plan.samples : 1;
        plan.m = plan.batch * plan.m / matrices;
        plan.a.batch = plan.m * plan.a.row;
        plan.batch = plan.samples = matrices;
    }
    plan.dst_batch = plan.m * plan.dst_row;
    plan.inner = plan.k;
    return {};
}

/// Counts k in pairs, or says why the products cannot be dot products of bf16. Weights in f32 are rounded, maps are
/// not.
std::string take_pairs(const Problem& problem, GemmPlan& plan) {
    const Program* made = problem.prologue[0];
    if (made ? !reads_bf16(*made, problem) : !plan.a_bf16) return "expected operand a in bf16, got f32";
    if (made && plan.a.transposed) return "a program makes operand a, which is transposed";
    if (!plan.b_bf16 && plan.a.transposed) return "expected both operands of a gradient in bf16, got b in f32";
    if (!plan.b_bf16 && problem.inputs[made ? 0 : 1].shape.rank() != 2)
        return "expected one matrix of weights, or b in bf16";
    if (std::string reason = refuse_bf16_dots(problem.strict_math); !reason.empty()) return reason;
    if (!plan.a.transposed && (plan.k % 2 != 0 || plan.a.row % 2 != 0))
        return "expected rows of pairs, got " + std::to_string(plan.k) + " values " + std::to_string(plan.a.row) +
               " apart";
    plan.step_size = 2;
    plan.k = ceil_div(plan.inner, 2);
    return {};
}

void set_units(GemmPlan& plan, int64_t unit_m, int64_t unit_n, int64_t unit_k) {
    plan.unit_m = unit_m;
    plan.unit_n = unit_n;
    plan.unit_k = unit_k;
    plan.units_m = ceil_div(plan.m, unit_m);
    plan.units_n = ceil_div(plan.n, unit_n);
    plan.units_k = std::max<int64_t>(ceil_div(plan.k, unit_k), 1);
}

/// Which operand blocks are read in place. b: when one strip of rows uses it, or when few do and its block is one piece
/// of memory; more strips would find its rows pushed out of L1.
void choose_packing(GemmPlan& plan, const GemmKernels& kernels, bool made) {
    plan.strip = ceil_div(plan.unit_m, ceil_div(plan.unit_m, kernels.rows));
    // Of several blocks of k, only packed rows of a follow each other, as the prefetch of the next strip wants them.
    plan.a_direct = !plan.a.transposed && (made || plan.k <= plan.block_k) &&
                    rows_share_cache(made ? plan.block_k : plan.a.row, plan.strip);
    const bool piece = plan.unit_n == plan.n && plan.b.row == plan.n && plan.n <= 256 && plan.m <= 4 * kernels.rows;
    plan.b_direct = !plan.b.transposed && (plan.m <= kernels.rows || piece);
    if (plan.dots()) plan.a_direct = plan.b_direct = false;
    // Only the row of eight vectors widens on the way into the registers.
    else if (plan.b_bf16)
        plan.b_direct = plan.m == 1 && std::gcd(plan.n, plan.unit_n) % kernels.row_columns == 0;
}

/// Time over the bare FMAs for these units: reading and packing (cycles a value), tile shapes, idle workers at the end.
double overhead(const GemmPlan& plan, const GemmKernels& kernels) {
    const auto real = [](int64_t value) { return static_cast<double>(std::max<int64_t>(value, 1)); };
    const double lanes = real(kernels.lanes);
    // Cycles a value; what no cache holds comes from memory again for every unit.
    const double a_memory = plan.m * plan.k > kMemoryFloats ? 0.6 : 0.0,
                 b_memory = plan.k * plan.n > kMemoryFloats ? 0.6 : 0.0;
    double a_cost = a_memory + (plan.a_direct ? 0.25 : plan.a.transposed ? 0.45 : 0.7);
    double b_cost = b_memory + (plan.b_direct ? 0.25 : plan.b.transposed ? 0.7 : 0.45);
    if (plan.dots()) {  // cycles a pair
        if (plan.a.transposed) a_cost += 0.45;
        b_cost += plan.b_bf16 ? 0.45 : b_memory + 1.1;  // weights are read as two floats, and rounded
    }
    // Cycles for one vector FMA of the unit; what is packed ahead is packed once but still read by every unit.
    double cycles = kUnitCycles / (real(plan.unit_m) * real(plan.unit_n) * real(plan.unit_k));
    if (plan.packed_ahead)
        cycles += a_cost / real(plan.n) + b_cost / real(plan.m) + 0.15 / real(plan.unit_n) + 0.15 / real(plan.unit_m);
    else
        cycles += a_cost / real(plan.unit_n) + b_cost / real(plan.unit_m);
    cycles += (plan.k > plan.block_k ? 0.15 : 0.0) / real(plan.block_k);  // sums that grow in scratch
    if (plan.units_k > 1) cycles += 1.0 / real(plan.unit_k);              // written, read and added once more
    const double step = 1.0 + 1.0 / real(plan.strip);                     // short tiles are limited by their loads
    const double columns = real(ceil_div(plan.n, kernels.lanes) * kernels.lanes) / real(plan.n);
    const double rounds = real(ceil_div(plan.units(), kWorkers) * kWorkers) / real(plan.units());
    return (1.0 + cycles * lanes) * step * columns * std::min(rounds, 4.0);
}

int64_t packed_floats(const GemmPlan& plan) { return (plan.unit_m + plan.unit_n) * plan.block_k; }

void cut_tiles(GemmPlan& plan, const GemmKernels& kernels, bool made) {
    GemmPlan best;
    best.overhead = std::numeric_limits<double>::infinity();
    const bool may_pack_ahead = !made && plan.batch == 1 && std::min({plan.m, plan.n, plan.k}) >= 256 &&
                                std::max(plan.m, plan.n) * plan.k <= kPartialFloats;
    static constexpr std::array<int64_t, 8> kStrips{1, 2, 4, 8, 16, 32, 43, 64}, kPanels{1, 2, 4, 6, 8, 16, 24, 32};
    for (const int64_t strips : kStrips) {
        for (const int64_t panels : kPanels) {
            const int64_t unit_m = part_of(plan.m, ceil_div(plan.m, strips * kernels.rows), kernels.rows);
            const int64_t unit_n = part_of(plan.n, ceil_div(plan.n, panels * kernels.columns), kernels.columns);
            if (unit_n > 512 || (made && unit_n < plan.n)) continue;
            set_units(plan, unit_m, unit_n, std::max<int64_t>(plan.k, 1));
            if (packed_floats(plan) > kCacheFloats) continue;
            choose_packing(plan, kernels, made || plan.a_bf16);
            plan.packed_ahead = false;
            plan.overhead = overhead(plan, kernels);
            if (plan.overhead < best.overhead) best = plan;
            if (!may_pack_ahead) continue;
            plan.packed_ahead = true;
            plan.a_direct = plan.b_direct = false;
            plan.overhead = overhead(plan, kernels);
            if (plan.overhead < best.overhead) best = plan;
        }
    }
    plan = best;
}

void cut_k(GemmPlan& plan, const GemmKernels& kernels, bool made) {
    set_units(plan, part_of(plan.m, ceil_div(plan.m, 256), kernels.rows),
              part_of(plan.n, ceil_div(plan.n, 256), kernels.columns), plan.k);
    const int64_t natural = plan.units();
    int64_t chunks = std::min(ceil_div(64, natural), plan.k / 512);
    chunks = std::min(chunks, kPartialFloats / std::max<int64_t>(plan.batch * plan.m * plan.n, 1));
    chunks = std::max<int64_t>(chunks, 1);
    set_units(plan, plan.unit_m, plan.unit_n, part_of(plan.k, chunks, plan.block_k));
    choose_packing(plan, kernels, made || plan.a_bf16);
    plan.overhead = overhead(plan, kernels);
}

/// The turned form: the rows are those of b, as many as make 256 KiB; a is packed once a unit.
void cut_turned(GemmPlan& plan, const GemmKernels& kernels) {
    const int64_t wanted = std::min(64 * 1024 / std::max<int64_t>(plan.k, 1), plan.m / 32);
    const int64_t rows = std::clamp<int64_t>(wanted, kernels.rows * 8, 2048);
    set_units(plan, part_of(plan.m, ceil_div(plan.m, rows), kernels.rows), plan.n, std::max<int64_t>(plan.k, 1));
    choose_packing(plan, kernels, false);
    plan.overhead = overhead(plan, kernels);
}

}  // namespace

std::string plan_gemm(const Problem& problem, GemmForm form, GemmProducts products, const GemmKernels& kernels,
                      GemmPlan& plan) {
    plan = GemmPlan{};
    plan.form = form;
    if (std::string reason = read_sizes(problem, plan); !reason.empty()) return reason;
    const bool made = problem.prologue[0] != nullptr;
    if (plan.batch * plan.m * plan.n == 0) return "the result is empty";
    if (plan.b_bf16 && plan.b.transposed) return "operand b is bf16 and transposed";
    if (products == GemmProducts::dots)
        if (std::string reason = take_pairs(problem, plan); !reason.empty()) return reason;
    plan.stream = !problem.epilogue && !plan.b_bf16 && plan.samples == 1 && form == GemmForm::tiles &&
                  plan.batch * plan.m * plan.n >= kStreamFloats && plan.n % kernels.lanes == 0 &&
                  plan.dst_row % kernels.lanes == 0;
    const int64_t blocks = std::max<int64_t>(ceil_div(plan.k, kDepth), 1);
    plan.block_k = std::max<int64_t>(part_of(plan.k, blocks, 8), 1);
    switch (form) {
        case GemmForm::tiles:
            if (made && plan.n > 512) return "a program cannot make operand a: blocks of columns would run it again";
            cut_tiles(plan, kernels, made);
            break;
        case GemmForm::split_k:
            if (plan.k < 1024) return "k is too short to be split";
            if (made && (plan.m > 256 || plan.n > 256))
                return "a program cannot make operand a: blocks would run it again";
            cut_k(plan, kernels, made);
            if (plan.units_k < 2) return "the result alone gives enough units";
            break;
        case GemmForm::turned:
            if (!plan.b.transposed) return "b is not transposed";
            if (plan.a_bf16) return "operand a is bf16";
            if (made) return "a program cannot make operand a: every unit packs it";
            if (plan.m > 32 || plan.n < 8 * plan.m) return "dst does not have few, long rows";
            std::swap(plan.a, plan.b);
            std::swap(plan.m, plan.n);
            plan.a.transposed = !plan.a.transposed;
            plan.b.transposed = !plan.b.transposed;
            cut_turned(plan, kernels);
            break;
    }
    return {};
}

}  // namespace liven::kernels
