// Winograd's convolutions F(4x4, 3x3) and F(2x2, 3x3) (Lavin & Gray 2015, points 0, 1, -1, 2, -2, infinity, of which
// the smaller tile takes the first three and the last), forward and input gradient, and the convolutions of upsampled
// maps by differences of neighbouring pixels (kernels/winograd/scheme.hpp). Figures are those of F(4x4).
//
// loop nest      source transform: tiles > vectors of channels > three pairs of rows of points
//                products: 36 points > 16 or 32 result channels > tiles of the group > source channels
//                result transform: tiles > vectors of channels, and what an epilogue does with them, in registers
// register tile  products: AVX-512 12 tiles x 32 channels (24 sums), AVX2 6 x 16 (12), SSE2 3 x 16 (12). The source
//                transform makes 12 points at a time; the result transform holds 24 vectors, or 12 twice
//                where there are fewer registers
// caches         the points of 6 to 12 tiles in L1 or L2, those of few result channels in the place of the source's;
//                the weights' points in L2 up to 64 channels
// bytes moved    2 x 36 (depth + channels) floats a tile within L2, the weights' points once a group
// expected       36 FMAs where the direct kernel has 144, so at most 400 % of its peak. On a Zen 4 a store of 64 bytes
//                takes the operand ports of one and a half FMAs, which the 72 stores of points and the transforms' own
//                arithmetic leave about 330 % of at 16 channels in L1; waiting for memory, 180-200 % remain there,
//                240-260 % at 32, 300-330 % at 64 and 128 (bin/fused_conv2d_bench). A Zen 5's peak is twice that on the
//                same memory: 150 % at 16 channels, 230 % at 32 (bin/kernel_bench --threads 2). F(2x2) has 16 FMAs
//                where the direct kernel has 36: at most 225 %
#include "kernels/conv2d/table.hpp"
#include "kernels/pointwise/sums.hpp"
#include "kernels/prefetch.hpp"
#include "kernels/winograd/finisher.hpp"
#include "kernels/winograd/points.hpp"
#include "kernels/winograd/products.hpp"
#include "kernels/winograd/table.hpp"

