// The register tile of the direct convolution, forward and input gradient.
//
// loop nest      row of output pixels: tiles of pixels > runs (kernel rows) > elements of a run > pixels > vectors
// register tile  AVX-512: 16 pixels x 16 channels (16 sums; broadcasts embedded in the FMA or, where runs are three
//                pixels wide, used for three FMAs each) or 12 x 32 (24 sums);
//                AVX2: 6 x 16 (12); SSE2: 3 x 16 (12). A row is cut into tiles of nearly equal width.
// caches         the tile's weights come from L1, or L2 when a block of 16 channels outgrows L1; source rows lie in
//                L2 and pass through L1 once for each kernel row
// bytes moved    64 of weights for 12 to 16 (AVX-512) or 12 (AVX2) FMAs, 4 of source for each broadcast
// dot products   the same tile over pairs of channels in bf16: half the elements, twice the products in each
// expected       90-100 % of the FMA peak. What it takes is addressing: four pixels share a pointer as
//                [base + {0, 1, 2, 3} step]. Left alone, GCC 12 keeps a register an offset, runs out, and ends at 86 %;
//                unrolled further, it spills. Below 4 pixels the latency of the FMA shows.
#include <utility>

#include "kernels/conv2d/table.hpp"
#include "kernels/prefetch.hpp"
#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

inline constexpr int per_block = static_cast<int>(conv_block / lanes);
/// Of a tile of `vectors` vectors of channels. Eight sums would do for a core that starts one FMA a cycle; one that
/// starts two has none to spare among them.
template <int vectors>
#if defined(LIVEN_ISA_avx512)
inline constexpr int max_pixels = vectors == 1 ? 16 : 12;
inline constexpr int max_vectors = 2;
#elif defined(LIVEN_ISA_avx2)
inline constexpr int max_pixels = 6;
inline constexpr int max_vectors = 2;
#else
inline constexpr int max_pixels = 3;
inline constexpr int max_vectors = 4;
#endif

template <int P, int V>
LIVEN_INLINE void store_pixels(const ConvRow& row, int64_t first, const vec (&acc)[P][V]) {
    const int64_t tail = row.channels - (V - 1) * lanes;
    float* dst = row.dst + first * row.dst_step;
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p, dst += row.dst_step) {
#pragma GCC unroll 4
        for (int v = 0; v + 1 < V; ++v) store(dst + v * lanes, acc[p][v]);
        if (tail == lanes)
            store(dst + (V - 1) * lanes, acc[p][V - 1]);
        else
            store_part(dst + (V - 1) * lanes, acc[p][V - 1], tail);
    }
}

template <int P, int V, bool dots>
void tile(const ConvRow& row, int64_t first) noexcept {
    constexpr int bases = (P + 3) / 4;
    vec acc[P][V];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] = zero();
    const float* weights = row.weights;
    const int64_t step = row.src_step, length = row.run_length, block_step = row.block_step;
    for (int64_t r = 0; r < row.run_count; ++r) {
        const float* x[bases];
#pragma GCC unroll 4
        for (int b = 0; b < bases; ++b) x[b] = row.runs[r] + (first + 4 * b) * step;
        for (int64_t j = 0; j < length; ++j, weights += conv_block) {
            // Hide where the pointers come from: otherwise GCC keeps a register for each pixel, and runs out of them.
#pragma GCC unroll 4
            for (int b = 0; b < bases; ++b) asm("" : "+r"(x[b]));
            vec w[V];
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v) w[v] = load(weights + (v / per_block) * block_step + (v % per_block) * lanes);
#pragma GCC unroll 16
            for (int p = 0; p < P; ++p) {
                const float* value = x[p / 4] + (p % 4) * step;
#pragma GCC unroll 4
                for (int v = 0; v < V; ++v) acc[p][v] = add_product<dots>(value, w[v], acc[p][v]);
            }
#pragma GCC unroll 4
            for (int b = 0; b < bases; ++b) ++x[b];
        }
    }
    store_pixels(row, first, acc);
}

/// A tile of one vector of channels whose runs are three pixels: a value that is loaded once meets all three weights
/// of its channel, one for each of the pixels that reach it. Otherwise every FMA brings a load, and a core that starts
/// two of each a cycle has none to spare for the weights.
template <int P, bool dots>
void sliding_tile(const ConvRow& row, int64_t first) noexcept {
    constexpr int taps = 3, values = P + taps - 1, bases = (values + 3) / 4;
    vec acc[P][1];
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) acc[p][0] = zero();
    const float* weights = row.weights;
    const int64_t step = row.src_step;
    for (int64_t r = 0; r < row.run_count; ++r, weights += (taps - 1) * step * conv_block) {
        const float* x[bases];
#pragma GCC unroll 5
        for (int b = 0; b < bases; ++b) x[b] = row.runs[r] + (first + 4 * b) * step;
        for (int64_t c = 0; c < step; ++c, weights += conv_block) {
#pragma GCC unroll 5
            for (int b = 0; b < bases; ++b) asm("" : "+r"(x[b]));
            vec w[taps];
#pragma GCC unroll 3
            for (int t = 0; t < taps; ++t) w[t] = load(weights + t * step * conv_block);
#pragma GCC unroll 18
            for (int i = 0; i < values; ++i) {
                const vec value = splat(x[i / 4][(i % 4) * step]);
#pragma GCC unroll 3
                for (int t = 0; t < taps; ++t)
                    if (i >= t && i - t < P) acc[i - t][0] = add_product<dots>(value, w[t], acc[i - t][0]);
            }
#pragma GCC unroll 5
            for (int b = 0; b < bases; ++b) ++x[b];
        }
    }
    store_pixels(row, first, acc);
}

