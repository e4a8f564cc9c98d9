// Winograd's convolution F(4x4, 3x3) (Lavin & Gray 2015, points 0, 1, -1, 2, -2, infinity), forward and input gradient.
//
// loop nest      source transform: tiles > vectors of channels
//                products: 36 points > 16 or 32 result channels > tiles of the group > source channels
//                result transform: tiles > vectors of channels
// register tile  products: AVX-512 12 tiles x 32 channels (24 sums), AVX2 6 x 16 (12), SSE2 3 x 16 (12); the transforms
//                hold 36 vectors, more than there are registers, and keep the rest on the stack (L1)
// caches         the points of up to 12 tiles in L2 (L1 at 16 channels); the weights' points in L2 up to 64 channels
// bytes moved    2 x 36 (depth + channels) floats a tile within L2, the weights' points once a group
// expected       36 FMAs where the direct kernel has 144, so at most 400 % of its peak; the transforms leave 135-160 %
//                at 16 channels, 200-290 % from 32 to 128; from 256 the weights' points come from L3 (100-190 %)
#include "kernels/conv2d_table.hpp"
#include "kernels/winograd_points.hpp"
#include "kernels/winograd_table.hpp"

namespace liven::kernels {
namespace {

inline constexpr int per_block = static_cast<int>(conv_block / lanes);

/// A' m: six points to four results.
LIVEN_INLINE void results(const vec (&m)[6], vec (&o)[4]) {
    const vec two = splat(2.0f), four = splat(4.0f), eight = splat(8.0f);
    const vec sum1 = m[1] + m[2], difference1 = m[1] - m[2], sum2 = m[3] + m[4], difference2 = m[3] - m[4];
    o[0] = m[0] + (sum1 + sum2);
    o[1] = madd(two, difference2, difference1);
    o[2] = madd(four, sum2, sum1);
    o[3] = m[5] + madd(eight, difference2, difference1);
}

/// G g: three weights to six points.
LIVEN_INLINE void weight_points(const vec (&g)[3], vec (&o)[6]) {
    const vec even = (g[0] + g[2]) * splat(-1.0f / 6.0f), odd = g[1] * splat(-1.0f / 6.0f);
    const vec even2 = madd(g[0], splat(1.0f / 24.0f), g[2] * splat(1.0f / 6.0f)), odd2 = g[1] * splat(1.0f / 12.0f);
    o[0] = g[0] * splat(0.25f);
    o[1] = even + odd;
    o[2] = even - odd;
    o[3] = even2 + odd2;
    o[4] = even2 - odd2;
    o[5] = g[2];
}

void transform_weights(const float* packed, int64_t tap, int64_t depth, float* points) noexcept {
    const int64_t point = depth * conv_block;
    for (int64_t i = 0; i < point; i += lanes) {
        vec columns[6][3];
#pragma GCC unroll 3
        for (int w = 0; w < 3; ++w) {
            const vec g[3] = {load(packed + w * tap + i), load(packed + (3 + w) * tap + i),
                              load(packed + (6 + w) * tap + i)};
            vec o[6];
            weight_points(g, o);
#pragma GCC unroll 6
            for (int y = 0; y < 6; ++y) columns[y][w] = o[y];
        }
#pragma GCC unroll 6
        for (int y = 0; y < 6; ++y) {
            vec o[6];
            weight_points(columns[y], o);
#pragma GCC unroll 6
            for (int x = 0; x < 6; ++x) store(points + (y * 6 + x) * point + i, o[x]);
        }
    }
}

/// Where a vector of channels lies among the points of a tile: blocks of 16 channels of 36 points each, so that a
/// transform reads and writes at fixed offsets.
constexpr int64_t point_offset(int64_t channel) {
    return channel / conv_block * (winograd_points * conv_block) + channel % conv_block;
}

/// Two rows of six points of a vector of channels of one tile. Twelve vectors stay in registers, where all 36 would go
/// to the stack and back: reading the source once for each pair is cheaper.
template <int Pair>
LIVEN_INLINE void transform_row_pair(const float* const (&rows)[6], int64_t src_step, float* points) {
    vec pair[2][6];
    int64_t column = 0;
#pragma GCC unroll 6
    for (int x = 0; x < 6; ++x, column += src_step) {
        // One register for the column: GCC would otherwise keep 36 addresses.
        asm("" : "+r"(column));
        source_row_pair<Pair>(
            [&](int y) __attribute__((always_inline)) { return load(rows[y] + column); }, pair[0][x], pair[1][x]);
    }
#pragma GCC unroll 2
    for (int y = 0; y < 2; ++y) {
        vec o[6];
        source_points(pair[y], o);
        float* row = points + (y == 0 ? first_of_pair<Pair> : second_of_pair<Pair>)*6 * conv_block;
#pragma GCC unroll 6
        for (int x = 0; x < 6; ++x) store(row + x * conv_block, o[x]);
    }
}

/// The 36 points of a vector of channels of one tile.
LIVEN_INLINE void transform_source(const WinogradTile& tile, int64_t src_step, int64_t channel, float* points) {
    const float* rows[6];
#pragma GCC unroll 6
    for (int y = 0; y < 6; ++y) rows[y] = tile.rows[y] + channel;
    transform_row_pair<0>(rows, src_step, points);
    transform_row_pair<1>(rows, src_step, points);
    transform_row_pair<2>(rows, src_step, points);
}

LIVEN_INLINE void transform_results(const WinogradGroup& group, const WinogradTile& tile, int64_t channel,
                                    const float* points) {
    vec columns[4][6];
#pragma GCC unroll 6
    for (int x = 0; x < 6; ++x) {
        vec m[6], o[4];
#pragma GCC unroll 6
        for (int y = 0; y < 6; ++y) m[y] = load(points + (y * 6 + x) * conv_block);
        results(m, o);
#pragma GCC unroll 4
        for (int y = 0; y < 4; ++y) columns[y][x] = o[y];
    }
    const bool whole = tile.dst_rows == 4 && tile.dst_columns == 4;
    float* dst = tile.dst + channel;
#pragma GCC unroll 4
    for (int y = 0; y < 4; ++y, dst += group.dst_row_step) {
        vec o[4];
        results(columns[y], o);
        if (whole) {
#pragma GCC unroll 4
            for (int x = 0; x < 4; ++x) store(dst + x * group.dst_step, o[x]);
        } else if (y < tile.dst_rows) {
#pragma GCC unroll 4
            for (int x = 0; x < 4; ++x)
                if (x < tile.dst_columns) store(dst + x * group.dst_step, o[x]);
        }
    }
}

/// How the operands of a product lie.
struct ProductStrides {
    int64_t depth;  ///< source channels
    int64_t src;    ///< floats from tile to tile
    int64_t block;  ///< from one block of 16 result channels of the weights to the next
    int64_t dst;    ///< from tile to tile
};

/// Products of one point: P tiles x V vectors of result channels.
template <int P, int V>
void product(const float* src, const float* weights, float* dst, const ProductStrides& strides, bool add) noexcept {
    constexpr int bases = (P + 2) / 3;
    constexpr auto at = [](int v) { return point_offset(v * lanes); };
    const int64_t src_step = strides.src, dst_step = strides.dst;
    vec acc[P][V];
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] = zero();
    if (add) {
#pragma GCC unroll 12
        for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v) acc[p][v] = load(dst + p * dst_step + at(v));
    }
    const float* x[bases];
#pragma GCC unroll 4
    for (int b = 0; b < bases; ++b) x[b] = src + 3 * b * src_step;
    for (int64_t rest = strides.depth; rest > 0; rest -= conv_block) {
        for (int64_t j = conv_block; j > 0; --j, weights += conv_block) {
            // As in the direct kernel: three tiles share a pointer, and GCC must not know how they hang together.
#pragma GCC unroll 4
            for (int b = 0; b < bases; ++b) asm("" : "+r"(x[b]));
            vec w[V];
#pragma GCC unroll 4
            for (int v = 0; v < V; ++v)
                w[v] = load(weights + (v / per_block) * strides.block + (v % per_block) * lanes);
#pragma GCC unroll 12
            for (int p = 0; p < P; ++p) {
                const vec value = splat(x[p / 3][(p % 3) * src_step]);
#pragma GCC unroll 4
                for (int v = 0; v < V; ++v) acc[p][v] = madd(value, w[v], acc[p][v]);
            }
#pragma GCC unroll 4
            for (int b = 0; b < bases; ++b) ++x[b];
        }
#pragma GCC unroll 4
        for (int b = 0; b < bases; ++b) x[b] += (winograd_points - 1) * conv_block;
    }
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) store(dst + p * dst_step + at(v), acc[p][v]);
}

