// Matrix products: dst (m x n) = a (m x k) b (k x n), batched, either operand transposed.
//
// A unit is a block of dst (and of k, when dst is small). Per 256 steps of k it packs its block of b into panels two
// vectors wide and its block of a into strips of one tile's rows, both into this thread's L2, then runs every panel
// against every strip:
//     for k block: [pack a], [pack b]; for panel: for strip: register tile (kernels/isa/gemm.cpp)
// so that a panel is in L1 while the strips stream from L2. Rows of a that do not collide in L1 and blocks of b that
// one strip uses, or that are one piece of memory, are read in place. Weights of a dense layer (few rows) are thus read
// from memory exactly once. Three forms share this nest: blocks of dst; blocks of k too, whose partial results a second
// stage adds in their order; and, for few rows times a transposed b, dst' = b' a', whose rows are the long side. Large
// results without an epilogue are stored past the caches. Expected: 90 % of the FMA peak for large shapes, 2.5 % for
// packing; memory speed for dense layers.
#include "kernels/gemm.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "kernels/compiled_program.hpp"
#include "kernels/gemm_plan.hpp"

namespace liven::kernels {

const GemmKernels& gemm_kernels_baseline();
const GemmKernels& gemm_kernels_avx2();
const GemmKernels& gemm_kernels_avx512();

const GemmKernels& gemm_kernels(Isa isa) {
    switch (isa) {
        case Isa::avx512:
            return gemm_kernels_avx512();
        case Isa::avx2:
            return gemm_kernels_avx2();
        case Isa::baseline:
            break;
    }
    return gemm_kernels_baseline();
}

namespace {

constexpr int64_t kGap = 16;               // floats between packed strips and panels: a vector, a cache line
constexpr int64_t kSumFloats = 16 * 1024;  // results of one unit of the stage that adds partial results

int64_t round_up(int64_t value, int64_t grain) { return (value + grain - 1) / grain * grain; }

/// Matrices as the programs see them: every row a pixel.
Walk walk_of(const Shape& shape) {
    Walk walk{.samples = shape.rank() > 1 ? shape[0] : 1, .pixels = 1, .channels = shape.rank() > 0 ? shape[-1] : 1};
    for (int axis = 1; axis + 1 < shape.rank(); ++axis) walk.pixels *= shape[axis];
    return walk;
}

/// No operand or sum of the program tells samples apart.
bool ignores_samples(const Program& program) {
    for (const ProgramInput& input : program.inputs)
        if (input.access == Access::sample_channel) return false;
    for (const Reduction& reduction : program.reductions)
        if (reduction.over == Reduction::Over::pixels) return false;
    return true;
}

Walk joined(const Walk& walk) {
    return {.samples = 1, .pixels = walk.samples * walk.pixels, .channels = walk.channels};
}

Shape epilogue_shape(const Problem& problem) {
    if (problem.epilogue_shape.rank() > 0) return problem.epilogue_shape;
    for (const ProgramOutput& output : problem.epilogue->outputs)
        if (output.operand >= 0) return problem.outputs[static_cast<size_t>(output.operand)].shape;
    return {};
}

Walk epilogue_walk(const Problem& problem) {
    const Walk walk = walk_of(epilogue_shape(problem));
    return ignores_samples(*problem.epilogue) ? joined(walk) : walk;
}

/// What the epilogue asks of the cut: whole rows of dst, and sums that no unit shares between samples.
std::string refuse_epilogue(const Problem& problem, const GemmPlan& plan) {
    const Walk walk = epilogue_walk(problem);
    if (walk.channels != plan.dst_columns() || walk.samples * walk.pixels != plan.batch * plan.dst_rows())
        return "the epilogue does not see the result as its rows and columns";
    if (problem.epilogue->reductions.empty() || walk.samples == 1) return {};
    if (plan.form != GemmForm::split_k && walk.samples == plan.batch) return {};
    return "the epilogue sums over samples that units share";
}

std::string refuse_prologue(const Problem& problem) {
    if (!problem.prologue[0]->reductions.empty()) return "the prologue sums, but a unit may make rows twice";
    return {};
}

template <GemmForm form>
std::string plan_with_programs(const Problem& problem, Isa isa, GemmPlan& plan) {
    std::string reason = plan_gemm(problem, form, gemm_kernels(isa), plan);
    if (reason.empty() && problem.epilogue) reason = refuse_epilogue(problem, plan);
    if (reason.empty() && problem.prologue[0]) reason = refuse_prologue(problem);
    return reason;
}

/// A block of an operand as it lies in memory.
struct Block {
    const float* data = nullptr;
    int64_t row = 0;
};

/// Up to two pieces of memory that the tiles of a block bring into L2, evenly spread over their steps of k.
class AheadPlan {
public:
    void add(const float* data, int64_t count) {
        pieces_[count_++] = {data, count};
        total_ += count;
    }
    bool empty() const { return count_ == 0; }
    int64_t step() const { return step_; }
    void spread(int64_t tiles, int64_t depth) {
        step_ = std::max<int64_t>(total_ / std::max<int64_t>(tiles * depth, 1) + 1, 1);
    }
    /// Where the next tile starts.
    const float* next(int64_t depth) {
        if (done_ >= pieces_[current_].count && current_ + 1 < count_) {
            ++current_;
            done_ = 0;
        }
        const float* at = pieces_[current_].data + std::min(done_, pieces_[current_].count);
        done_ += depth * step_;
        return at;
    }

private:
    struct Piece {
        const float* data = nullptr;
        int64_t count = 0;
    };
    std::array<Piece, 2> pieces_{};
    size_t count_ = 0, current_ = 0;
    int64_t total_ = 0, done_ = 0, step_ = 1;
};

/// A unit: ranges of the plan's m, n, k.
struct GemmUnit {
    int64_t batch = 0, row_block = 0, column_block = 0, k_block = 0;
    int64_t m0 = 0, m1 = 0, n0 = 0, n1 = 0, k0 = 0, k1 = 0;
};

class GemmStep final : public Step {
public:
    GemmStep(const Problem& problem, const GemmPlan& plan, Isa isa);
    void run(int stage, int64_t unit, const Buffers& buffers) const noexcept override;

private:
    void multiply(int64_t unit, const Buffers& buffers) const noexcept;
    void add_partials(int64_t unit, const Buffers& buffers) const noexcept;
    void finalize(int64_t unit, const Buffers& buffers) const noexcept;

