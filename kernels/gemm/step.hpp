#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "kernels/gemm/gemm.hpp"
#include "kernels/gemm/plan.hpp"
#include "kernels/pointwise/compiled_program.hpp"
#include "kernels/rounding.hpp"

namespace liven::kernels {

inline constexpr int64_t gemm_gap = 16;  ///< floats between packed strips and panels: a vector, a cache line

/// What a program of a product walks: every row of the matrix a pixel. A program that does not tell samples apart walks
/// all rows as one.
Walk gemm_walk(const Program& program, const Shape& shape);
/// The walk of the product's epilogue.
Walk gemm_epilogue_walk(const Problem& problem);

/// Up to two pieces of memory that the tiles of a block bring into L2, evenly spread over their steps of k.
class GemmAhead {
public:
    void add(const float* data, int64_t count) {
        pieces_[count_++] = {data, count};
        total_ += count;
    }
    bool empty() const { return count_ == 0; }
    int64_t step() const { return step_; }
    void spread(int64_t tiles, int64_t depth) {
        step_ = std::max<int64_t>(ceil_div(total_, std::max<int64_t>(tiles * depth, 1)), 1);
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

/// The walk of kernels/gemm/gemm.cpp: packing is in pack.cpp, what happens to results in finish.cpp.
class GemmStep final : public Step {
public:
    GemmStep(const Problem& problem, const GemmPlan& plan, Isa isa);
    void run(int stage, int64_t unit, const Buffers& buffers) const noexcept override;

private:
    void multiply(int64_t unit, const Buffers& buffers) const noexcept;
    void add_partials(int64_t unit, const Buffers& buffers) const noexcept;
    void finalize(int64_t unit, const Buffers& buffers) const noexcept;

    GemmUnit unit_of(int64_t unit) const;
    GemmBlock stored_a(const GemmUnit& unit, int64_t k, int64_t depth, const Buffers& buffers) const;
    GemmBlock stored_b(const GemmUnit& unit, int64_t k, const Buffers& buffers) const;
    void pair_rows(const GemmBlock& halves, int64_t rows, int64_t width, const Buffers& buffers, float* pairs,
                   int64_t pairs_row) const;
    void pack_pairs(const GemmUnit& unit, const GemmBlock& b, int64_t k, int64_t depth, const Buffers& buffers,
                    float* packed) const;
    void pack_a(const GemmUnit& unit, const GemmBlock& a, int64_t depth, float* packed) const;
    void pack_b(const GemmUnit& unit, const GemmBlock& b, int64_t k, int64_t depth, const Buffers& buffers,
                float* packed) const;
    GemmAhead ahead_of(const GemmUnit& unit, const GemmBlock& a, const GemmBlock& b, int64_t k, int64_t depth) const;
    void run_tiles(const GemmUnit& unit, const GemmBlock& a, const GemmBlock& b, GemmAhead ahead, GemmTile tile) const;
    void pack_ahead(int64_t unit, const Buffers& buffers) const noexcept;
    float* packed_a(const GemmUnit& unit, int64_t block, const Buffers& buffers) const;
    float* packed_b(const GemmUnit& unit, int64_t block, const Buffers& buffers) const;
    GemmTile destination(const GemmUnit& unit, const Buffers& buffers) const;
    void turn_out(const GemmUnit& unit, const Buffers& buffers) const;
    void finish_rows(const Buffers& buffers, int64_t first_row, int64_t rows, int64_t first_column, int64_t columns,
                     const float* core, int64_t core_row, int64_t slot) const;

    static void run_rows(const ProgramView& view, const Buffers& buffers, int64_t first_row, int64_t rows, Chunk chunk,
                         float* own, double* sums);
    float* scratch(const Buffers& buffers, size_t offset) const {
        return reinterpret_cast<float*>(buffers.scratch + offset);
    }
    size_t reserve(int64_t floats) {
        const size_t offset = scratch_bytes;
        scratch_bytes += static_cast<size_t>((floats + 15) / 16 * 16) * sizeof(float);
        return offset;
    }
    int64_t panels_of(int64_t columns) const { return (columns + kernels_.columns - 1) / kernels_.columns; }
    /// Products in `depth` steps from k on.
    int64_t products(int64_t k, int64_t depth) const {
        return std::min(depth * plan_.step_size, plan_.inner - k * plan_.step_size);
    }
    int64_t rows_a_sum_unit() const;
    double* slot_of(const Buffers& buffers, int64_t slot) const;

    using Work = void (GemmStep::*)(int64_t, const Buffers&) const noexcept;

    GemmPlan plan_;
    GemmKernels kernels_;
    std::vector<Work> works_;  ///< of each stage
    size_t a_input_ = 0, b_input_ = 1;
    std::optional<CompiledProgram> prologue_, epilogue_;
    bool keeps_block_ = false;  ///< the finished block stays in scratch for what follows
    int64_t block_row_ = 0;     ///< of the block in scratch
    int64_t slots_ = 0;         ///< of the epilogue's sums
    size_t packed_a_ = 0, packed_b_ = 0, made_a_ = 0, rounded_b_ = 0, zeros_ = 0, block_ = 0, turned_ = 0, summed_ = 0,
           prologue_scratch_ = 0, epilogue_scratch_ = 0;
    int64_t a_floats_ = 0, b_floats_ = 0;  ///< of one packed block
    size_t sums_ = 0;                      ///< offset in the workspace
};

}  // namespace liven::kernels