using Product = void (*)(const float*, const float*, float*, const ProductStrides&, bool) noexcept;

#if defined(LIVEN_ISA_avx512)
inline constexpr int max_tiles = 12, wide_vectors = 2;
#elif defined(LIVEN_ISA_avx2)
inline constexpr int max_tiles = 6, wide_vectors = per_block;
#else
inline constexpr int max_tiles = 3, wide_vectors = per_block;
#endif

template <int V, int... P>
Product pick(int64_t tiles, std::integer_sequence<int, P...>) {
    static constexpr Product all[] = {product<P + 1, V>...};
    return all[tiles - 1];
}

/// One point, `V` vectors of result channels, all tiles of the group.
template <int V>
LIVEN_INLINE void products(const WinogradGroup& group, const float* src, const float* weights, float* dst) {
    const int64_t parts = (group.count + max_tiles - 1) / max_tiles;
    const int64_t narrow = group.count / parts, wide = group.count % parts;
    const ProductStrides strides{.depth = group.depth,
                                 .src = winograd_tile_floats(group.depth),
                                 .block = winograd_points * group.depth * conv_block,
                                 .dst = winograd_tile_floats(group.channels)};
    int64_t first = 0;
    for (int64_t part = 0; part < parts; ++part) {
        const int64_t tiles = narrow + (part < wide ? 1 : 0);
        pick<V>(tiles, std::make_integer_sequence<int, max_tiles>())(src + first * strides.src, weights,
                                                                     dst + first * strides.dst, strides, group.add);
        first += tiles;
    }
}

