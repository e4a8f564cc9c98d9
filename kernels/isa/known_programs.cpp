// Known programs: a load a map, a store and the arithmetic a vector of values; what belongs to a channel is loaded once
// for a tile of pixels and its sums stay in registers meanwhile. Where nothing belongs to a channel, dense maps are one
// row of vectors. Bound by the arithmetic (1 to 16 operations) while the maps are in L2, by memory beyond.
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
        if constexpr (!by_channel)
            if (state.is_dense()) return state.run_flat(chunk.pixels);
        Sums sums(view, scratch, slot, chunk.first_channel, state.channels_);
        // So many pixels stay in L1 while one vector of their channels follows the other.
        const int64_t tile = state.channels_ < 128 ? 1024 / state.channels_ : 8;
        state.soon_ = 2 * tile;
        for (int64_t pixel = 0; pixel < chunk.pixels; pixel += tile) {
            const int64_t pixels = chunk.pixels - pixel < tile ? chunk.pixels - pixel : tile;
            sums.expect(pixels);
            for (size_t s = 0; s < sum_count; ++s) state.sums_[s] = sums.block(view.reductions[s], state.channels_);
            state.fresh_ = sums.at_start();
            state.run_tile(pixels);
            sums.advance(pixels);
            state.go_on(pixels);
        }
        sums.flush();
    }

