#include "kernels/gemm/step.hpp"

#include <utility>

#include "kernels/rounding.hpp"

// Which stages a product has, and the nest of each unit: for block of k, for panel, for strip.

namespace liven::kernels {

GemmStep::GemmStep(const Problem& problem, const GemmPlan& plan, Isa isa) : plan_(plan), kernels_(gemm_kernels(isa)) {
    const bool turned = plan.form == GemmForm::turned, split = plan.form == GemmForm::split_k;
    if (problem.prologue[0]) {
        prologue_.emplace(*problem.prologue[0], problem.inputs, problem.outputs,
                          gemm_walk(*problem.prologue[0], problem.prologue_shape[0]), isa);
        b_input_ = 0;
        made_a_ = reserve(plan.unit_m * plan.block_k * plan.step_size);
        prologue_scratch_ = reserve(static_cast<int64_t>(prologue_->scratch_bytes() / sizeof(float)));
    }
    if (plan.a_bf16 && (plan.a.transposed || !plan.dots()))
        made_a_ = reserve(plan.unit_m * plan.block_k + kernels_.lanes);
    if (plan.dots()) {
        kernels_.tile = kernels_.tile_dots;
        if (plan.b_bf16)
            zeros_ = reserve(std::max(plan.unit_m, kernels_.columns));
        else if (plan.b.transposed)
            rounded_b_ = reserve(kernels_.columns * plan.block_k);
    }
    if (turned) std::swap(a_input_, b_input_);
    a_floats_ = (plan.unit_m + plan.strip - 1) / plan.strip * (plan.strip * plan.block_k + gemm_gap);
    b_floats_ = (plan.b_direct ? 1 : panels_of(plan.unit_n)) * (kernels_.columns * plan.block_k + gemm_gap);
    if (!plan.a_direct && !plan.packed_ahead) packed_a_ = reserve(a_floats_);
    if (!plan.packed_ahead) packed_b_ = reserve(b_floats_);
    keeps_block_ = turned || (problem.epilogue && !split);
    // A program takes the rows of a block without gaps where they lie, others it copies; long ones would collide in L1.
    const bool dense = problem.epilogue && !turned && plan.unit_n <= 256;
    block_row_ = dense ? plan.unit_n : round_up(plan.unit_n, 16) + gemm_gap;
    if (keeps_block_ || plan.unit_k > plan.block_k) block_ = reserve(plan.unit_m * block_row_);
    if (problem.epilogue && split) summed_ = reserve(rows_a_sum_unit() * plan.n);
    if (problem.epilogue) {
        epilogue_.emplace(*problem.epilogue, problem.inputs, problem.outputs, gemm_epilogue_walk(problem), isa);
        epilogue_scratch_ = reserve(static_cast<int64_t>(epilogue_->scratch_bytes() / sizeof(float)));
        if (turned) turned_ = reserve(plan.unit_m * plan.n);
    }

    stages.clear();
    if (plan.packed_ahead) {
        const int64_t a_blocks = plan.blocks_k() * plan.units_m, b_blocks = plan.blocks_k() * plan.units_n;
        stages.push_back({.units = a_blocks + b_blocks});
        works_.push_back(&GemmStep::pack_ahead);
        workspace_bytes =
            static_cast<size_t>(round_up(a_blocks * a_floats_ + b_blocks * b_floats_, 16)) * sizeof(float);
    }
    stages.push_back({.units = plan.units(), .samples = split ? 1 : plan.samples});
    works_.push_back(&GemmStep::multiply);
    slots_ = plan.batch * (turned ? 1 : plan.units_m);
    if (split) {
        const int64_t rows = plan.batch * plan.m;
        slots_ = (rows + rows_a_sum_unit() - 1) / rows_a_sum_unit();
        stages.push_back({.units = slots_});
        works_.push_back(&GemmStep::add_partials);
        workspace_bytes = static_cast<size_t>(round_up(plan.units_k * rows * plan.n, 16)) * sizeof(float);
    }
    sums_ = workspace_bytes;
    if (epilogue_ && epilogue_->reduces()) {
        workspace_bytes += static_cast<size_t>(slots_) * epilogue_->partial_bytes();
        stages.push_back({.units = epilogue_->finalize_units()});
        works_.push_back(&GemmStep::finalize);
    }
}

void GemmStep::run(int stage, int64_t unit, const Buffers& buffers) const noexcept {
    (this->*works_[static_cast<size_t>(stage)])(unit, buffers);
}

GemmUnit GemmStep::unit_of(int64_t unit) const {
    GemmUnit out;
    out.column_block = unit % plan_.units_n;
    unit /= plan_.units_n;
    out.row_block = unit % plan_.units_m;
    unit /= plan_.units_m;
    out.k_block = unit % plan_.units_k;
    out.batch = unit / plan_.units_k;
    out.m0 = out.row_block * plan_.unit_m;
    out.m1 = std::min(out.m0 + plan_.unit_m, plan_.m);
    out.n0 = out.column_block * plan_.unit_n;
    out.n1 = std::min(out.n0 + plan_.unit_n, plan_.n);
    out.k0 = out.k_block * plan_.unit_k;
    out.k1 = std::min(out.k0 + plan_.unit_k, plan_.k);
    return out;
}

/// The blocks of a and b that the unit packs or reads after these, as far as each is one piece of memory.
GemmAhead GemmStep::ahead_of(const GemmUnit& unit, const GemmBlock& a, const GemmBlock& b, int64_t k,
                             int64_t depth) const {
    GemmAhead ahead;
    const int64_t next = products(k + depth, depth), done = depth * plan_.step_size;
    const int64_t rows = unit.m1 - unit.m0, columns = unit.n1 - unit.n0;
    if (next <= 0 || plan_.packed_ahead) return ahead;
    if (b.bf16 && b.row == columns)
        ahead.add(reinterpret_cast<const float*>(b.bf16 + done * b.row), next * columns / 2);
    else if (!plan_.b.transposed && b.row == columns)
        ahead.add(b.data + done * b.row, next * columns);
    if (plan_.a.transposed && a.row == rows && !prologue_ && !plan_.a_bf16)
        ahead.add(a.data + depth * a.row, next * rows);
    return ahead;
}

/// Every panel of b against every strip of a. `tile` comes with the first strip and panel, the destination and what to
/// add.
void GemmStep::run_tiles(const GemmUnit& unit, const GemmBlock& a, const GemmBlock& b, GemmAhead ahead,
                         GemmTile tile) const {
    const int64_t rows = unit.m1 - unit.m0, columns = unit.n1 - unit.n0, strip = plan_.strip, depth = tile.depth;
    const int64_t a_pitch = plan_.a_direct ? strip * a.row : strip * depth + gemm_gap;
    const int64_t b_pitch = kernels_.columns * depth + gemm_gap;
    const float *strips = tile.a, *panels = tile.b;
    float* c = tile.c;
    const float* add = tile.add;
    tile.a_turned = !plan_.a_direct;
    if (rows == 1 && plan_.b_direct && columns % kernels_.row_columns == 0 && !tile.stream) {
        tile.columns = kernels_.row_columns;
        tile.b_row = b.row;
        for (int64_t n = 0; n < columns; n += kernels_.row_columns) {
            tile.c = c + n;
            tile.add = add ? add + n : nullptr;
            if (b.bf16) {
                kernels_.row_bf16(tile, b.bf16 + n);
                continue;
            }
            tile.b = b.data + n;
            kernels_.row(tile);
        }
        return;
    }
    ahead.spread((rows + strip - 1) / strip * panels_of(columns), depth);
    for (int64_t n = 0; n < columns; n += kernels_.columns) {
        tile.columns = std::min(kernels_.columns, columns - n);
        const int64_t width = round_up(tile.columns, kernels_.lanes);
        const bool in_place = plan_.b_direct && tile.columns == width;
        tile.b = in_place ? b.data + n : plan_.b_direct ? panels : panels + n / kernels_.columns * b_pitch;
        tile.b_row = in_place ? b.row : width;
        for (int64_t m = 0; m < rows; m += strip) {
            tile.rows = std::min(strip, rows - m);
            tile.a_row = plan_.a_direct ? a.row : tile.rows;
            tile.a = strips + m / strip * a_pitch;
            tile.c = c + m * tile.c_row + n;
            tile.add = add ? add + m * tile.add_row + n : nullptr;
            tile.ahead = ahead.empty() ? tile.a + a_pitch : ahead.next(depth);  // else the next strip
            tile.ahead_step = ahead.empty() ? strip : ahead.step();
            kernels_.tile(tile);
        }
    }
}

/// Where the unit's block of the result goes in the end.
GemmTile GemmStep::destination(const GemmUnit& unit, const Buffers& buffers) const {
    GemmTile tile;
    if (plan_.form == GemmForm::split_k) {
        const int64_t row = (unit.k_block * plan_.batch + unit.batch) * plan_.m + unit.m0;
        tile.c = reinterpret_cast<float*>(buffers.workspace) + row * plan_.n + unit.n0;
        tile.c_row = plan_.n;
    } else if (keeps_block_) {
        tile.c = scratch(buffers, block_);
        tile.c_row = block_row_;
    } else {
        float* dst = static_cast<float*>(buffers.outputs[0]);
        tile.c = dst + unit.batch * plan_.dst_batch + unit.m0 * plan_.dst_row + unit.n0;
        tile.c_row = plan_.dst_row;
        const auto vector_bytes = static_cast<uintptr_t>(kernels_.lanes) * sizeof(float);
        tile.stream = plan_.stream && reinterpret_cast<uintptr_t>(tile.c) % vector_bytes == 0;
    }
    return tile;
}

/// Sums of several blocks of k grow in scratch, whose rows lie well in the cache, and go to their place with the last.
void GemmStep::multiply(int64_t index, const Buffers& buffers) const noexcept {
    const GemmUnit unit = unit_of(index);
    const GemmTile last = destination(unit, buffers);
    GemmTile tile = last;
    int64_t k = unit.k0;
    do {
        tile.depth = std::min(plan_.block_k, unit.k1 - k);
        const GemmBlock a = stored_a(unit, k, tile.depth, buffers), b = stored_b(unit, k, buffers);
        if (!plan_.packed_ahead) {
            if (!plan_.a_direct) pack_a(unit, a, tile.depth, scratch(buffers, packed_a_));
            pack_b(unit, b, k, tile.depth, buffers, scratch(buffers, packed_b_));
        }
        tile.a = plan_.a_direct ? a.data : packed_a(unit, k / plan_.block_k, buffers);
        tile.b = packed_b(unit, k / plan_.block_k, buffers);
        const bool ends = k + tile.depth >= unit.k1;
        tile.c = ends ? last.c : scratch(buffers, block_);
        tile.c_row = ends ? last.c_row : block_row_;
        tile.stream = ends && last.stream;
        run_tiles(unit, a, b, ahead_of(unit, a, b, k, tile.depth), tile);
        tile.add = scratch(buffers, block_);
        tile.add_row = block_row_;
        k += tile.depth;
    } while (k < unit.k1);
    if (last.stream) kernels_.fence();
    if (plan_.form == GemmForm::turned)
        turn_out(unit, buffers);
    else if (epilogue_ && plan_.form == GemmForm::tiles)
        finish_rows(buffers, unit.batch * plan_.m + unit.m0, unit.m1 - unit.m0, unit.n0, unit.n1 - unit.n0, last.c,
                    last.c_row, unit.batch * plan_.units_m + unit.row_block);
}

}  // namespace liven::kernels
