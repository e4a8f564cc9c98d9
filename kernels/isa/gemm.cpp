// Register tiles of the matrix product.
//
// A tile of `rows` x 2 vectors of c stays in registers while k runs: each step loads two vectors of b and broadcasts
// one value of a per row straight into the FMA. AVX-512: 12 x 2 = 24 accumulators of 32 registers; AVX2 and SSE2: 6 x 2
// = 12 of 16 (SSE2 4 x 2, for its packing). A step of k is 2 * rows FMAs against rows + 2 loads, so the two load ports
// never limit it, and 24 (12) chains hide the FMA's 4 cycles twice over. Per step b brings 2 vectors (128 bytes a 24
// cycles with AVX-512) and a 48 bytes: little enough to stream from L2 while the other operand stays in L1. c is
// touched once per block of k (256 deep: 2 % of the time). A single row takes eight vectors of b side by side instead.
// The flat tile, 6 x 4 vectors with AVX-512, reads twice as much of b, but rows of a that lie any power of two apart
// stay in L1: six lines of a set's eight. The others' tiles are as flat as that anyhow.
// Expected: 95 % of the FMA peak in the tile, 90 % with packing; memory speed when k or the rows are few.
#include "kernels/gemm/gemm.hpp"

#include <utility>

#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

#if defined(LIVEN_ISA_avx512)
constexpr int max_rows = 12;
constexpr int flat_rows = 6, flat_vectors = 4;
#elif defined(LIVEN_ISA_avx2)
constexpr int max_rows = 6;
#else
constexpr int max_rows = 4;
#endif
constexpr int max_vectors = 2;
static_assert(max_rows <= lanes, "a packed row of a strip is one vector store");

template <int vectors>
LIVEN_INLINE void store_row(float* c, const vec (&row)[vectors], int64_t columns) {
    if (columns == vectors * lanes) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) store(c + v * lanes, row[v]);
        return;
    }
#pragma GCC unroll 4
    for (int v = 0; v + 1 < vectors; ++v) store(c + v * lanes, row[v]);
    store_part(c + (vectors - 1) * lanes, row[vectors - 1], columns - (vectors - 1) * lanes);
}

template <int vectors>
LIVEN_INLINE void add_row(const float* add, vec (&row)[vectors], int64_t columns) {
#pragma GCC unroll 4
    for (int v = 0; v + 1 < vectors; ++v) row[v] = row[v] + load(add + v * lanes);
    const int64_t rest = columns - (vectors - 1) * lanes;
    const float* last = add + (vectors - 1) * lanes;
    row[vectors - 1] = row[vectors - 1] + (rest == lanes ? load(last) : load_part(last, rest));
}

template <int rows, int vectors, bool packed, bool dots>
void tile(const GemmTile& t) {
    vec sum[rows][vectors];
#pragma GCC unroll 12
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sum[r][v] = zero();
    if (!t.stream)
        for (int r = 0; r < rows; ++r)
            for (int v = 0; v < vectors; ++v) prefetch_written(t.c + r * t.c_row + v * lanes);

    // One pointer for four rows: every row is then a base and one of three offsets, and all of them fit the registers.
    const int64_t a_row = t.a_row, b_row = t.b_row, ahead_step = t.ahead_step;
    constexpr int bases = (rows + 3) / 4;
    const float* a[bases];
#pragma GCC unroll 3
    for (int i = 0; i < bases; ++i) a[i] = t.a + (packed ? 4 * i : 4 * i * a_row);
    const float* b = t.b;
    const float* ahead = t.ahead;
    const char* fetch = t.fetch ? t.fetch : reinterpret_cast<const char*>(t.c);
    const int64_t fetch_step = t.fetch_step;
    int64_t until_jump = GemmTile::fetch_steps;
    for (int64_t k = t.depth; k > 0; --k) {
        vec right[vectors];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) right[v] = load(b + v * lanes);
        __builtin_prefetch(ahead);
        if constexpr (lanes == 16) __builtin_prefetch(ahead + 16);  // few tiles bring a whole block: two lines a step
        __builtin_prefetch(fetch, 0, 2);
        fetch += fetch_step;
        if (--until_jump == 0) {
            until_jump = GemmTile::fetch_steps;
            fetch += t.fetch_jump;
        }
#pragma GCC unroll 12
        for (int r = 0; r < rows; ++r) {
            const vec left = splat(packed ? a[0][r] : a[r / 4][r % 4 * a_row]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v) sum[r][v] = add_product<dots>(left, right[v], sum[r][v]);
        }
#pragma GCC unroll 3
        for (int i = 0; i < (packed ? 1 : bases); ++i) {
            a[i] += packed ? a_row : 1;
            if (!packed) asm("" : "+r"(a[i]));  // keeps the compiler from folding the pointers into twelve offsets
        }
        b += b_row;
        ahead += ahead_step;
    }

    float* c = t.c;
    const float* add = t.add;
