// Operations that only move values: concat, slice, pad, permute, broadcast and copy, for any rank and element type.
//
// Each is one or more nested copies (MovePart) with a step of src and dst per axis; a step of 0 repeats, which is how
// broadcast and the edges of pad work. Axes that run through memory together are merged and the innermost two go to
// the loops of kernels/isa/move.cpp: rows copied, rows filled, or squares turned. A unit is a share of every part of
// one sample (of the whole, where samples mix), 256 KiB of the result. Nothing is staged: each element is read and
// written once. Expected: memory speed, save for permutations whose innermost axes both jump.
#include "kernels/move/move.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "kernels/by_isa.hpp"
#include "kernels/move/part.hpp"
#include "kernels/step.hpp"
#include "liven/core/attributes.hpp"

namespace liven::kernels {

const MoveKernels& move_kernels_baseline();
const MoveKernels& move_kernels_avx2();
const MoveKernels& move_kernels_avx512();

const MoveKernels& move_kernels(Isa isa) {
    return by_isa(isa, move_kernels_baseline, move_kernels_avx2, move_kernels_avx512)();
}

namespace {

constexpr int64_t kUnitBytes = 256 * 1024;
constexpr int64_t kMaxShares = 64;

/// Elements from one step of an axis to the next.
AxisArray steps_of(const Operand& operand) {
    AxisArray steps{};
    int64_t step = operand.pixel_stride;
    for (int axis = operand.shape.rank() - 1; axis >= 0; --axis) {
        const bool last = axis == operand.shape.rank() - 1;
        steps[static_cast<size_t>(axis)] = last ? 1 : step;
        if (!last) step *= operand.shape[axis];
    }
    return steps;
}

/// The moves of an operation, and whether sample n of the result takes from sample n of the operands only.
struct Moves {
    std::string refusal;
    std::vector<MovePart> parts;
    bool by_sample = false;
    float constant = 0;
};

/// Box [begin, begin + extents) of dst from src, whose steps are per axis of dst.
MovePart box(const Operand& dst, const AxisArray& begin, const Shape& extents, const AxisArray& src_steps) {
    MovePart part;
    const AxisArray steps = steps_of(dst);
    for (size_t axis = 0; axis < static_cast<size_t>(dst.shape.rank()); ++axis) {
        part.dst_offset += begin[axis] * steps[axis];
        part.add({extents[static_cast<int>(axis)], src_steps[axis], steps[axis]});
    }
    return part;
}

std::string refuse_operands(const Problem& problem, size_t inputs) {
    if (problem.prologue[0] || problem.prologue[1] || problem.epilogue)
        return "values are moved as they are: no program runs";
    if (problem.inputs.size() < inputs || problem.inputs.empty() || problem.outputs.size() != 1)
        return "an operand is missing";
    for (const Operand& operand : problem.inputs)
        if (operand.dtype != problem.outputs[0].dtype) return "operands have different types";
    return {};
}

bool same_rank(const Problem& problem) {
    return std::all_of(problem.inputs.begin(), problem.inputs.end(),
                       [&](const Operand& operand) { return operand.shape.rank() == problem.outputs[0].shape.rank(); });
}

Moves concat_moves(const Problem& problem) {
    Moves moves;
    const Operand& dst = problem.outputs[0];
    const int rank = dst.shape.rank();
    const auto wish = static_cast<const ConcatAttributes*>(problem.attributes)->axis;
    if (!same_rank(problem) || wish < -rank || wish >= rank)
        return {.refusal = "the axis is not one of the operands'", .parts = {}};
    const int axis = dst.shape.normalize(static_cast<int>(wish));
    AxisArray begin{};
    for (size_t i = 0; i < problem.inputs.size(); ++i) {
        const Operand& src = problem.inputs[i];
        for (int a = 0; a < rank; ++a)
            if (a != axis && src.shape[a] != dst.shape[a])
                return {.refusal = "operands differ beside the axis", .parts = {}};
        MovePart part = box(dst, begin, src.shape, steps_of(src));
        part.input = static_cast<int>(i);
        moves.parts.push_back(part);
        begin[static_cast<size_t>(axis)] += src.shape[axis];
    }
    if (begin[static_cast<size_t>(axis)] != dst.shape[axis])
        return {.refusal = "the result has another length than the operands", .parts = {}};
    moves.by_sample = axis > 0;
    return moves;
}

Moves slice_moves(const Problem& problem) {
    Moves moves;
    const Operand &src = problem.inputs[0], &dst = problem.outputs[0];
    if (!same_rank(problem)) return {.refusal = "slice keeps the number of axes", .parts = {}};
    const AxisArray& begin = static_cast<const SliceAttributes*>(problem.attributes)->begin;
    const AxisArray steps = steps_of(src);
    MovePart part = box(dst, {}, dst.shape, steps);
    part.input = 0;
    for (int axis = 0; axis < dst.shape.rank(); ++axis) {
        const int64_t first = begin[static_cast<size_t>(axis)];
        if (first < 0 || first + dst.shape[axis] > src.shape[axis])
            return {.refusal = "the slice leaves the operand", .parts = {}};
        part.src_offset += first * steps[static_cast<size_t>(axis)];
    }
    moves.parts.push_back(part);
    moves.by_sample = dst.shape.rank() > 0 && dst.shape[0] == src.shape[0];
    return moves;
}

Moves pad_moves(const Problem& problem) {
    Moves moves;
    const Operand &src = problem.inputs[0], &dst = problem.outputs[0];
    if (!same_rank(problem)) return {.refusal = "pad keeps the number of axes", .parts = {}};
    if (dst.dtype != DType::f32) return {.refusal = "only f32 is padded", .parts = {}};
    const auto& pad = *static_cast<const PadAttributes*>(problem.attributes);
    moves.constant = pad.value;
    // A slab on either side of each axis: inside along the axes before, whole along those after.
    AxisArray begin{};
    Shape extents = dst.shape;
    for (int axis = 0; axis < dst.shape.rank(); ++axis) {
        const int64_t low = pad.low[static_cast<size_t>(axis)], high = pad.high[static_cast<size_t>(axis)];
        if (low < 0 || high < 0 || low + src.shape[axis] + high != dst.shape[axis])
            return {.refusal = "the result has another extent than the padded operand", .parts = {}};
        extents.set(axis, low);
        moves.parts.push_back(box(dst, begin, extents, {}));
        begin[static_cast<size_t>(axis)] = low + src.shape[axis];
        extents.set(axis, high);
        moves.parts.push_back(box(dst, begin, extents, {}));
        begin[static_cast<size_t>(axis)] = low;
        extents.set(axis, src.shape[axis]);
    }
    MovePart part = box(dst, pad.low, src.shape, steps_of(src));
    part.input = 0;
    moves.parts.push_back(part);
    moves.by_sample = dst.shape.rank() > 0 && dst.shape[0] == src.shape[0];
    return moves;
}

Moves permute_moves(const Problem& problem) {
    Moves moves;
    const Operand &src = problem.inputs[0], &dst = problem.outputs[0];
    if (!same_rank(problem)) return {.refusal = "permute keeps the number of axes", .parts = {}};
    const AxisArray& order = static_cast<const PermuteAttributes*>(problem.attributes)->order;
    const AxisArray steps = steps_of(src);
    AxisArray src_steps{};
    uint32_t seen = 0;
    for (int axis = 0; axis < dst.shape.rank(); ++axis) {
        const int64_t from = order[static_cast<size_t>(axis)];
        if (from < 0 || from >= dst.shape.rank())
            return {.refusal = "the order names an axis that is not there", .parts = {}};
        if (dst.shape[axis] != src.shape[static_cast<int>(from)])
            return {.refusal = "the result has another extent than the axis it takes", .parts = {}};
        seen |= 1u << from;
        src_steps[static_cast<size_t>(axis)] = steps[static_cast<size_t>(from)];
    }
    if (seen != (1u << dst.shape.rank()) - 1u) return {.refusal = "the order names an axis twice", .parts = {}};
    MovePart part = box(dst, {}, dst.shape, src_steps);
    part.input = 0;
    moves.parts.push_back(part);
    moves.by_sample = dst.shape.rank() > 0 && order[0] == 0;
    return moves;
}

Moves broadcast_moves(const Problem& problem) {
    Moves moves;
    const Operand &src = problem.inputs[0], &dst = problem.outputs[0];
    if (!same_rank(problem)) return {.refusal = "broadcast keeps the number of axes", .parts = {}};
    AxisArray steps = steps_of(src);
    for (int axis = 0; axis < dst.shape.rank(); ++axis) {
        if (src.shape[axis] != dst.shape[axis] && src.shape[axis] != 1)
            return {.refusal = "only extents of 1 stretch", .parts = {}};
        if (src.shape[axis] == 1) steps[static_cast<size_t>(axis)] = 0;
    }
    MovePart part = box(dst, {}, dst.shape, steps);
    part.input = 0;
    moves.parts.push_back(part);
    moves.by_sample = dst.shape.rank() > 0 && src.shape[0] == dst.shape[0];
    return moves;
}

Moves copy_moves(const Problem& problem) {
    if (!(problem.inputs[0].shape == problem.outputs[0].shape)) return {.refusal = "copy keeps the shape", .parts = {}};
    return broadcast_moves(problem);
}

Moves with_checks(const Problem& problem, Moves (*moves)(const Problem&)) {
    if (std::string reason = refuse_operands(problem, 1); !reason.empty())
        return {.refusal = std::move(reason), .parts = {}};
    return moves(problem);
}

class MoveStep final : public Step {
public:
    MoveStep(const Problem& problem, Moves moves, Isa isa)
        : kernels_(move_kernels(isa)), bytes_(size_of(problem.outputs[0].dtype)), constant_(moves.constant) {
        const Operand& dst = problem.outputs[0];
        const bool by_sample = moves.by_sample && dst.shape[0] > 1;
        const int64_t samples = by_sample ? dst.shape[0] : 1;
        const int64_t result_bytes = dst.shape.count() * static_cast<int64_t>(bytes_) / samples;
        shares_ = std::clamp<int64_t>(result_bytes / kUnitBytes, 1, kMaxShares);
        stages = {{.units = samples * shares_, .samples = samples}};
        for (MovePart& part : moves.parts) {
            Placed placed{part, 0, 0};
            if (by_sample) {  // axis 0 is taken by the units
                placed.src_sample = part.axes[0].src;
                placed.dst_sample = part.axes[0].dst;
                placed.part.axes[0].extent = std::min<int64_t>(part.axes[0].extent, 1);
            }
            placed.part.simplify(bytes_ == 4);
            parts_.push_back(placed);
        }
    }