namespace liven::kernels {
namespace {

using Scheme = WinogradScheme;

using Kind = WinogradFinishKind;

template <Scheme S>
inline constexpr int side_of = static_cast<int>(tiling_of(S).side);
template <Scheme S>
inline constexpr int points_of = static_cast<int>(tiling_of(S).points);  ///< each way

/// A' m for tiles of 2 x 2 results: four points to two.
LIVEN_INLINE void results(const vec (&m)[4], vec (&o)[2]) {
    o[0] = m[0] + (m[1] + m[2]);
    o[1] = (m[1] - m[2]) - m[3];
}

/// A' m for tiles of 4 x 4 results: six points to four.
LIVEN_INLINE void results(const vec (&m)[6], vec (&o)[4]) {
    const vec two = splat(2.0f), four = splat(4.0f), eight = splat(8.0f);
    const vec sum1 = m[1] + m[2], difference1 = m[1] - m[2], sum2 = m[3] + m[4], difference2 = m[3] - m[4];
    o[0] = m[0] + (sum1 + sum2);
    o[1] = madd(two, difference2, difference1);
    o[2] = madd(four, sum2, sum1);
    o[3] = m[5] + madd(eight, difference2, difference1);
}

/// Of an upsampled map: two results from the pixel's product and that of the way to the next one.
LIVEN_INLINE void results(const vec (&m)[2], vec (&o)[2]) {
    o[0] = m[0];
    o[1] = m[0] + m[1];
}

/// Of the gradient behind one: both products make one result.
LIVEN_INLINE void results(const vec (&m)[2], vec (&o)[1]) { o[0] = m[0] + m[1]; }

/// G g for tiles of 2 x 2 results: three weights to four points.
LIVEN_INLINE void weight_points(const vec (&g)[3], vec (&o)[4]) {
    const vec even = (g[0] + g[2]) * splat(0.5f), odd = g[1] * splat(0.5f);
    o[0] = g[0];
    o[1] = even + odd;
    o[2] = even - odd;
    o[3] = g[2];
}

/// G g for tiles of 4 x 4 results: three weights to six points.
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

/// Behind an upsampled map, whose middle weight is the sum of the outer two: w0 + w1 and w1.
LIVEN_INLINE void weight_points(const vec (&g)[3], vec (&o)[2]) {
    o[0] = g[1];
    o[1] = g[0];
}

/// Which of the nine packed taps is the kernel's element in row y and column x. The input gradient of a strided
/// convolution has them phase by phase: of the rows first the middle one, then the last and the first.
template <Scheme S>
constexpr int64_t tap_of(int y, int x) {
    constexpr int64_t by_phase[3][3] = {{8, 4, 7}, {2, 0, 1}, {6, 3, 5}};
    return S == Scheme::upsampled ? by_phase[y][x] : 3 * y + x;
}

template <Scheme S>
void transform_weights(const float* packed, int64_t tap, int64_t depth, float* points) noexcept {
    constexpr int extent = points_of<S>;
    const int64_t point = depth * conv_block;
    for (int64_t i = 0; i < point; i += lanes) {
        vec columns[extent][3];
#pragma GCC unroll 3
        for (int w = 0; w < 3; ++w) {
            const vec g[3] = {load(packed + tap_of<S>(0, w) * tap + i), load(packed + tap_of<S>(1, w) * tap + i),
                              load(packed + tap_of<S>(2, w) * tap + i)};
            vec o[extent];
            weight_points(g, o);
#pragma GCC unroll 6
            for (int y = 0; y < extent; ++y) columns[y][w] = o[y];
        }
#pragma GCC unroll 6
        for (int y = 0; y < extent; ++y) {
            vec o[extent];
            weight_points(columns[y], o);
#pragma GCC unroll 6
            for (int x = 0; x < extent; ++x) store(points + (y * extent + x) * point + i, o[x]);
        }
    }
}

/// Two rows of points of a vector of channels of one tile. Twelve vectors stay in registers, where all 36 would go
/// to the stack and back: reading the source once for each pair is cheaper.
template <int Side, int Pair>
LIVEN_INLINE void transform_row_pair(const float* const (&rows)[Side + 2], int64_t src_step, float* points) {
    constexpr int extent = Side + 2;
    vec pair[2][extent];
    int64_t column = 0;
#pragma GCC unroll 6
    for (int x = 0; x < extent; ++x, column += src_step) {
        // One register for the column: GCC would otherwise keep 36 addresses.
        asm("" : "+r"(column));
        source_row_pair<Side, Pair>(
            [&](int y) __attribute__((always_inline)) { return load(rows[y] + column); }, pair[0][x], pair[1][x]);
    }
#pragma GCC unroll 2
    for (int y = 0; y < 2; ++y) {
        vec o[extent];
        source_points(pair[y], o);
        float* row = points + (y == 0 ? first_of_pair<Pair> : second_of_pair<Side, Pair>)*extent * conv_block;
#pragma GCC unroll 6
        for (int x = 0; x < extent; ++x) store(row + x * conv_block, o[x]);
    }
}

/// The points of a vector of channels of one tile.
template <Scheme S>
LIVEN_INLINE void transform_source(const WinogradTile& tile, int64_t src_step, int64_t channel, float* points) {
    constexpr int side = side_of<S>, extent = static_cast<int>(tiling_of(S).extent);
    const float* rows[extent];
#pragma GCC unroll 6
    for (int y = 0; y < extent; ++y) rows[y] = tile.rows[y] + channel;
    if constexpr (is_upsampled(S)) {
        all_source_points<extent, points_of<S>>(
            [&](int y, int x) __attribute__((always_inline)) { return load(rows[y] + x * src_step); }, points,
            conv_block);
    } else {
        transform_row_pair<side, 0>(rows, src_step, points);
        transform_row_pair<side, 1>(rows, src_step, points);
        if constexpr (side == 4) transform_row_pair<side, 2>(rows, src_step, points);
    }
}

/// A tile's results are made in so many turns. All rows of F(4x4) at once are 24 vectors: where there are sixteen
/// registers, even and odd rows take turns, which read most points twice and have no sums in common. Not where an
/// epilogue sums: its own registers go to the stack either way, and turns were slower, as they were with AVX-512.
template <Scheme S, Kind K>
inline constexpr int turns_of = (S == Scheme::f4x4) && lanes < 16 && !sums_up(K) ? 2 : 1;

/// The rows of a turn, y = row * turns + Turn, of points along columns.
template <Scheme S, int Turn, int Turns>
LIVEN_INLINE void result_columns(const float* points, vec (&columns)[side_of<S> / Turns][points_of<S>]) {
    constexpr int rows = side_of<S> / Turns, extent = points_of<S>;
    const vec two = splat(2.0f), four = splat(4.0f), eight = splat(8.0f);
#pragma GCC unroll 6
    for (int x = 0; x < extent; ++x) {
        const auto at = [&](int y) __attribute__((always_inline)) {
            return load(points + (y * extent + x) * conv_block);
        };
        if constexpr (rows == side_of<S>) {
            vec m[extent], o[rows];
#pragma GCC unroll 6
            for (int y = 0; y < extent; ++y) m[y] = at(y);
            results(m, o);
#pragma GCC unroll 4
            for (int y = 0; y < rows; ++y) columns[y][x] = o[y];
        } else if constexpr (Turn == 0) {
            const vec sum1 = at(1) + at(2), sum2 = at(3) + at(4);
            columns[0][x] = at(0) + (sum1 + sum2);
            columns[1][x] = madd(four, sum2, sum1);
        } else {
            const vec difference1 = at(1) - at(2), difference2 = at(3) - at(4);
            columns[0][x] = madd(two, difference2, difference1);
            columns[1][x] = at(5) + madd(eight, difference2, difference1);
        }
    }
}

template <Kind K, class Storage>
LIVEN_INLINE ResultPlaces<typename Storage::Value> places_of(const WinogradGroup& group, const WinogradTile& tile,
                                                             int64_t channel) {
    using Value = typename Storage::Value;
    const WinogradFinish& finish = group.finish;
    ResultPlaces<Value> places{.dst = static_cast<Value*>(tile.dst) + channel,
                               .dst_row_step = group.dst_row_step,
                               .dst_step = group.dst_step,
                               .map = nullptr,
                               .map_row_step = finish.map_row_step,
                               .map_step = finish.map_step};
    if constexpr (reads_map(K))
        places.map = static_cast<const Value*>(finish.map) + tile.dst_row * finish.map_row_step +
                     tile.dst_column * finish.map_step + channel;
    return places;
}

/// A turn's rows to memory.
template <Scheme S, Kind K, class Storage, int Turn>
LIVEN_INLINE void finish_turn(Finisher<K>& finisher, const WinogradGroup& group,
                              ResultPlaces<typename Storage::Value> places, int64_t channel, const float* points,
                              bool fresh) {
    constexpr int side = side_of<S>, turns = turns_of<S, K>;
    vec columns[side / turns][points_of<S>];
    result_columns<S, Turn, turns>(points, columns);
    places.dst += Turn * places.dst_row_step;
    places.map += Turn * places.map_row_step;
#pragma GCC unroll 4
    for (int y = Turn; y < side;
         y += turns, places.dst += turns * places.dst_row_step, places.map += turns * places.map_row_step) {
        vec o[side];
        results(columns[y / turns], o);
#pragma GCC unroll 4
        for (int x = 0; x < side; ++x) {
            const vec map = reads_map(K) ? Storage::get(places.map + x * places.map_step) : zero();
            if (y == 0 && x == 0) finisher.begin(group.finish, channel, group.channels, fresh, o[0], map);
            Storage::put(places.dst + x * places.dst_step, finisher.take(o[x], map, y));
        }
    }
}

template <Scheme S, Kind K, class Storage>
LIVEN_INLINE void transform_results(const WinogradGroup& group, const WinogradTile& tile, int64_t channel,
                                    const float* points, bool fresh) {
    const auto places = places_of<K, Storage>(group, tile, channel);
    Finisher<K> finisher(group.finish, channel);
    finish_turn<S, K, Storage, 0>(finisher, group, places, channel, points, fresh);
    if constexpr (turns_of<S, K> == 2) finish_turn<S, K, Storage, 1>(finisher, group, places, channel, points, fresh);
    finisher.end(group.finish, channel, group.channels);
}

/// The same of a tile that hangs over the edge of the map, whose results go by way of the stack. By itself, so that
/// tests/structure/spills.sh tells it from the loop over whole tiles.
template <Scheme S, Kind K, class Storage>
__attribute__((noinline)) void transform_edge(const WinogradGroup& group, const WinogradTile& tile, int64_t channel,
                                              const float* points, bool fresh) noexcept {
    constexpr int side = side_of<S>, turns = turns_of<S, K>;
    vec values[side][side], columns[side / turns][points_of<S>];
    result_columns<S, 0, turns>(points, columns);
    for (int y = 0; y < side; y += turns) results(columns[y / turns], values[y]);
    if constexpr (turns == 2) {
        result_columns<S, 1, turns>(points, columns);
        for (int y = 1; y < side; y += turns) results(columns[y / turns], values[y]);
    }
    Finisher<K> finisher(group.finish, channel);
    finish_part<side, K, Storage>(finisher, group.finish, tile, places_of<K, Storage>(group, tile, channel), values,
                                  channel, group.channels, fresh);
}

/// Asks for the places of a group's results while its products run: a store that has to wait for its line keeps those
/// behind it waiting. With more channels there is arithmetic enough between the stores.
LIVEN_INLINE void fetch_results(const WinogradGroup& group, int64_t point, int64_t points) {
    if (group.channels > 32) return;
    const bool floats = group.finish.storage == WinogradStorage::f32;
    const int64_t value = floats ? sizeof(float) : sizeof(uint16_t), line = 64;
    for (int64_t t = group.count * point / points; t < group.count * (point + 1) / points; ++t) {
        const WinogradTile& tile = group.tiles[t];
        for (int64_t y = 0; y < tile.dst_rows; ++y)
            for (int64_t x = 0; x < tile.dst_columns; ++x) {
                const char* dst =
                    static_cast<const char*>(tile.dst) + (y * group.dst_row_step + x * group.dst_step) * value;
                for (int64_t at = 0; at < group.channels * value; at += line) prefetch_written(dst + at);
            }
    }
}

/// `written`: the results are, next.
template <Scheme S, bool written>
void transform_and_multiply(const WinogradGroup& group) noexcept {
    constexpr int64_t points = winograd_points(S);
    for (int64_t t = 0; t < group.count; ++t)
        for (int64_t c = 0; c < group.depth; c += lanes)
            transform_source<S>(group.tiles[t], group.src_step, c,
                                group.src_points + t * group.src_points_step + point_offset<S>(c));
    const int64_t block_step = points * group.depth * conv_block;
    const PointProducts<S, wide_vectors> wide(group);
    const PointProducts<S, per_block> narrow(group);
    Prefetch src_soon(group.src_soon, points), map_soon(group.map_soon, points);
    for (int64_t k = 0; k < points; ++k) {
        src_soon.next();
        map_soon.next();
        if constexpr (written) fetch_results(group, k, points);
        const float* src = group.src_points + k * conv_block;
        const float* weights = group.weights + k * group.depth * conv_block;
        float* dst = group.dst_points + k * conv_block;
        int64_t c = 0;
        for (; c + wide_vectors * lanes <= group.channels; c += wide_vectors * lanes)
            wide.run(src, weights + c / conv_block * block_step, dst + point_offset<S>(c));
        for (; c < group.channels; c += conv_block)
            narrow.run(src, weights + c / conv_block * block_step, dst + point_offset<S>(c));
    }
}

template <Scheme S, Kind K, class Storage>
void finish_group(const WinogradGroup& group, int64_t first, int64_t last) noexcept {
    for (int64_t t = first; t < last; ++t) {
        const WinogradTile& tile = group.tiles[t];
        const float* points = group.dst_points + t * group.dst_points_step;
        const bool fresh = group.finish.fresh && t == first;
        if (tile.dst_rows == side_of<S> && tile.dst_columns == side_of<S>)
            for (int64_t c = 0; c < group.channels; c += lanes)
                transform_results<S, K, Storage>(group, tile, c, points + point_offset<S>(c), fresh);
        else
            for (int64_t c = 0; c < group.channels; c += lanes)
                transform_edge<S, K, Storage>(group, tile, c, points + point_offset<S>(c), fresh);
    }
}

template <Scheme S, class Storage>
void finish_stored(const WinogradGroup& group, int64_t first, int64_t last) noexcept {
    static constexpr decltype(&finish_group<S, Kind::plain, Storage>) all[] = {
        finish_group<S, Kind::plain, Storage>,
        finish_group<S, Kind::activated, Storage>,
        finish_group<S, Kind::activated_moments, Storage>,
        finish_group<S, Kind::biased_moments, Storage>,
        finish_group<S, Kind::added, Storage>,
        finish_group<S, Kind::added_moments, Storage>,
        finish_group<S, Kind::activated_moments_of_added, Storage>,
        finish_group<S, Kind::stepped, Storage>,
        finish_group<S, Kind::centred, Storage>,
    };
    all[static_cast<int>(group.finish.kind)](group, first, last);
}

template <Scheme S>
void group_results(const WinogradGroup& group, int64_t first, int64_t last) noexcept {
    if (group.finish.storage == WinogradStorage::f32) return finish_stored<S, Floats>(group, first, last);
#if defined(LIVEN_ISA_avx512)
    if (group.finish.storage == WinogradStorage::bf16_native) return finish_stored<S, Halves<true>>(group, first, last);
#endif
    finish_stored<S, Halves<false>>(group, first, last);
}

void merge(const WinogradFinish& finish, int64_t pixels, int64_t channels, double* const (&slots)[2],
           int64_t step) noexcept {
    const float* block = finish.block;
    if (takes_moments(finish.kind)) {
        merge_block(static_cast<double>(pixels), block, block + channels, block + 2 * channels, slots[0],
                    slots[0] + step, slots[0] + 2 * step, channels);
        return;
    }
    const int sums = finish.kind == Kind::centred ? 2 : 1;
    for (int i = 0; i < sums; ++i)
        for (int64_t c = 0; c < channels; ++c) slots[i][c] += double{block[i * channels + c]};
}

template <Scheme S>
void source_and_products(const WinogradGroup& group) noexcept {
    transform_and_multiply<S, false>(group);
}

template <Scheme S>
void winograd_group(const WinogradGroup& group) noexcept {
    transform_and_multiply<S, true>(group);
    group_results<S>(group, 0, group.count);
}

template <Scheme S>
constexpr WinogradTable table{.product_channels = wide_vectors * lanes,
                              .weights = transform_weights<S>,
                              .group = winograd_group<S>,
                              .products = source_and_products<S>,
                              .results = group_results<S>,
                              .merge = merge};

}  // namespace

const WinogradTable& LIVEN_ISA_NAME(winograd_table)(WinogradScheme scheme) {
    switch (scheme) {
        case Scheme::f2x2:
            return table<Scheme::f2x2>;
        case Scheme::upsampled:
            return table<Scheme::upsampled>;
        case Scheme::upsampled_grad:
            return table<Scheme::upsampled_grad>;
        case Scheme::f4x4:
            break;
    }
    return table<Scheme::f4x4>;
}

}  // namespace liven::kernels