#pragma GCC unroll 12
    for (int r = 0; r < rows; ++r, c += t.c_row) {
        if (add) {
            add_row<vectors>(add, sum[r], t.columns);
            add += t.add_row;
        }
        if (t.stream) {
#pragma GCC unroll 4
            for (int v = 0; v < vectors; ++v) store_stream(c + v * lanes, sum[r][v]);
            continue;
        }
        store_row<vectors>(c, sum[r], t.columns);
    }
}

/// One row: memory speed decides. The lines of b that are needed a few rows later are asked for meanwhile.
constexpr int row_vectors = 8;
void run_row(const GemmTile& t) {
    constexpr int rows_ahead = 16;
    vec sum[1][row_vectors];
#pragma GCC unroll 8
    for (int v = 0; v < row_vectors; ++v) sum[0][v] = zero();
    const float *a = t.a, *b = t.b, *soon = t.b + rows_ahead * t.b_row;
    const int64_t b_row = t.b_row;
    for (int64_t k = 0; k < t.depth; ++k) {
        const vec left = splat(a[k]);
#pragma GCC unroll 8
        for (int v = 0; v < row_vectors; ++v) {
            if (v * lanes % 16 == 0) __builtin_prefetch(soon + v * lanes);
            sum[0][v] = madd(left, load(b + v * lanes), sum[0][v]);
        }
        b += b_row;
        soon += b_row;
    }
    if (t.add) add_row<row_vectors>(t.add, sum[0], row_vectors * lanes);
    store_row<row_vectors>(t.c, sum[0], row_vectors * lanes);
}

/// Vectors of b hold two columns a lane: the even one in the lower half, the odd one in the upper.
void run_row_bf16(const GemmTile& t, const uint16_t* b) {
    constexpr int pairs = row_vectors / 2, rows_ahead = 32;
    vec even[pairs], odd[pairs];
#pragma GCC unroll 4
    for (int v = 0; v < pairs; ++v) even[v] = odd[v] = zero();
    const float* a = t.a;
    const uint16_t* soon = b + rows_ahead * t.b_row;
    for (int64_t k = 0; k < t.depth; ++k) {
        const vec left = splat(a[k]);
#pragma GCC unroll 4
        for (int v = 0; v < pairs; ++v) {
            if (v * lanes % 16 == 0) __builtin_prefetch(soon + 2 * v * lanes);
            const ivec both = bits_of(load(reinterpret_cast<const float*>(b + 2 * v * lanes)));
            even[v] = madd(left, from_bits(both << 16), even[v]);
            odd[v] = madd(left, from_bits(both & ivec(-65536)), odd[v]);
        }
        b += t.b_row;
        soon += t.b_row;
    }
    float columns[2][pairs * lanes];
    for (int v = 0; v < pairs; ++v) {
        store(columns[0] + v * lanes, even[v]);
        store(columns[1] + v * lanes, odd[v]);
    }
    for (int64_t c = 0; c < row_vectors * lanes; ++c) t.c[c] = columns[c % 2][c / 2] + (t.add ? t.add[c] : 0.0f);
}

using TileFunction = void (*)(const GemmTile&);

template <int vectors, bool packed, bool dots, int... row>
TileFunction tile_of(int64_t rows, std::integer_sequence<int, row...>) {
    static constexpr TileFunction all[] = {tile<row + 1, vectors, packed, dots>...};
    return all[rows - 1];
}