    void run(int, int64_t unit, const Buffers& buffers) const noexcept override {
        const int64_t sample = unit / shares_;
        auto* dst = static_cast<std::byte*>(buffers.outputs[0]);
        for (const Placed& placed : parts_) {
            const void* src = placed.part.input < 0 ? &constant_ : buffers.inputs[placed.part.input];
            const int64_t element = static_cast<int64_t>(bytes_);
            placed.part.run(static_cast<const std::byte*>(src) + sample * placed.src_sample * element,
                            dst + sample * placed.dst_sample * element, bytes_, unit % shares_, shares_, kernels_);
        }
    }

private:
    struct Placed {
        MovePart part;
        int64_t src_sample, dst_sample;  ///< elements from one sample to the next
    };

    const MoveKernels& kernels_;
    size_t bytes_;
    float constant_;
    int64_t shares_ = 1;
    std::vector<Placed> parts_;
};

double cost(const Problem& problem) { return static_cast<double>(problem.outputs[0].shape.count()) * 2 * 12e-12; }

template <Moves (*moves)(const Problem&)>
KernelInfo entry(std::string_view op, std::string_view name, std::string_view takes, Isa isa) {
    return {.op = op,
            .name = name,
            .isa = isa,
            .tile = "rows, or squares of a vector",
            .takes = takes,
            .refuse = [](const Problem& problem) { return with_checks(problem, moves).refusal; },
            .cost = cost,
            .make = [](const Problem& problem, Isa made_for) -> std::unique_ptr<Step> {
                return std::make_unique<MoveStep>(problem, with_checks(problem, moves), made_for);
            }};
}

}  // namespace

void register_move(std::vector<KernelInfo>& out) {
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
        out.push_back(
            entry<concat_moves>("concat", "concat_strided_copies", "operands that differ along one axis only", isa));
        out.push_back(entry<slice_moves>("slice", "slice_strided_copy", "any box of the operand", isa));
        out.push_back(entry<pad_moves>("pad", "pad_slabs_and_copy_f32", "f32, any padding", isa));
        out.push_back(entry<permute_moves>("permute", "permute_turned_squares", "any order of the axes", isa));
        out.push_back(entry<broadcast_moves>("broadcast", "broadcast_repeated_copy", "any axes of extent 1", isa));
        out.push_back(entry<copy_moves>("copy", "copy_strided", "any shape, any distance between pixels", isa));
    }
}

}  // namespace liven::kernels
