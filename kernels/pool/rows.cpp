#include "kernels/pool/rows.hpp"

#include <algorithm>

#include "kernels/rounding.hpp"

namespace liven::kernels {
namespace {

constexpr int64_t kUnitFloats = 32 * 1024;

std::string refuse_operand(const Operand& operand) {
    if (operand.shape.rank() != 4) return "an operand is not N x H x W x C";
    if (operand.dtype != DType::f32 && operand.dtype != DType::bf16) return "an operand is neither f32 nor bf16";
    return {};
}

}  // namespace

PoolOperands parse_pool(const Problem& problem, int operands) {
    PoolOperands out;
    size_t next = 0;
    for (int i = 0; i < operands; ++i) {
        if (const Program* program = problem.prologue[i]) {
            const Shape& shape = problem.prologue_shape[i];
            if (shape.rank() != 4)
                return {.refusal = "the operand a prologue makes is not N x H x W x C", .maps = {}, .result = {}};
            if (!program->reductions.empty())
                return {.refusal = "the prologue sums, but a unit may make rows twice", .maps = {}, .result = {}};
            out.maps[i] = {
                .shape = shape, .operand = -1, .pixel_stride = shape[3], .program = program, .workspace_offset = 0};
            continue;
        }
        if (next >= problem.inputs.size()) return {.refusal = "an operand is missing", .maps = {}, .result = {}};
        const Operand& operand = problem.inputs[next];
        if (out.refusal = refuse_operand(operand); !out.refusal.empty()) return out;
        const bool widened = operand.dtype == DType::bf16;
        out.maps[i] = {.shape = operand.shape,
                       .operand = widened ? -1 : static_cast<int>(next),
                       .pixel_stride = widened ? operand.channels() : operand.pixel_stride,
                       .program = widened ? &widening_program(static_cast<int>(next)) : nullptr,
                       .workspace_offset = 0};
        ++next;
    }
    if (problem.outputs.empty()) return {.refusal = "there is no result", .maps = {}, .result = {}};
    out.result =
        problem.epilogue && problem.epilogue_shape.rank() > 0 ? problem.epilogue_shape : problem.outputs[0].shape;
    if (out.result.rank() != 4) out.refusal = "the result is not N x H x W x C";
    if (!problem.epilogue && problem.outputs[0].dtype != DType::f32 && problem.outputs[0].dtype != DType::bf16)
        out.refusal = "the result is neither f32 nor bf16";
    if (out.result.rank() == 4 && (out.result[0] != out.maps[0].shape[0] || out.result[3] != out.maps[0].shape[3]))
        out.refusal = "the result has other samples or channels than the operand";
    if (out.refusal.empty() && (out.result.count() == 0 || out.maps[0].shape.count() == 0))
        out.refusal = "a map is empty";
    return out;
}

int64_t pool_unit_rows(const Shape& result, int64_t floats_a_row, int64_t grain) {
    const int64_t rows = std::max<int64_t>(kUnitFloats / std::max<int64_t>(floats_a_row, 1), 1);
    return std::min((rows + grain - 1) / grain * grain, result[1]);
}

PoolRowsStep::PoolRowsStep(const Problem& problem, const Shape& result, const Options& options, Isa isa)
    : result_(result),
      options_(options),
      units_a_sample_((result[1] + options.unit_rows - 1) / options.unit_rows),
      sink_(problem, result, options.together ? options.unit_rows : 1, result[0] * units_a_sample_, isa) {
    stages = {{.units = result[0] * units_a_sample_,
               .samples = result[0],
               .completes_maps = true,
               .in_row_order = true,
               .reach = options.reach}};
    reserve(sink_.scratch_bytes());
    sink_.place(0);
    workspace_bytes = sink_.workspace_bytes();
    if (sink_.reduces()) stages.push_back({.units = sink_.finalize_units(), .samples = 1});
}

size_t PoolRowsStep::reserve(size_t bytes) {
    const size_t offset = scratch_bytes;
    scratch_bytes += whole_lines(bytes);
    return offset;
}

void PoolRowsStep::run(int stage, int64_t unit, const Buffers& buffers) const noexcept {
    if (stage > 0) return sink_.finalize(unit, buffers);
    const int64_t sample = unit / units_a_sample_, first = unit % units_a_sample_ * options_.unit_rows;
    RowSink::Rows rows(sink_, buffers, buffers.scratch, sample, unit);
    make_rows({sample, first, std::min(first + options_.unit_rows, result_[1]), buffers}, rows);
}

}  // namespace liven::kernels
