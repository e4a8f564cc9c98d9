#include "kernels/gemm/step.hpp"
#include "kernels/rounding.hpp"

// How blocks of the operands come into cache: read in place, packed, or made by a prologue.

namespace liven::kernels {

/// The unit's rows of a, `depth` steps from k on, as they are stored, or widened; made by the prologue when there is
/// one.
GemmBlock GemmStep::stored_a(const GemmUnit& unit, int64_t k, int64_t depth, const Buffers& buffers) const {
    const int64_t first_row = plan_.a.transposed ? k : unit.m0, first_column = plan_.a.transposed ? unit.m0 : k;
    const int64_t rows = plan_.a.transposed ? depth : unit.m1 - unit.m0;
    const int64_t columns = plan_.a.transposed ? unit.m1 - unit.m0 : depth;
    const int64_t at = unit.batch * plan_.a.batch + first_row * plan_.a.row + first_column;
    if (plan_.a_bf16) {
        float* widened = scratch(buffers, made_a_);
        const auto* a = static_cast<const uint16_t*>(buffers.inputs[a_input_]) + at;
        kernels_.pack_bf16(a, plan_.a.row, rows, 1, columns, widened, columns, 0);
        return {widened, columns, nullptr};
    }
    if (!prologue_) return {static_cast<const float*>(buffers.inputs[a_input_]) + at, plan_.a.row, nullptr};
    const ProgramView& view = prologue_->view();
    const int64_t rows_a_batch = plan_.a.transposed ? plan_.k : plan_.m;
    float* made = scratch(buffers, made_a_);
    float* own = scratch(buffers, prologue_scratch_);
    run_rows(view, buffers, unit.batch * rows_a_batch + first_row, rows,
             {.first_channel = first_column, .channels = columns, .sink = made, .sink_stride = columns}, own, nullptr);
    return {made, columns, nullptr};
}

GemmBlock GemmStep::stored_b(const GemmUnit& unit, int64_t k, const Buffers& buffers) const {
    const int64_t row = plan_.b.row, first = plan_.b.transposed ? unit.n0 * row + k : k * row + unit.n0;
    const void* b = buffers.inputs[b_input_];
    const int64_t at = unit.batch * plan_.b.batch + first;
    if (plan_.b_bf16) return {.row = row, .bf16 = static_cast<const uint16_t*>(b) + at};
    return {.data = static_cast<const float*>(b) + at, .row = row};
}

/// Where the packed block of a for this unit and block of k lies: in scratch, or in the workspace when packed ahead.
float* GemmStep::packed_a(const GemmUnit& unit, int64_t block, const Buffers& buffers) const {
    if (!plan_.packed_ahead) return scratch(buffers, packed_a_);
    return reinterpret_cast<float*>(buffers.workspace) + (block * plan_.units_m + unit.row_block) * a_floats_;
}

float* GemmStep::packed_b(const GemmUnit& unit, int64_t block, const Buffers& buffers) const {
    if (!plan_.packed_ahead) return scratch(buffers, packed_b_);
    const int64_t before = plan_.blocks_k() * plan_.units_m * a_floats_;
    return reinterpret_cast<float*>(buffers.workspace) + before +
           (block * plan_.units_n + unit.column_block) * b_floats_;
}

/// Units of the packing stage: the blocks of a, then those of b.
void GemmStep::pack_ahead(int64_t index, const Buffers& buffers) const noexcept {
    const int64_t a_units = plan_.blocks_k() * plan_.units_m;
    const bool packs_a = index < a_units;
    if (!packs_a) index -= a_units;
    const int64_t blocks = packs_a ? plan_.units_m : plan_.units_n;
    // The unit of dst whose rows or columns these are.
    const GemmUnit unit = unit_of(packs_a ? index % blocks * plan_.units_n : index % blocks);
    const int64_t block = index / blocks, k = block * plan_.block_k, depth = std::min(plan_.block_k, plan_.k - k);
    if (packs_a)
        pack_a(unit, stored_a(unit, k, depth, buffers), depth, packed_a(unit, block, buffers));
    else
        pack_b(unit, stored_b(unit, k, buffers), depth, packed_b(unit, block, buffers));
}

/// Strips of one tile's rows. The gap between them takes what whole-vector stores write behind a strip, and keeps the
/// strips from falling into the same cache sets.
void GemmStep::pack_a(const GemmUnit& unit, const GemmBlock& a, int64_t depth, float* packed) const {
    const int64_t rows = unit.m1 - unit.m0, strip = plan_.strip, pitch = strip * depth + gemm_gap;
    const int64_t strips = rows / strip, rest = rows % strip;
    if (plan_.a.transposed) {
        kernels_.pack(a.data, a.row, depth, strips, strip, packed, strip, pitch);
        if (rest > 0)
            kernels_.pack(a.data + strips * strip, a.row, depth, 1, rest, packed + strips * pitch, rest, pitch);
        return;
    }
    for (int64_t s = 0; s < strips; ++s)
        kernels_.pack_turned(a.data + s * strip * a.row, a.row, strip, depth, packed + s * pitch, strip);
    if (rest > 0)
        kernels_.pack_turned(a.data + strips * strip * a.row, a.row, rest, depth, packed + strips * pitch, rest);
}

/// Panels of two vectors; the last one may be a single vector wide. A block read in place needs its last panel packed
/// when that is not made of whole vectors.
void GemmStep::pack_b(const GemmUnit& unit, const GemmBlock& b, int64_t depth, float* packed) const {
    const int64_t columns = unit.n1 - unit.n0, width = kernels_.columns, pitch = width * depth + gemm_gap;
    const int64_t whole = columns / width, rest = columns % width, row = round_up(rest, kernels_.lanes);
    if (plan_.b_direct) {
        if (rest != row) kernels_.pack(b.data + whole * width, b.row, depth, 1, rest, packed, row, pitch);
        return;
    }
    if (b.bf16) {
        kernels_.pack_bf16(b.bf16, b.row, depth, whole, width, packed, width, pitch);
        if (rest > 0)
            kernels_.pack_bf16(b.bf16 + whole * width, b.row, depth, 1, rest, packed + whole * pitch, row, pitch);
        return;
    }
    if (!plan_.b.transposed) {
        kernels_.pack(b.data, b.row, depth, whole, width, packed, width, pitch);
        if (rest > 0) kernels_.pack(b.data + whole * width, b.row, depth, 1, rest, packed + whole * pitch, row, pitch);
        return;
    }
    for (int64_t p = 0; p < whole; ++p)
        kernels_.pack_turned(b.data + p * width * b.row, b.row, width, depth, packed + p * pitch, width);
    if (rest > 0) kernels_.pack_turned(b.data + whole * width * b.row, b.row, rest, depth, packed + whole * pitch, row);
}

}  // namespace liven::kernels
