#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "kernels/gemm/gemm.hpp"
#include "kernels/maps/normalized_rows.hpp"
#include "kernels/pointwise/compiled_program.hpp"
#include "kernels/step.hpp"

namespace liven::kernels {

/// Where an N x H x W x C operand comes from: memory, or a prologue that makes it row by row.
struct MapSource {
    Shape shape;
    int operand = -1;  ///< index among the step's inputs; -1: made by `program`, or lying in the workspace
    int64_t pixel_stride = 0;
    const Program* program = nullptr;
    size_t workspace_offset = 0;  ///< operand -1 without a program: dense, this many bytes into the workspace
    bool rounded = false;         ///< what lies there is bf16
};

/// How a core reads a map in bf16: by a program that only hands on operand `operand`, whose values arrive widened.
const Program& widening_program(int operand);

/// Some of the channels of a map.
struct ChannelSlice {
    int64_t first = 0;
    int64_t count = 0;  ///< 0: all, or as many as BandLoader::Options::channels, the most there can be
};

/// Bands of rows of a map, with columns of zeros on either side, in a thread's scratch: what a sliding window reads. A
/// ring holds the last rows, so neighbouring bands share their halo and every row is copied, or made by the prologue,
/// once a unit. The zeros stay exactly zero whatever the prologue does. Rows that need neither padding nor a program
/// are not copied at all.
class BandLoader {
public:
    struct Options {
        int64_t first_column = 0;  ///< column of the map at which a row of the band starts; negative: zeros come first
        int64_t columns = 0;       ///< pixels of a row of the band
        int64_t rows = 0;          ///< how many consecutive rows are used together
        bool dense_pixels = true;  ///< neighbouring pixels have to touch
        bool in_place = false;     ///< a map in memory is never copied: the caller minds the columns outside of it
        int64_t channels = 0;      ///< most channels that are read at a time; 0: all of them
        bool padded = false;       ///< pixels have `channels` places, a multiple of 16, whatever a slice has: zeros
        bool in_pairs = false;     ///< rows are bf16, two channels (of all, an even number) where a float would be
    };
    BandLoader(const MapSource& source, const Problem& problem, Isa isa, const Options& options);

    size_t scratch_bytes() const { return program_offset_ + (program_ ? program_->scratch_bytes() : 0); }
    /// Floats from one pixel of a row to the next.
    int64_t pixel_stride() const { return direct_ ? pixel_stride_ : words_; }
    int64_t height() const { return shape_[1]; }

    /// The rows of one sample, as one unit of work walks down them.
    class Rows {
    public:
        /// `scratch`: scratch_bytes() of this thread, 64-byte aligned.
        Rows(const BandLoader& loader, const Buffers& buffers, std::byte* scratch, int64_t sample,
             ChannelSlice slice = {}) noexcept;
        /// Makes rows [first, last) available, at most Options::rows of them, all inside the map. Never goes back up.
        void load(int64_t first, int64_t last) noexcept;
        /// Memory that load() will read for `rows` more rows: of the map, or of the prologue's first full input.
        std::span<const std::byte> upcoming(int64_t rows) const noexcept;
        /// The pixel in column Options::first_column of a row that was loaded, from the slice's first channel on.
        const float* operator[](int64_t y) const noexcept;

    private:
        void fill(int64_t y) noexcept;
        void make(int64_t y, float* row) noexcept;
        void copy_pairs(int64_t y, float* row) noexcept;

        const BandLoader& loader_;
        const Buffers& buffers_;
        float* ring_;
        float* made_;
        float* program_scratch_;
        const float* map_;
        int64_t sample_;
        ChannelSlice slice_;
        int64_t first_ = 0, last_ = 0;  ///< rows held
    };

private:
    const GemmKernels& kernels_;  ///< they widen rows
    MapSource source_;
    Shape shape_;
    Options options_;
    int64_t pixel_stride_ = 0;
    int64_t from_ = 0, to_ = 0;  ///< columns of the map that a row of the band covers
    int64_t words_ = 0;          ///< floats, or pairs, of a pixel in the ring
    int64_t row_step_ = 0;       ///< floats from one row of the ring to the next
    size_t made_offset_ = 0;     ///< of the row that is made in f32 before it is rounded to pairs
    size_t program_offset_ = 0;
    bool direct_ = false;
    int stream_ = -1;            ///< the operand that is read row by row, -1: none of the inputs
    int64_t stream_stride_ = 0;  ///< its pixel stride in bytes
    int64_t stream_value_ = 0;   ///< bytes of one value
    int widened_ = -1;           ///< the operand in bf16 that rows are widened from, without a program
    std::optional<CompiledProgram> program_;
    std::optional<Normalization> normalization_;  ///< what the program is, when it is one
};

}  // namespace liven::kernels
