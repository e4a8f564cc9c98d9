// Known programs: a load a map, a store and the arithmetic a vector of values; what belongs to a channel is loaded once
// for a tile of pixels and its sums stay in registers meanwhile. Bound by the arithmetic (3 to 13 operations) while the
// maps are in L2, by memory beyond.
#include "kernels/pointwise/known_programs.hpp"

#include <utility>

#include "kernels/pointwise/formulas.hpp"
#include "kernels/pointwise/sums.hpp"
#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

template <bool whole>
LIVEN_INLINE vec load_values(const float* p, [[maybe_unused]] int64_t width) {
    if constexpr (whole) return load(p);
    return load_part(p, width);
}

template <bool whole>
LIVEN_INLINE void store_values(float* p, vec values, [[maybe_unused]] int64_t width) {
    if constexpr (whole)
        store(p, values);
    else
        store_part(p, values, width);
}

template <size_t index>
class KnownRun {
public:
    // NOLINTBEGIN(readability-non-const-parameter): both are written through the sums
    static void run(const ProgramView& view, const Buffers& buffers, const Chunk& chunk, float* scratch,
                    double* slot) noexcept {
        // NOLINTEND(readability-non-const-parameter)
        KnownRun state(view, buffers, chunk);
        Sums sums(view, scratch, slot, chunk.first_channel, state.channels_);
        // So many pixels stay in L1 while one vector of their channels follows the other.
        const int64_t tile = state.channels_ < 128 ? 1024 / state.channels_ : 8;
        state.soon_ = 2 * tile;
        for (int64_t pixel = 0; pixel < chunk.pixels; pixel += tile) {
            const int64_t pixels = chunk.pixels - pixel < tile ? chunk.pixels - pixel : tile;
            sums.expect(pixels);
            state.place_sums(sums);
            state.run_tile(pixels);
            sums.advance(pixels);
            state.go_on(pixels);
        }
        sums.flush();
    }

private:
    static constexpr const KnownProgram& known = known_programs[index];
    static constexpr size_t inputs = known.inputs.size(), sum_count = known.sum_count;
    static constexpr size_t some_sums = sum_count > 0 ? sum_count : 1;

    KnownRun(const ProgramView& view, const Buffers& buffers, const Chunk& chunk)
        : view_(view), channels_(chunk.channels > 0 ? chunk.channels : view.channels) {
        const int64_t pixel = chunk.sample * view.pixels + chunk.first_pixel;
        for (size_t i = 0; i < inputs; ++i) {
            const ViewInput& input = view.inputs[i];
            if (known.inputs[i] == 'r') {
                at_[i] = chunk.core;
                stride_[i] = chunk.core_stride > 0 ? chunk.core_stride : channels_;
                continue;
            }
            const bool full = known.inputs[i] == 'm';
            const bool by_sample = input.access == Access::sample_channel;
            stride_[i] = full ? input.pixel_stride : 0;
            at_[i] = static_cast<const float*>(buffers.inputs[input.operand]) + chunk.first_channel +
                     (full        ? pixel
                      : by_sample ? chunk.sample
                                  : 0) *
                         input.pixel_stride;
        }
        const ViewOutput& output = view.outputs[0];
        to_memory_ = output.operand >= 0;
        out_ = chunk.sink;
        out_stride_ = chunk.sink_stride > 0 ? chunk.sink_stride : channels_;
        if (!to_memory_) return;
        out_stride_ = output.pixel_stride;
        out_ = static_cast<float*>(buffers.outputs[output.operand]) + pixel * out_stride_ + chunk.first_channel;
    }

    /// Where the running block's sums are; emptied when it begins.
    void place_sums(const Sums& sums) {
        for (size_t s = 0; s < sum_count; ++s) {
            sums_[s] = sums.block(view_.reductions[s], channels_);
            if (known.sums[s].kind == Reduction::Kind::sum || !sums.at_start()) continue;
            for (int64_t c = 0; c < channels_; ++c) sums_[s][c] = at_[known.sums[s].source][c];
        }
    }

    void run_tile(int64_t pixels) {
        int64_t c = 0;
        for (; c + lanes <= channels_; c += lanes) run_column<true>(c, lanes, pixels);
        if (c < channels_) run_column<false>(c, channels_ - c, pixels);
    }

    void go_on(int64_t pixels) {
        for (size_t i = 0; i < inputs; ++i) at_[i] += pixels * stride_[i];
        out_ += pixels * out_stride_;
    }