    GemmUnit unit_of(int64_t unit) const;
    Block stored_a(const GemmUnit& unit, int64_t k, int64_t depth, const Buffers& buffers) const;
    Block stored_b(const GemmUnit& unit, int64_t k, const Buffers& buffers) const;
    void pack_a(const GemmUnit& unit, const Block& a, int64_t depth, float* packed) const;
    void pack_b(const GemmUnit& unit, const Block& b, int64_t depth, float* packed) const;
    AheadPlan ahead_of(const GemmUnit& unit, const Block& a, const Block& b, int64_t k, int64_t depth) const;
    void run_tiles(const GemmUnit& unit, const Block& a, const Block& b, AheadPlan ahead, GemmTile tile) const;
    void pack_ahead(int64_t unit, const Buffers& buffers) const noexcept;
    float* packed_a(const GemmUnit& unit, int64_t block, const Buffers& buffers) const;
    float* packed_b(const GemmUnit& unit, int64_t block, const Buffers& buffers) const;
    GemmTile destination(const GemmUnit& unit, const Buffers& buffers) const;
    void turn_out(const GemmUnit& unit, const Buffers& buffers) const;
    void finish_rows(const Buffers& buffers, int64_t first_row, int64_t rows, int64_t first_column, int64_t columns,
                     const float* core, int64_t core_row, int64_t slot) const;

    float* scratch(const Buffers& buffers, size_t offset) const {
        return reinterpret_cast<float*>(buffers.scratch + offset);
    }
    size_t reserve(int64_t floats) {
        const size_t offset = scratch_bytes;
        scratch_bytes += static_cast<size_t>(round_up(floats, 16)) * sizeof(float);
        return offset;
    }
    int64_t panels_of(int64_t columns) const { return (columns + kernels_.columns - 1) / kernels_.columns; }
    int64_t rows_a_sum_unit() const { return std::max<int64_t>(kSumFloats / plan_.n, 1); }
    double* slot_of(const Buffers& buffers, int64_t slot) const;

    using Work = void (GemmStep::*)(int64_t, const Buffers&) const noexcept;