private:
    static constexpr const KnownProgram& known = known_programs[index];
    static constexpr size_t inputs = known.inputs.size(), sum_count = known.sum_count;
    static constexpr size_t outputs = known.output_count;
    static constexpr size_t some_sums = sum_count > 0 ? sum_count : 1;
    static constexpr size_t registers = inputs + known.length;
    /// The register that moments are taken of; none: registers.
    static constexpr size_t measured = [] {
        for (size_t s = 0; s < sum_count; ++s)
            if (known.sums[s].kind == Reduction::Kind::moments) return size_t{known.sums[s].source};
        return registers;
    }();
    static constexpr bool by_channel = sum_count > 0 || known.inputs.find('c') != std::string_view::npos;
    static constexpr bool is_map(size_t input) { return known.inputs[input] == 'm' || known.inputs[input] == 'r'; }

    KnownRun(const ProgramView& view, const Buffers& buffers, const Chunk& chunk)
        : view_(view), channels_(chunk.channels > 0 ? chunk.channels : view.channels) {
        const int64_t pixel = chunk.sample * view.pixels + chunk.first_pixel;
        for (size_t i = 0; i < inputs; ++i) place_input(i, buffers, chunk, pixel);
        for (size_t o = 0; o < outputs; ++o) {
            const ViewOutput& output = view.outputs[o];
            if (output.operand < 0) {
                out_[o] = chunk.sink;
                out_stride_[o] = chunk.sink_stride > 0 ? chunk.sink_stride : channels_;
                continue;
            }
            to_memory_ = true;
            out_stride_[o] = output.pixel_stride;
            out_[o] =
                static_cast<float*>(buffers.outputs[output.operand]) + pixel * out_stride_[o] + chunk.first_channel;
        }
    }

    void place_input(size_t i, const Buffers& buffers, const Chunk& chunk, int64_t pixel) {
        const ViewInput& input = view_.inputs[i];
        if (known.inputs[i] == 'r') {
            at_[i] = chunk.core;
            stride_[i] = chunk.core_stride > 0 ? chunk.core_stride : channels_;
            return;
        }
        at_[i] = static_cast<const float*>(buffers.inputs[input.operand]);
        if (known.inputs[i] == 's') return;
        if (known.inputs[i] == 'm') {
            stride_[i] = input.pixel_stride;
            at_[i] += pixel * input.pixel_stride;
        } else if (input.access == Access::sample_channel)
            at_[i] += chunk.sample * input.pixel_stride;
        at_[i] += chunk.first_channel;
    }

    bool is_dense() const {
        bool dense = true;
        for (size_t i = 0; i < inputs; ++i) dense = dense && (!is_map(i) || stride_[i] == channels_);
        for (size_t o = 0; o < outputs; ++o) dense = dense && out_stride_[o] == channels_;
        return dense;
    }

    /// All values as pixels of one vector each, and what is left.
    void run_flat(int64_t pixels) {
        const int64_t values = pixels * channels_;
        constexpr int64_t page = 1024;  // values fetched ahead of their use
        soon_ = page / lanes;
        for (size_t i = 0; i < inputs; ++i)
            if (is_map(i)) stride_[i] = lanes;
        for (size_t o = 0; o < outputs; ++o) out_stride_[o] = lanes;
        run_column<true>(0, lanes, values / lanes);
        go_on(values / lanes);
        if (values % lanes > 0) run_column<false>(0, values % lanes, 1);
    }

    void run_tile(int64_t pixels) {
        int64_t c = 0;
        for (; c + lanes <= channels_; c += lanes) run_column<true>(c, lanes, pixels);
        if (c < channels_) run_column<false>(c, channels_ - c, pixels);
    }

    void go_on(int64_t pixels) {
        for (size_t i = 0; i < inputs; ++i) at_[i] += pixels * stride_[i];
        for (size_t o = 0; o < outputs; ++o) out_[o] += pixels * out_stride_[o];
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

    /// Immediates in every lane.
    struct Constants {
        vec first[known.length], second[known.length];

        LIVEN_INLINE explicit Constants(const ViewInstruction* code) {
#pragma GCC unroll 16
            for (size_t i = 0; i < known.length; ++i) {
                first[i] = splat(code[i].imm0);
                second[i] = splat(code[i].imm1);
            }
        }
    };

    template <size_t i>
    static LIVEN_INLINE void compute(vec (&r)[registers], const Constants& immediates) {
        if constexpr (i < known.length) {
            constexpr Instruction code = known.code[i];
            r[code.dst] = formula<code.op>(r[code.a], r[code.b], r[code.c], immediates.first[i], immediates.second[i]);
            compute<i + 1>(r, immediates);
        }
    }

    template <bool whole>
    LIVEN_INLINE void run_column(int64_t c, int64_t width, int64_t pixels) {
        const Constants immediates(view_.code);
        vec constant[inputs];
        const float* at[inputs];
#pragma GCC unroll 10
        for (size_t i = 0; i < inputs; ++i) {
            at[i] = at_[i] + (known.inputs[i] == 's' ? 0 : c);
            if (known.inputs[i] == 'c') constant[i] = load_values<whole>(at[i], width);
            if (known.inputs[i] == 's') constant[i] = splat(*at[i]);
        }
        float* out[outputs];
#pragma GCC unroll 3
        for (size_t o = 0; o < outputs; ++o) out[o] = out_[o] + c;
        const auto load_maps = [&](vec(&r)[registers]) __attribute__((always_inline)) {
#pragma GCC unroll 10
            for (size_t i = 0; i < inputs; ++i) r[i] = is_map(i) ? load_values<whole>(at[i], width) : constant[i];
        };
        if constexpr (measured < registers) {
            static_assert(known.sums[0].kind == Reduction::Kind::moments, "moments are the first of the sums");
            if (fresh_) {  // moments are about the first pixel
                vec r[registers];
                load_maps(r);
                compute<0>(r, immediates);
                store_values<whole>(sums_[0] + c, r[measured], width);
            }
        }
        Column<whole> column(sums_, view_.channels, c, width);
        for (int64_t p = pixels; p > 0; --p) {
            vec r[registers];
            load_maps(r);
#pragma GCC unroll 10
            for (size_t i = 0; i < inputs; ++i) {
                if (known.inputs[i] == 'm')
                    _mm_prefetch(reinterpret_cast<const char*>(at[i] + soon_ * stride_[i]), _MM_HINT_T1);
                if (is_map(i)) at[i] += stride_[i];
            }
            compute<0>(r, immediates);
#pragma GCC unroll 3
            for (size_t o = 0; o < outputs; ++o) {
                if (to_memory_) prefetch_written(out[o] + soon_ * out_stride_[o]);
                store_values<whole>(out[o], r[known.outputs[o]], width);
                out[o] += out_stride_[o];
            }
            column.add(r);
        }
        column.keep(sums_, view_.channels, c, width);
    }

    const ProgramView& view_;
    int64_t channels_;
    const float* at_[inputs];      ///< the tile's first pixel, the chunk's first channel
    int64_t stride_[inputs] = {};  ///< floats to the next pixel
    float* out_[outputs];
    int64_t out_stride_[outputs];
    bool to_memory_ = false;       ///< some output goes there
    int64_t soon_ = 0;             ///< pixels from one to that which is fetched meanwhile
    float* sums_[some_sums] = {};  ///< where the running block's sums are
    bool fresh_ = false;           ///< they are empty
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