using Tile = void (*)(const ConvRow&, int64_t) noexcept;

template <int V, bool dots, int... P>
Tile tile_of(int64_t pixels, std::integer_sequence<int, P...>) {
    static constexpr Tile all[] = {tile<P + 1, V, dots>...};
    return all[pixels - 1];
}

template <bool dots, int... P>
Tile sliding_tile_of(int64_t pixels, std::integer_sequence<int, P...>) {
    static constexpr Tile all[] = {sliding_tile<P + 1, dots>...};
    return all[pixels - 1];
}

/// The tile of so many pixels that suits the row.
template <int V, bool dots>
Tile tile_for(const ConvRow& row, int64_t pixels) {
    constexpr auto widths = std::make_integer_sequence<int, max_pixels<V>>();
    if constexpr (V == 1 && lanes == conv_block)
        if (row.run_length == 3 * row.src_step) return sliding_tile_of<dots>(pixels, widths);
    return tile_of<V, dots>(pixels, widths);
}

template <int V, bool dots>
void row_of(const ConvRow& row) noexcept {
    const int64_t tiles = (row.pixels + max_pixels<V> - 1) / max_pixels<V>;
    const int64_t narrow = row.pixels / tiles, wide = row.pixels % tiles;  // `wide` tiles have one pixel more
    const Tile narrow_tile = tile_for<V, dots>(row, narrow);
    const Tile wide_tile = wide > 0 ? tile_for<V, dots>(row, narrow + 1) : narrow_tile;
    // A copy that waits for memory between rows would cost 10 % at 16 channels.
    Prefetch soon({row.soon, static_cast<size_t>(row.soon_bytes)}, tiles);
    int64_t first = 0;
    for (int64_t t = 0; t < tiles; ++t) {
        soon.next();
        if (t < wide)
            wide_tile(row, first);
        else
            narrow_tile(row, first);
        first += narrow + (t < wide ? 1 : 0);
    }
}

template <bool dots>
void conv_row(const ConvRow& row) noexcept {
    switch ((row.channels + lanes - 1) / lanes) {
        case 1:
            return row_of<1, dots>(row);
#if defined(LIVEN_ISA_baseline)
        case 2:
            return row_of<2, dots>(row);
        case 3:
            return row_of<3, dots>(row);
#endif
        default:
            return row_of<max_vectors, dots>(row);
    }
}

/// Pixels whose runs do not touch each other come together: a load would wait for a store that covers part of it.
void add_runs(const ConvRuns& runs) noexcept {
    const int64_t apart = (runs.length + runs.dst_step - 1) / runs.dst_step;
    for (int64_t first = 0; first < apart; ++first)
        for (int64_t p = first; p < runs.pixels; p += apart) {
            float* dst = runs.dst + p * runs.dst_step;
            const int64_t src = p * runs.src_step;
            for (int64_t j = 0; j < runs.length; j += lanes) {
                const int64_t count = runs.length - j < lanes ? runs.length - j : lanes;
                vec sum = load_part(dst + j, count);
                for (int64_t r = 0; r < runs.row_count; ++r) sum = sum + load(runs.rows[r] + src + j);
                store_part(dst + j, sum, count);
            }
        }
}

#if defined(LIVEN_ISA_avx512)
/// The weights of two neighbouring source channels as pairs of bf16.
void pair_weights(const float* even, const float* odd, float* pairs) noexcept {
    store(pairs, pairs_bf16(load(even), load(odd)));
}
constexpr auto row_dots = conv_row<true>;
#else
constexpr void (*row_dots)(const ConvRow&) noexcept = nullptr;
constexpr void (*pair_weights)(const float*, const float*, float*) noexcept = nullptr;
#endif

constexpr ConvForwardTable table{.row = conv_row<false>,
                                 .row_dots = row_dots,
                                 .pair_weights = pair_weights,
                                 .add_runs = add_runs,
                                 .max_row_channels = max_vectors * lanes};

}  // namespace

const ConvForwardTable& LIVEN_ISA_NAME(conv_forward_table)() { return table; }

}  // namespace liven::kernels