    GemmPlan plan_;
    const GemmKernels& kernels_;
    std::vector<Work> works_;  ///< of each stage
    size_t a_input_ = 0, b_input_ = 1;
    std::optional<CompiledProgram> prologue_, epilogue_;
    bool keeps_block_ = false;  ///< the finished block stays in scratch for what follows
    int64_t block_row_ = 0;     ///< of the block in scratch
    int64_t slots_ = 0;         ///< of the epilogue's sums
    size_t packed_a_ = 0, packed_b_ = 0, made_a_ = 0, block_ = 0, turned_ = 0, summed_ = 0, prologue_scratch_ = 0,
           epilogue_scratch_ = 0;
    int64_t a_floats_ = 0, b_floats_ = 0;  ///< of one packed block
    size_t sums_ = 0;                      ///< offset in the workspace
};

GemmStep::GemmStep(const Problem& problem, const GemmPlan& plan, Isa isa) : plan_(plan), kernels_(gemm_kernels(isa)) {
    const bool turned = plan.form == GemmForm::turned, split = plan.form == GemmForm::split_k;
    if (problem.prologue[0]) {
        const Walk walk = walk_of(problem.prologue_shape[0]);
        prologue_.emplace(*problem.prologue[0], problem.inputs, problem.outputs,
                          ignores_samples(*problem.prologue[0]) ? joined(walk) : walk, isa);
        b_input_ = 0;
        made_a_ = reserve(plan.unit_m * plan.block_k);
        prologue_scratch_ = reserve(static_cast<int64_t>(prologue_->scratch_bytes() / sizeof(float)));
    }
    if (turned) std::swap(a_input_, b_input_);
    a_floats_ = (plan.unit_m + plan.strip - 1) / plan.strip * (plan.strip * plan.block_k + kGap);
    b_floats_ = (plan.b_direct ? 1 : panels_of(plan.unit_n)) * (kernels_.columns * plan.block_k + kGap);
    if (!plan.a_direct && !plan.packed_ahead) packed_a_ = reserve(a_floats_);
    if (!plan.packed_ahead) packed_b_ = reserve(b_floats_);
    keeps_block_ = turned || (problem.epilogue && !split);
    block_row_ = round_up(plan.unit_n, 16) + kGap;
    if (keeps_block_ || plan.unit_k > plan.block_k) block_ = reserve(plan.unit_m * block_row_);
    if (problem.epilogue && split) summed_ = reserve(rows_a_sum_unit() * plan.n);
    if (problem.epilogue) {
        epilogue_.emplace(*problem.epilogue, problem.inputs, problem.outputs, epilogue_walk(problem), isa);
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

void GemmStep::finalize(int64_t unit, const Buffers& buffers) const noexcept {
    epilogue_->finalize(unit, buffers, slot_of(buffers, 0), slots_);
}

double* GemmStep::slot_of(const Buffers& buffers, int64_t slot) const {
    const size_t offset = sums_ + static_cast<size_t>(slot) * epilogue_->partial_bytes();
    return reinterpret_cast<double*>(buffers.workspace + offset);
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

/// The unit's rows of a, `depth` steps from k on, as they are stored; made by the prologue when there is one.
Block GemmStep::stored_a(const GemmUnit& unit, int64_t k, int64_t depth, const Buffers& buffers) const {
    const int64_t first_row = plan_.a.transposed ? k : unit.m0, first_column = plan_.a.transposed ? unit.m0 : k;
    if (!prologue_) {
        const float* a = static_cast<const float*>(buffers.inputs[a_input_]);
        return {a + unit.batch * plan_.a.batch + first_row * plan_.a.row + first_column, plan_.a.row};
    }
    const ProgramView& view = prologue_->view();
    const int64_t rows = plan_.a.transposed ? depth : unit.m1 - unit.m0;
    const int64_t columns = plan_.a.transposed ? unit.m1 - unit.m0 : depth;
    const int64_t rows_a_batch = plan_.a.transposed ? plan_.k : plan_.m;
    float* made = scratch(buffers, made_a_);
    float* own = scratch(buffers, prologue_scratch_);
    int64_t row = unit.batch * rows_a_batch + first_row;
    for (int64_t done = 0; done < rows;) {
        const int64_t sample = row / view.pixels, pixel = row % view.pixels;
        const int64_t pixels = std::min(rows - done, view.pixels - pixel);
        view.prepare(view, buffers, sample, first_column, columns, own);
        view.run(view, buffers,
                 {.sample = sample,
                  .first_pixel = pixel,
                  .pixels = pixels,
                  .first_channel = first_column,
                  .channels = columns,
                  .sink = made + done * columns,
                  .sink_stride = columns},
                 own, nullptr);
        done += pixels;
        row += pixels;
    }
    return {made, columns};
}

Block GemmStep::stored_b(const GemmUnit& unit, int64_t k, const Buffers& buffers) const {
    const float* b = static_cast<const float*>(buffers.inputs[b_input_]) + unit.batch * plan_.b.batch;
    const int64_t row = plan_.b.row;
    return {plan_.b.transposed ? b + unit.n0 * row + k : b + k * row + unit.n0, row};
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
void GemmStep::pack_a(const GemmUnit& unit, const Block& a, int64_t depth, float* packed) const {
    const int64_t rows = unit.m1 - unit.m0, strip = plan_.strip, pitch = strip * depth + kGap;
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
void GemmStep::pack_b(const GemmUnit& unit, const Block& b, int64_t depth, float* packed) const {
    const int64_t columns = unit.n1 - unit.n0, width = kernels_.columns, pitch = width * depth + kGap;
    const int64_t whole = columns / width, rest = columns % width, row = round_up(rest, kernels_.lanes);
    if (plan_.b_direct) {
        if (rest != row) kernels_.pack(b.data + whole * width, b.row, depth, 1, rest, packed, row, pitch);
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

/// The blocks of a and b that the unit packs or reads after these, as far as each is one piece of memory.
AheadPlan GemmStep::ahead_of(const GemmUnit& unit, const Block& a, const Block& b, int64_t k, int64_t depth) const {
    AheadPlan ahead;
    const int64_t next = std::min(depth, plan_.k - k - depth);
    const int64_t rows = unit.m1 - unit.m0, columns = unit.n1 - unit.n0;
    if (next <= 0 || plan_.packed_ahead) return ahead;
    if (!plan_.b.transposed && b.row == columns) ahead.add(b.data + depth * b.row, next * columns);
    if (plan_.a.transposed && a.row == rows && !prologue_) ahead.add(a.data + depth * a.row, next * rows);
    return ahead;
}

/// Every panel of b against every strip of a. `tile` comes with the first strip and panel, the destination and what to
/// add.
void GemmStep::run_tiles(const GemmUnit& unit, const Block& a, const Block& b, AheadPlan ahead, GemmTile tile) const {
    const int64_t rows = unit.m1 - unit.m0, columns = unit.n1 - unit.n0, strip = plan_.strip, depth = tile.depth;
    const int64_t a_pitch = plan_.a_direct ? strip * a.row : strip * depth + kGap;
    const int64_t b_pitch = kernels_.columns * depth + kGap;
    const float *strips = tile.a, *panels = tile.b;
    float* c = tile.c;
    const float* add = tile.add;
    tile.a_row = a.row;
    tile.a_packed = !plan_.a_direct;
    ahead.spread((rows + strip - 1) / strip * panels_of(columns), depth);
    for (int64_t n = 0; n < columns; n += kernels_.columns) {
        tile.columns = std::min(kernels_.columns, columns - n);
        const int64_t width = round_up(tile.columns, kernels_.lanes);
        const bool in_place = plan_.b_direct && tile.columns == width;
        tile.b = in_place ? b.data + n : plan_.b_direct ? panels : panels + n / kernels_.columns * b_pitch;
        tile.b_row = in_place ? b.row : width;
        for (int64_t m = 0; m < rows; m += strip) {
            tile.rows = std::min(strip, rows - m);
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
        const Block a = stored_a(unit, k, tile.depth, buffers), b = stored_b(unit, k, buffers);
        if (!plan_.packed_ahead) {
            if (!plan_.a_direct) pack_a(unit, a, tile.depth, scratch(buffers, packed_a_));
            pack_b(unit, b, tile.depth, scratch(buffers, packed_b_));
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

/// The turned block becomes rows of dst.
void GemmStep::turn_out(const GemmUnit& unit, const Buffers& buffers) const {
    const float* block = scratch(buffers, block_);
    const int64_t columns = unit.m1 - unit.m0;
    if (!epilogue_) {
        float* dst = static_cast<float*>(buffers.outputs[0]) + unit.batch * plan_.n * plan_.dst_row + unit.m0;
        kernels_.transpose(block, block_row_, columns, plan_.n, dst, plan_.dst_row);
        return;
    }
    float* rows = scratch(buffers, turned_);
    kernels_.transpose(block, block_row_, columns, plan_.n, rows, columns);
    finish_rows(buffers, unit.batch * plan_.n, plan_.n, unit.m0, columns, rows, columns, unit.batch);
}

/// Adds the partial results of some rows, k block by k block.
void GemmStep::add_partials(int64_t unit, const Buffers& buffers) const noexcept {
    const int64_t all = plan_.batch * plan_.m, first = unit * rows_a_sum_unit();
    const int64_t rows = std::min(rows_a_sum_unit(), all - first);
    const float* partials = reinterpret_cast<const float*>(buffers.workspace) + first * plan_.n;
    if (epilogue_) {
        float* core = scratch(buffers, summed_);
        kernels_.sum(partials, all * plan_.n, plan_.units_k, rows * plan_.n, core);
        finish_rows(buffers, first, rows, 0, plan_.n, core, plan_.n, unit);
        return;
    }
    float* dst = static_cast<float*>(buffers.outputs[0]) + first * plan_.dst_row;
    if (plan_.dst_row == plan_.n) {
        kernels_.sum(partials, all * plan_.n, plan_.units_k, rows * plan_.n, dst);
        return;
    }
    for (int64_t r = 0; r < rows; ++r)
        kernels_.sum(partials + r * plan_.n, all * plan_.n, plan_.units_k, plan_.n, dst + r * plan_.dst_row);
}

/// Hands rows of the result, counted over the batch, to the epilogue.
void GemmStep::finish_rows(const Buffers& buffers, int64_t first_row, int64_t rows, int64_t first_column,
                           int64_t columns, const float* core, int64_t core_row, int64_t slot) const {
    const ProgramView& view = epilogue_->view();
    float* own = scratch(buffers, epilogue_scratch_);
    double* sums = epilogue_->reduces() ? slot_of(buffers, slot) : nullptr;
    if (sums) view.clear(view, sums, first_column, columns);
    for (int64_t done = 0; done < rows;) {
        const int64_t row = first_row + done;
        const int64_t sample = row / view.pixels, pixel = row % view.pixels;
        const int64_t pixels = std::min(rows - done, view.pixels - pixel);
        view.prepare(view, buffers, sample, first_column, columns, own);
        view.run(view, buffers,
                 {.sample = sample,
                  .first_pixel = pixel,
                  .pixels = pixels,
                  .first_channel = first_column,
                  .channels = columns,
                  .core = core + done * core_row,
                  .core_stride = core_row},
                 own, sums);
        done += pixels;
    }
}

double flops(const GemmPlan& plan) {
    return 2.0 * static_cast<double>(plan.batch) * static_cast<double>(plan.m) * static_cast<double>(plan.n) *
           static_cast<double>(plan.k);
}

template <GemmForm form, Isa isa>
KernelInfo entry(std::string_view name, std::string_view tile) {
    return {.op = "matmul",
            .name = name,
            .isa = isa,
            .tile = tile,
            .refuse =
                [](const Problem& problem) {
                    GemmPlan plan;
                    return plan_with_programs<form>(problem, isa, plan);
                },
            .cost =
                [](const Problem& problem) {
                    GemmPlan plan;
                    plan_gemm(problem, form, gemm_kernels(isa), plan);
                    return flops(plan) * 1e-12 * plan.overhead;
                },
            .make = [](const Problem& problem, Isa) -> std::unique_ptr<Step> {
                GemmPlan plan;
                plan_gemm(problem, form, gemm_kernels(isa), plan);
                return std::make_unique<GemmStep>(problem, plan, isa);
            }};
}

template <Isa isa>
void register_forms(std::vector<KernelInfo>& out, std::string_view tiles, std::string_view split,
                    std::string_view turned, std::string_view tile) {
    out.push_back(entry<GemmForm::tiles, isa>(tiles, tile));
    out.push_back(entry<GemmForm::split_k, isa>(split, tile));
    out.push_back(entry<GemmForm::turned, isa>(turned, tile));
}

}  // namespace

void register_gemm(std::vector<KernelInfo>& out) {
    register_forms<Isa::baseline>(out, "matmul_packed_4x8_f32", "matmul_split_k_4x8_f32", "matmul_turned_4x8_f32",
                                  "4 rows x 8 columns");
    register_forms<Isa::avx2>(out, "matmul_packed_6x16_f32", "matmul_split_k_6x16_f32", "matmul_turned_6x16_f32",
                              "6 rows x 16 columns");
    register_forms<Isa::avx512>(out, "matmul_packed_12x32_f32", "matmul_split_k_12x32_f32", "matmul_turned_12x32_f32",
                                "12 rows x 32 columns");
}

}  // namespace liven::kernels