template <int vectors, bool packed>
TileFunction tile_of(int64_t rows) {
    return tile_of<vectors, packed, false>(rows, std::make_integer_sequence<int, max_rows>());
}

void run_tile(const GemmTile& t) {
    if (t.columns <= lanes)
        (t.a_turned ? tile_of<1, true>(t.rows) : tile_of<1, false>(t.rows))(t);
    else
        (t.a_turned ? tile_of<2, true>(t.rows) : tile_of<2, false>(t.rows))(t);
}

#if defined(LIVEN_ISA_avx512)
void run_tile_dots(const GemmTile& t) {
    constexpr auto rows = std::make_integer_sequence<int, max_rows>();
    (t.columns <= lanes ? tile_of<1, true, true>(t.rows, rows) : tile_of<2, true, true>(t.rows, rows))(t);
}

/// The 32 values of bf16 at p, or the first `count` of them and zeros.
LIVEN_INLINE __m512i load_halves(const uint16_t* p, int64_t count) {
    if (count >= 2 * lanes) return _mm512_loadu_si512(p);
    return _mm512_maskz_loadu_epi16(static_cast<__mmask32>((1u << count) - 1u), p);
}

void pair_rows(const uint16_t* const* rows, int64_t pairs, int64_t width, float* dst, int64_t dst_row) {
    for (int64_t r = 0; r < pairs; ++r, rows += 2, dst += dst_row)
        for (int64_t c = 0; c < width; c += 2 * lanes) {
            const __m512i even = load_halves(rows[0] + c, width - c), odd = load_halves(rows[1] + c, width - c);
            store(dst + c, _mm512_castsi512_ps(pairs_of<0>(even, odd)));
            if (width - c > lanes) store(dst + c + lanes, _mm512_castsi512_ps(pairs_of<lanes>(even, odd)));
        }
}

template <bool dots>
void run_flat_tile(const GemmTile& t) {
    constexpr auto rows = std::make_integer_sequence<int, flat_rows>();
    switch ((t.columns + lanes - 1) / lanes) {
        case 1:
            return tile_of<1, false, dots>(t.rows, rows)(t);
        case 2:
            return tile_of<2, false, dots>(t.rows, rows)(t);
        case 3:
            return tile_of<3, false, dots>(t.rows, rows)(t);
        default:
            return tile_of<flat_vectors, false, dots>(t.rows, rows)(t);
    }
}

void pack_pairs(const float* src, int64_t src_row, int64_t rows, int64_t width, float* dst, int64_t dst_row) {
    for (int64_t r = 0; r < rows; ++r, src += 2 * src_row, dst += dst_row) {
        int64_t c = 0;
        for (; c + lanes <= width; c += lanes) store(dst + c, pairs_bf16(load(src + c), load(src + src_row + c)));
        if (c == width) continue;
        const vec even = load_part(src + c, width - c), odd = load_part(src + src_row + c, width - c);
        store(dst + c, pairs_bf16(even, odd));
    }
}

void round_bf16(const float* src, int64_t count, uint16_t* dst) {
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) store_bf16<true>(dst + i, load(src + i));
    if (i < count) store_bf16_part<true>(dst + i, load_part(src + i, count - i), count - i);
}
#endif

/// The columns of up to `lanes` rows of src, one vector a column (zeros beyond the rows), handed to `put(column,
/// vector)` in their order.
template <class Put>
LIVEN_INLINE void each_column(const float* src, int64_t src_row, int64_t rows, int64_t columns, Put put) {
    for (int64_t k = 0; k < columns; k += lanes) {
        const int64_t width = columns - k < lanes ? columns - k : lanes;
        vec square[lanes];
#pragma GCC unroll 16
        for (int r = 0; r < static_cast<int>(lanes); ++r) {
            const float* row = src + r * src_row + k;
            square[r] = r >= rows ? zero() : width == lanes ? load(row) : load_part(row, width);
            if (r < rows) __builtin_prefetch(row + 32);
        }
        transpose(square);
#pragma GCC unroll 16
        for (int c = 0; c < static_cast<int>(lanes); ++c)
            if (c < width) put(k + c, square[c]);
    }
}

