#include "kernels/maps/normalized_rows.hpp"

#include "kernels/by_isa.hpp"

namespace liven::kernels {

void normalize_row_baseline(const NormalizedRow&) noexcept;
void normalize_row_avx2(const NormalizedRow&) noexcept;
void normalize_row_avx512(const NormalizedRow&) noexcept;

NormalizeRow normalize_row(Isa isa) {
    return by_isa(isa, normalize_row_baseline, normalize_row_avx2, normalize_row_avx512);
}

std::optional<Normalization> Normalization::of(const Program& program, std::span<const Operand> inputs, Isa isa) {
    Normalization out;
    if (!out.read(program)) return std::nullopt;
    const Operand& operand = inputs[static_cast<size_t>(out.operand_)];
    if (operand.channels() % 16 != 0) return std::nullopt;
    out.stride_ = operand.pixel_stride;
    out.is_bf16_ = operand.dtype == DType::bf16;
    out.row_ = normalize_row(isa);
    return out;
}

bool Normalization::read(const Program& program) {
    if (program.outputs.size() != 1 || program.outputs[0].operand >= 0 || !program.reductions.empty()) return false;
    int value = -1;  // the register of the value under way
    for (size_t i = 0; i < program.inputs.size(); ++i) {
        const ProgramInput& input = program.inputs[i];
        if (input.access == Access::channel) continue;
        if (input.access != Access::full || input.operand < 0 || value >= 0) return false;
        value = static_cast<int>(i);
        operand_ = input.operand;
    }
    const auto channel = [&](uint8_t reg, int& to) {
        if (reg >= program.inputs.size() || program.inputs[reg].access != Access::channel) return false;
        to = program.inputs[reg].operand;
        return true;
    };
    for (const Instruction& i : program.code) {
        if (i.a != value) return false;
        const bool normalized = scale_ >= 0;
        bool known = false;
        if (i.op == Opcode::leaky_relu) known = activate({.slope = i.imm0}, normalized);
        if (i.op == Opcode::relu) known = activate({.least = 0}, normalized);
        if (i.op == Opcode::sub) known = !normalized && mean_ < 0 && channel(i.b, mean_);
        if (i.op == Opcode::mad) known = !normalized && channel(i.b, scale_) && channel(i.c, shift_);
        if (!known) return false;
        value = i.dst;
    }
    return scale_ >= 0 && program.outputs[0].source == value;
}

bool Normalization::activate(RowActivation with, bool normalized) {
    if ((!normalized && mean_ >= 0) || (normalized ? acts_behind_ : acts_before_)) return false;
    (normalized ? behind_ : before_) = with;
    (normalized ? acts_behind_ : acts_before_) = true;
    return true;
}

void Normalization::run(const Buffers& buffers, int64_t first, int64_t channel, NormalizedRow row) const noexcept {
    const auto input = [&](int operand) {
        return operand < 0 ? nullptr : static_cast<const float*>(buffers.inputs[operand]) + channel;
    };
    const int64_t size = is_bf16_ ? 2 : 4;
    row.src = static_cast<const std::byte*>(buffers.inputs[operand_]) + (first * stride_ + channel) * size;
    row.src_is_bf16 = is_bf16_;
    row.src_step = stride_;
    row.mean = input(mean_);
    row.scale = input(scale_);
    row.shift = input(shift_);
    row.before = before_;
    row.behind = behind_;
    row_(row);
}

}  // namespace liven::kernels