void source_and_products(const WinogradGroup& group) noexcept {
    constexpr int64_t line = 64;
    const int64_t src_step = winograd_tile_floats(group.depth);
    for (int64_t t = 0; t < group.count; ++t)
        for (int64_t c = 0; c < group.depth; c += lanes)
            transform_source(group.tiles[t], group.src_step, c, group.src_points + t * src_step + point_offset(c));
    const int64_t lines = (group.soon_bytes + line - 1) / line;
    const int64_t block_step = winograd_points * group.depth * conv_block;
    for (int64_t k = 0; k < winograd_points; ++k) {
        for (int64_t l = lines * k / winograd_points; l < lines * (k + 1) / winograd_points; ++l)
            __builtin_prefetch(group.soon + l * line, 0, 2);
        const float* src = group.src_points + k * conv_block;
        const float* weights = group.weights + k * group.depth * conv_block;
        float* dst = group.dst_points + k * conv_block;
        int64_t c = 0;
        for (; c + wide_vectors * lanes <= group.channels; c += wide_vectors * lanes)
            products<wide_vectors>(group, src, weights + c / conv_block * block_step, dst + point_offset(c));
        for (; c < group.channels; c += conv_block)
            products<per_block>(group, src, weights + c / conv_block * block_step, dst + point_offset(c));
    }
}

void group_results(const WinogradGroup& group, int64_t first, int64_t last) noexcept {
    const int64_t dst_step = winograd_tile_floats(group.channels);
    for (int64_t t = first; t < last; ++t)
        for (int64_t c = 0; c < group.channels; c += lanes)
            transform_results(group, group.tiles[t], c, group.dst_points + t * dst_step + point_offset(c));
}

void winograd_group(const WinogradGroup& group) noexcept {
    source_and_products(group);
    group_results(group, 0, group.count);
}

constexpr WinogradTable table{
    .weights = transform_weights, .group = winograd_group, .products = source_and_products, .results = group_results};

}  // namespace

const WinogradTable& LIVEN_ISA_NAME(winograd_table)() { return table; }

}  // namespace liven::kernels