void pack_turned(const float* src, int64_t src_row, int64_t rows, int64_t columns, float* dst, int64_t dst_row) {
    for (int64_t r = 0; r < rows; r += lanes) {
        float* out = dst + r;
        each_column(src + r * src_row, src_row, rows - r < lanes ? rows - r : lanes, columns,
                    [=](int64_t column, vec values) { store(out + column * dst_row, values); });
    }
}

void transpose_matrix(const float* src, int64_t src_row, int64_t rows, int64_t columns, float* dst, int64_t dst_row) {
    for (int64_t r = 0; r < rows; r += lanes) {
        const int64_t height = rows - r < lanes ? rows - r : lanes;
        float* out = dst + r;
        if (height == lanes)
            each_column(src + r * src_row, src_row, lanes, columns,
                        [=](int64_t column, vec values) { store(out + column * dst_row, values); });
        else
            each_column(src + r * src_row, src_row, height, columns,
                        [=](int64_t column, vec values) { store_part(out + column * dst_row, values, height); });
    }
}

LIVEN_INLINE vec load_all(const float* p) { return load(p); }
LIVEN_INLINE vec load_all(const uint16_t* p) { return load_bf16(p); }
LIVEN_INLINE vec load_some(const float* p, int64_t count) { return load_part(p, count); }
LIVEN_INLINE vec load_some(const uint16_t* p, int64_t count) { return load_bf16_part(p, count); }

template <class Element>
void pack(const Element* src, int64_t src_row, int64_t rows, int64_t panels, int64_t width, float* dst, int64_t dst_row,
          int64_t pitch) {
    const int64_t whole = width / lanes * lanes, rest = width - whole;
    const int64_t soon = 16 * src_row;  // rows a page apart are no stream to the hardware
    constexpr int64_t line = 64 / sizeof(Element);
    for (int64_t r = 0; r < rows; ++r) {
        for (int64_t p = 0; p < panels; ++p) {
            const Element* in = src + r * src_row + p * width;
            float* out = dst + r * dst_row + p * pitch;
            for (int64_t c = 0; c < whole; c += lanes) {
                if (c % line == 0) __builtin_prefetch(in + soon + c);
                store(out + c, load_all(in + c));
            }
            if (rest > 0) store(out + whole, load_some(in + whole, rest));
        }
    }
}

void sum_arrays(const float* src, int64_t apart, int64_t count, int64_t size, float* dst) {
    int64_t i = 0;
    for (; i + lanes <= size; i += lanes) {
        vec sum = load(src + i);
        for (int64_t s = 1; s < count; ++s) sum = sum + load(src + s * apart + i);
        store(dst + i, sum);
    }
    if (i == size) return;
    vec sum = load_part(src + i, size - i);
    for (int64_t s = 1; s < count; ++s) sum = sum + load_part(src + s * apart + i, size - i);
    store_part(dst + i, sum, size - i);
}

void fence() { stream_fence(); }

}  // namespace

const GemmKernels& LIVEN_ISA_NAME(gemm_kernels)();
const GemmKernels& LIVEN_ISA_NAME(gemm_kernels)() {
    static constexpr GemmKernels kernels {
        .rows = max_rows, .columns = max_vectors * lanes, .lanes = lanes, .tile = run_tile,
#if defined(LIVEN_ISA_avx512)
        .flat_rows = flat_rows, .flat_columns = flat_vectors * lanes, .flat_tile = run_flat_tile<false>,
        .flat_tile_dots = run_flat_tile<true>, .tile_dots = run_tile_dots, .pair_rows = pair_rows,
        .pack_pairs = pack_pairs, .round_bf16 = round_bf16,
#else
        .flat_rows = max_rows, .flat_columns = max_vectors * lanes, .flat_tile = run_tile,
#endif
        .row_columns = row_vectors * lanes, .row = run_row, .row_bf16 = run_row_bf16, .pack = pack<float>,
        .pack_bf16 = pack<uint16_t>, .pack_turned = pack_turned, .transpose = transpose_matrix, .sum = sum_arrays,
        .fence = fence
    };
    return kernels;
}

}  // namespace liven::kernels
