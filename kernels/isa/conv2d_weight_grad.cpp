// The register tile of the direct weight gradient.
//
// loop nest      runs (kernel rows) > tiles of J elements of a run (kernel column, input channel) > rows > pixels > J
// register tile  J broadcast source values x 16 output channels. AVX-512: 24 sums, or 3 kernel rows x 9 elements = 27,
//                the whole gradient of a first layer; AVX2: 6 x 2 vectors; SSE2: 3 x 4. Pixels pass, sums stay.
// caches         a band of source and diff_dst rows in L2, read once a tile; partial sums in L1 or L2
// bytes moved    a pixel brings J + 16 floats for J x 16 FMAs
// dot products   the same tile over pairs of pixels in bf16: half the pixels, twice the products in each
// expected       80-95 % of the FMA peak; the rest is adding the sums to the partial ones after at most 1,024 pixels
//                (or one row), which keeps the error of long sums at a few 1e-7
#include "kernels/conv2d/table.hpp"
#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

inline constexpr int vectors = static_cast<int>(conv_block / lanes);
#if defined(LIVEN_ISA_avx512)
inline constexpr int max_elements = 24, fused_elements = 9;
#elif defined(LIVEN_ISA_avx2)
inline constexpr int max_elements = 6, fused_elements = 0;
#else
inline constexpr int max_elements = 3, fused_elements = 0;
#endif

/// R runs x J elements x 16 channels, `Part`: fewer than 16 channels are there.
template <int R, int J, bool Part, bool dots>
void tile(const ConvGradRows& grad, int64_t run, int64_t element) noexcept {
    vec acc[R][J][vectors];
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 24
        for (int j = 0; j < J; ++j)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v) acc[r][j][v] = zero();
    const int64_t src_step = grad.src_step, diff_step = grad.diff_step;
    for (int64_t row = 0; row < grad.rows; ++row) {
        const float* x[R];
#pragma GCC unroll 3
        for (int r = 0; r < R; ++r) x[r] = grad.src[(run + r) * grad.rows + row] + element;
        const float* d = grad.diff_dst[row];
        for (int64_t p = grad.pixels; p > 0; --p) {
            vec dv[vectors];
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v)
                dv[v] = Part ? (grad.channels > v * lanes ? (grad.channels - v * lanes >= lanes
                                                                 ? load(d + v * lanes)
                                                                 : load_part(d + v * lanes, grad.channels - v * lanes))
                                                          : zero())
                             : load(d + v * lanes);
#pragma GCC unroll 3
            for (int r = 0; r < R; ++r) {
#pragma GCC unroll 24
                for (int j = 0; j < J; ++j)
#pragma GCC unroll 4
                    for (int v = 0; v < vectors; ++v) acc[r][j][v] = add_product<dots>(x[r] + j, dv[v], acc[r][j][v]);
            }
#pragma GCC unroll 3
            for (int r = 0; r < R; ++r) x[r] += src_step;
            d += diff_step;
        }
    }
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) {
        float* sum = grad.partial + ((run + r) * grad.length + element) * conv_block;
#pragma GCC unroll 24
        for (int j = 0; j < J; ++j)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v, sum += lanes) store(sum, load(sum) + acc[r][j][v]);
    }
}

using Tile = void (*)(const ConvGradRows&, int64_t, int64_t) noexcept;

template <int R, bool Part, bool dots, int... J>
Tile pick(int64_t elements, std::integer_sequence<int, J...>) {
    static constexpr Tile tiles[] = {tile<R, J + 1, Part, dots>...};
    return tiles[elements - 1];
}

template <int R, int Max, bool Part, bool dots>
void sweep(const ConvGradRows& grad, int64_t run) noexcept {
    const int64_t tiles = (grad.length + Max - 1) / Max;
    const int64_t narrow = grad.length / tiles, wide = grad.length % tiles;
    int64_t element = 0;
    for (int64_t t = 0; t < tiles; ++t) {
        const int64_t elements = narrow + (t < wide ? 1 : 0);
        pick<R, Part, dots>(elements, std::make_integer_sequence<int, Max>())(grad, run, element);
        element += elements;
    }
}

template <bool Part, bool dots>
void all_runs(const ConvGradRows& grad) noexcept {
    if constexpr (fused_elements > 0) {
        if (grad.run_count == 3 && grad.length <= fused_elements) return sweep<3, fused_elements, Part, dots>(grad, 0);
    }
    for (int64_t run = 0; run < grad.run_count; ++run) sweep<1, max_elements, Part, dots>(grad, run);
}

template <bool dots>
void grad_rows(const ConvGradRows& grad) noexcept {
    if (grad.channels == conv_block)
        all_runs<false, dots>(grad);
    else
        all_runs<true, dots>(grad);
}

#if defined(LIVEN_ISA_avx512)
constexpr auto rows_dots = grad_rows<true>;
#else
constexpr void (*rows_dots)(const ConvGradRows&) noexcept = nullptr;
#endif

constexpr ConvGradTable table{.rows = grad_rows<false>, .rows_dots = rows_dots, .fused_length = fused_elements};

}  // namespace

const ConvGradTable& LIVEN_ISA_NAME(conv_grad_table)() { return table; }

}  // namespace liven::kernels
