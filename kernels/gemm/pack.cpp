#include <algorithm>
#include <array>

#include "kernels/gemm/step.hpp"
#include "kernels/gemm/weight_pairs.hpp"
#include "kernels/rounding.hpp"

// How blocks of the operands come into cache: read in place, packed, or made by a prologue. For dot products an element
// of a packed block is a pair of bf16.

namespace liven::kernels {

/// The unit's rows of a, `depth` steps from k on, as they are stored, or widened, or paired; made by the prologue when
/// there is one.
GemmBlock GemmStep::stored_a(const GemmUnit& unit, int64_t k, int64_t depth, const Buffers& buffers) const {
    const int64_t first = k * plan_.step_size, count = products(k, depth);
    const int64_t first_row = plan_.a.transposed ? first : unit.m0, first_column = plan_.a.transposed ? unit.m0 : first;
    const int64_t rows = plan_.a.transposed ? count : unit.m1 - unit.m0;
    const int64_t columns = plan_.a.transposed ? unit.m1 - unit.m0 : count;
    const int64_t at = unit.batch * plan_.a.batch + first_row * plan_.a.row + first_column;
    float* made = scratch(buffers, made_a_);
    if (plan_.a_bf16) {
        const auto* a = static_cast<const uint16_t*>(buffers.inputs[a_input_]) + at;
        if (plan_.dots() && !plan_.a.transposed) return {reinterpret_cast<const float*>(a), plan_.a.row / 2, nullptr};
        if (plan_.dots())
            pair_rows({.row = plan_.a.row, .bf16 = a}, rows, columns, buffers, made, columns);
        else
            kernels_.pack_bf16(a, plan_.a.row, rows, 1, columns, made, columns, 0);
        return {made, columns, nullptr};
    }
    if (!prologue_) return {static_cast<const float*>(buffers.inputs[a_input_]) + at, plan_.a.row, nullptr};
    const ProgramView& view = prologue_->view();
    const int64_t rows_a_batch = plan_.a.transposed ? plan_.inner : plan_.m;
    float* own = scratch(buffers, prologue_scratch_);
    run_rows(view, buffers, unit.batch * rows_a_batch + first_row, rows,
             {.first_channel = first_column, .channels = columns, .sink = made, .sink_stride = columns}, own, nullptr);
    if (plan_.dots())  // each row where it lies: what is written never passes what is still to be read
        for (float* row = made; row < made + rows * columns; row += columns)
            kernels_.round_bf16(row, columns, reinterpret_cast<uint16_t*>(row));
    return {made, columns, nullptr};
}

GemmBlock GemmStep::stored_b(const GemmUnit& unit, int64_t k, const Buffers& buffers) const {
    const int64_t row = plan_.b.row, product = k * plan_.step_size;
    const int64_t first = plan_.b.transposed ? unit.n0 * row + product : product * row + unit.n0;
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
        pack_b(unit, stored_b(unit, k, buffers), k, depth, buffers, packed_b(unit, block, buffers));
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

/// Rows 2 r and 2 r + 1 as row r of pairs; an odd one behind the others stands beside zeros.
void GemmStep::pair_rows(const GemmBlock& halves, int64_t rows, int64_t width, const Buffers& buffers, float* pairs,
                         int64_t pairs_row) const {
    std::array<const uint16_t*, 64> together{};
    const auto most = static_cast<int64_t>(together.size());
    for (int64_t first = 0; first < rows; first += most) {
        const int64_t count = std::min(most, rows - first);
        for (int64_t r = 0; r < count; ++r) together[static_cast<size_t>(r)] = halves.bf16 + (first + r) * halves.row;
        if (count % 2 != 0) {
            auto* zeros = reinterpret_cast<uint16_t*>(scratch(buffers, zeros_));
            std::fill_n(zeros, width, uint16_t{0});
            together[static_cast<size_t>(count)] = zeros;
        }
        kernels_.pair_rows(together.data(), ceil_div(count, 2), width, pairs + first / 2 * pairs_row, pairs_row);
    }
}

/// Panels as those of pack_b.
void GemmStep::pack_pairs(const GemmUnit& unit, const GemmBlock& b, int64_t k, int64_t depth, const Buffers& buffers,
                          float* packed) const {
    const int64_t columns = unit.n1 - unit.n0, pitch = kernels_.columns * depth + gemm_gap;
    for (int64_t n = 0; n < columns; n += kernels_.columns, packed += pitch) {
        const int64_t width = std::min(kernels_.columns, columns - n), row = round_up(width, kernels_.lanes);
        if (b.bf16)
            pair_rows({.row = b.row, .bf16 = b.bf16 + n}, products(k, depth), width, buffers, packed, row);
        else
            WeightPairs{.weights = b.data + (plan_.b.transposed ? n * b.row : n),
                        .row = b.row,
                        .turned = plan_.b.transposed,
                        .depth = depth,
                        .width = width}
                .pack(kernels_, scratch(buffers, rounded_b_), packed, row);
    }
}

/// Panels of two vectors; the last one may be a single vector wide. A block read in place needs its last panel packed
/// when that is not made of whole vectors.
void GemmStep::pack_b(const GemmUnit& unit, const GemmBlock& b, int64_t k, int64_t depth, const Buffers& buffers,
                      float* packed) const {
    if (plan_.dots()) return pack_pairs(unit, b, k, depth, buffers, packed);
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