    /// Sums of the tile's pixels for one vector of channels.
    template <bool whole>
    class Column {
    public:
        LIVEN_INLINE Column(float* const (&blocks)[some_sums], int64_t all, int64_t c, int64_t width) {
#pragma GCC unroll 3
            for (size_t s = 0; s < sum_count; ++s) {
                const bool moments = known.sums[s].kind == Reduction::Kind::moments;
                if (moments) shift_ = load_values<whole>(blocks[s] + c, width);
                sum_[s] = load_values<whole>(blocks[s] + c + (moments ? all : 0), width);
                if (moments) square_ = load_values<whole>(blocks[s] + c + 2 * all, width);
            }
        }
        template <size_t registers>
        LIVEN_INLINE void add(const vec (&r)[registers]) {
#pragma GCC unroll 3
            for (size_t s = 0; s < sum_count; ++s) {
                const vec x = r[known.sums[s].source];
                if (known.sums[s].kind == Reduction::Kind::sum) {
                    sum_[s] = sum_[s] + x;
                    continue;
                }
                const vec d = x - shift_;
                sum_[s] = sum_[s] + d;
                square_ = madd(d, d, square_);
            }
        }
        LIVEN_INLINE void keep(float* const (&blocks)[some_sums], int64_t all, int64_t c, int64_t width) const {
#pragma GCC unroll 3
            for (size_t s = 0; s < sum_count; ++s) {
                const bool moments = known.sums[s].kind == Reduction::Kind::moments;
                store_values<whole>(blocks[s] + c + (moments ? all : 0), sum_[s], width);
                if (moments) store_values<whole>(blocks[s] + c + 2 * all, square_, width);
            }
        }

    private:
        vec sum_[some_sums], shift_, square_;
    };

    static constexpr size_t registers = inputs + known.length;

    template <size_t i>
    static LIVEN_INLINE void compute(vec (&r)[registers]) {
        if constexpr (i < known.length) {
            constexpr Instruction code = known.code[i];
            r[code.dst] = formula<code.op>(r[code.a], r[code.b], r[code.c], splat(code.imm0), splat(code.imm1));
            compute<i + 1>(r);
        }
    }

    template <bool whole>
    LIVEN_INLINE void run_column(int64_t c, int64_t width, int64_t pixels) {
        vec constant[inputs];
        const float* at[inputs];
#pragma GCC unroll 10
        for (size_t i = 0; i < inputs; ++i) {
            at[i] = at_[i] + c;
            if (known.inputs[i] == 'c') constant[i] = load_values<whole>(at[i], width);
        }
        float* out = out_ + c;
        Column<whole> column(sums_, view_.channels, c, width);
        for (int64_t p = pixels; p > 0; --p) {
            vec r[registers];
#pragma GCC unroll 10
            for (size_t i = 0; i < inputs; ++i) {
                if (known.inputs[i] == 'c') {
                    r[i] = constant[i];
                    continue;
                }
                r[i] = load_values<whole>(at[i], width);
                if (known.inputs[i] == 'm')
                    _mm_prefetch(reinterpret_cast<const char*>(at[i] + soon_ * stride_[i]), _MM_HINT_T1);
                at[i] += stride_[i];
            }
            if (to_memory_) prefetch_written(out + soon_ * out_stride_);
            compute<0>(r);
            store_values<whole>(out, r[known.output], width);
            column.add(r);
            out += out_stride_;
        }
        column.keep(sums_, view_.channels, c, width);
    }

    const ProgramView& view_;
    int64_t channels_;
    const float* at_[inputs];  ///< the tile's first pixel, the chunk's first channel
    int64_t stride_[inputs];   ///< floats to the next pixel
    float* out_ = nullptr;
    int64_t out_stride_ = 0;
    bool to_memory_ = false;
    int64_t soon_ = 0;  ///< pixels from one to that which is fetched meanwhile
    float* sums_[some_sums] = {};
};

template <size_t... index>
RunProgram run_of(size_t wanted, std::index_sequence<index...>) {
    static constexpr RunProgram runs[] = {KnownRun<index>::run...};
    return runs[wanted];
}

}  // namespace

RunProgram LIVEN_ISA_NAME(known_program)(size_t index);
RunProgram LIVEN_ISA_NAME(known_program)(size_t index) {
    return run_of(index, std::make_index_sequence<known_programs.size()>());
}

}  // namespace liven::kernels
