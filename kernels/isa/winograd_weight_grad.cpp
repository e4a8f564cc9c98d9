// Winograd's weight gradients F(3x3, 4x4) and F(3x3, 2x2) (Lavin & Gray 2015, points 0, 1, -1, 2, -2, infinity, of
// which the smaller tile takes the first three and the last; figures are those of the larger): the gradient of the nine
// taps is G' [ sum over tiles of (A d A') x (B' s B) ] G for tiles s of 6 x 6 source pixels and d of 4 x 4 pixels of
// diff_dst. And that behind an upsampled map, whose four points each are a sum over all pixels
// (kernels/winograd/scheme.hpp).
//
// loop nest      pass (two rows of points) > source transform, diff_dst transform: tiles > vectors of channels
//                products: 12 points > 16 source channels > 16 result channels > tiles
// register tile  products: AVX-512 16 source x 16 result channels (16 sums), AVX2 5 or 6 x 16 (10 or 12), SSE2 3 x 16
//                (12); the transforms hold 8 or 12 vectors and read their pixels once a pass rather than keep 36
// caches         the points of a pass, 12 x (src + dst channels) floats a tile, and its sums in L2
// bytes moved    36 x (src + dst channels) floats a tile, written and read within L2; the sums once a group
// expected       36 FMAs where the direct kernel has 144, so at most 400 % of its peak. The transforms, as many stores
//                as FMAs at 16 channels, leave 165-185 % there, 210-230 % at 32, 250-280 % at 64 and 128
#include "kernels/conv2d/table.hpp"
#include "kernels/prefetch.hpp"
#include "kernels/winograd/points.hpp"
#include "kernels/winograd/weight_grad_table.hpp"

namespace liven::kernels {
namespace {

using Scheme = WinogradScheme;

inline constexpr int per_block = static_cast<int>(conv_block / lanes);
template <Scheme S>
inline constexpr int points_of = static_cast<int>(tiling_of(S).points);  ///< each way

/// A d for tiles of 2 x 2: two values of diff_dst to four points.
LIVEN_INLINE void diff_points(const vec (&d)[2], vec (&o)[4]) {
    o[0] = d[0];
    o[1] = d[0] + d[1];
    o[2] = d[0] - d[1];
    o[3] = zero() - d[1];
}

/// A d for tiles of 4 x 4: four values of diff_dst to six points.
LIVEN_INLINE void diff_points(const vec (&d)[4], vec (&o)[6]) {
    const vec two = splat(2.0f), four = splat(4.0f);
    const vec even = d[0] + d[2], odd = d[1] + d[3];
    const vec even2 = madd(four, d[2], d[0]), odd2 = madd(four, d[3], d[1]);
    o[0] = d[0];
    o[1] = even + odd;
    o[2] = even - odd;
    o[3] = madd(two, odd2, even2);
    o[4] = nmadd(two, odd2, even2);
    o[5] = d[3];
}

/// The two rows of A that a pass makes, from one column of diff_dst.
template <int Side, int Pass>
LIVEN_INLINE void diff_rows(const WinogradGradTile& tile, int64_t offset, vec& first, vec& second) {
    const auto at = [&](int y) __attribute__((always_inline)) { return load(tile.diff_dst[y] + offset); };
    const vec two = splat(2.0f), four = splat(4.0f);
    if constexpr (Side == 2 && Pass == 0) {
        first = at(0);
        second = zero() - at(1);
    } else if constexpr (Side == 2) {
        const vec d0 = at(0), d1 = at(1);
        first = d0 + d1;
        second = d0 - d1;
    } else if constexpr (Pass == 0) {
        first = at(0);
        second = at(3);
    } else if constexpr (Pass == 1) {
        const vec even = at(0) + at(2), odd = at(1) + at(3);
        first = even + odd;
        second = even - odd;
    } else {
        const vec even = madd(four, at(2), at(0)), odd = madd(four, at(3), at(1));
        first = madd(two, odd, even);
        second = nmadd(two, odd, even);
    }
}

/// Where a vector of channels lies among the points of a tile: blocks of 16 channels of a pass' `points` each.
constexpr int64_t point_offset(int64_t points, int64_t channel) {
    return channel / conv_block * (points * conv_block) + channel % conv_block;
}

template <Scheme S, int Pass>
LIVEN_INLINE void transform_source(const WinogradGradTile& tile, int64_t channel, float* points) {
    constexpr int side = static_cast<int>(tiling_of(S).side), extent = static_cast<int>(tiling_of(S).extent);
    const auto at = [&](int y, int x) __attribute__((always_inline)) {
        return load(tile.src[y] + x * tile.src_step + channel);
    };
    if constexpr (is_upsampled(S)) {
        all_source_points<extent, points_of<S>>(at, points, conv_block);
    } else {
        vec rows[2][extent];
#pragma GCC unroll 6
        for (int x = 0; x < extent; ++x)
            source_row_pair<side, Pass>(
                [&](int y) __attribute__((always_inline)) { return at(y, x); }, rows[0][x], rows[1][x]);
#pragma GCC unroll 2
        for (int y = 0; y < 2; ++y) {
            vec o[extent];
            source_points(rows[y], o);
#pragma GCC unroll 6
            for (int x = 0; x < extent; ++x) store(points + (y * extent + x) * conv_block, o[x]);
        }
    }
}

template <Scheme S, int Pass>
LIVEN_INLINE void transform_diff(const WinogradGradTile& tile, int64_t channel, float* points) {
    constexpr int side = static_cast<int>(tiling_of(S).side), extent = points_of<S>;
    if constexpr (is_upsampled(S)) {
        store(points, load(tile.diff_dst[0] + channel));
    } else {
        vec rows[2][side];
#pragma GCC unroll 4
        for (int x = 0; x < side; ++x)
            diff_rows<side, Pass>(tile, x * tile.diff_step + channel, rows[0][x], rows[1][x]);
#pragma GCC unroll 2
        for (int y = 0; y < 2; ++y) {
            vec o[extent];
            diff_points(rows[y], o);
#pragma GCC unroll 6
            for (int x = 0; x < extent; ++x) store(points + (y * extent + x) * conv_block, o[x]);
        }
    }
}

#if defined(LIVEN_ISA_avx512)
inline constexpr int max_sources = 16;
#elif defined(LIVEN_ISA_avx2)
inline constexpr int max_sources = 6;
#else
inline constexpr int max_sources = 3;
#endif

/// I source channels x 16 result channels of one point, all tiles of the group. By itself, so that all registers are
/// its own, and tests/structure/spills.sh finds it.
template <int I>
__attribute__((noinline)) void product(const float* src, int64_t src_step, const float* diff, int64_t diff_step,
                                       int64_t tiles, float* sums, bool fresh) noexcept {
    vec acc[I][per_block];
    if (fresh) {
#pragma GCC unroll 16
        for (int i = 0; i < I; ++i)
#pragma GCC unroll 4
            for (int v = 0; v < per_block; ++v) acc[i][v] = zero();
    } else {
#pragma GCC unroll 16
        for (int i = 0; i < I; ++i)
#pragma GCC unroll 4
            for (int v = 0; v < per_block; ++v) acc[i][v] = load(sums + i * conv_block + v * lanes);
    }
    for (int64_t t = tiles; t > 0; --t, src += src_step, diff += diff_step) {
        vec d[per_block];
#pragma GCC unroll 4
        for (int v = 0; v < per_block; ++v) d[v] = load(diff + v * lanes);
#pragma GCC unroll 16
        for (int i = 0; i < I; ++i) {
            const vec value = splat(src[i]);
#pragma GCC unroll 4
            for (int v = 0; v < per_block; ++v) acc[i][v] = madd(value, d[v], acc[i][v]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < I; ++i)
#pragma GCC unroll 4
        for (int v = 0; v < per_block; ++v) store(sums + i * conv_block + v * lanes, acc[i][v]);
}

/// A block of 16 x 16 sums.
LIVEN_INLINE void block_product(const WinogradGradGroup& group, const float* src, int64_t src_step, const float* diff,
                                int64_t diff_step, float* sums) {
    if constexpr (max_sources == conv_block) {
        product<conv_block>(src, src_step, diff, diff_step, group.count, sums, group.fresh);
    } else {
        constexpr int parts = (conv_block + max_sources - 1) / max_sources, narrow = conv_block / parts;
        constexpr int wide = conv_block % parts;
        for (int part = 0; part < parts; ++part) {
            const auto call = part < wide ? product<narrow + 1> : product<narrow>;
            const int first = part * narrow + (part < wide ? part : wide);
            call(src + first, src_step, diff, diff_step, group.count, sums + first * conv_block, group.fresh);
        }
    }
}

template <Scheme S, int Pass>
void accumulate_pass(const WinogradGradGroup& group) noexcept {
    constexpr int64_t points = winograd_pass_points(S), diffs = winograd_pass_diff_points(S);
    const int64_t src_step = winograd_grad_floats(points, 1, group.src_channels);
    const int64_t diff_step = winograd_grad_floats(diffs, 1, group.dst_channels);
    for (int64_t t = 0; t < group.count; ++t) {
        float* to = group.src_points + t * src_step;
        for (int64_t c = 0; c < group.src_channels; c += lanes)
            transform_source<S, Pass>(group.tiles[t], c, to + point_offset(points, c));
        to = group.diff_points + t * diff_step;
        for (int64_t c = 0; c < group.dst_channels; c += lanes)
            transform_diff<S, Pass>(group.tiles[t], c, to + point_offset(diffs, c));
    }
    float* sums = group.sums + Pass * points * group.src_channels * group.dst_channels;
    const int64_t blocks = points * (group.src_channels / conv_block) * (group.dst_channels / conv_block);
    Prefetch src_soon(group.src_soon, blocks), diff_soon(group.diff_soon, blocks);
    for (int64_t k = 0; k < points; ++k) {
        const float* src = group.src_points + k * conv_block;
        const float* diff = group.diff_points + k % diffs * conv_block;
        for (int64_t i = 0; i < group.src_channels; i += conv_block)
            for (int64_t o = 0; o < group.dst_channels; o += conv_block, sums += conv_block * conv_block) {
                src_soon.next();
                diff_soon.next();
                block_product(group, src + point_offset(points, i), src_step, diff + point_offset(diffs, o), diff_step,
                              sums);
            }
    }
}

template <Scheme S>
void accumulate(const WinogradGradGroup& group, int64_t pass) noexcept {
    constexpr int64_t passes = winograd_grad_passes(S);
    if (pass == 0) return accumulate_pass<S, 0>(group);
    if constexpr (passes > 1) {
        if (pass == 1) return accumulate_pass<S, 1>(group);
    }
    if constexpr (passes > 2) accumulate_pass<S, 2>(group);
}

/// G' m for tiles of 2 x 2: four points to three taps.
LIVEN_INLINE void taps_of(const vec (&m)[4], vec (&o)[3]) {
    const vec half = splat(0.5f), sum = m[1] + m[2];
    o[0] = madd(half, sum, m[0]);
    o[1] = half * (m[1] - m[2]);
    o[2] = madd(half, sum, m[3]);
}

/// G' m for tiles of 4 x 4: six points to three taps.
LIVEN_INLINE void taps_of(const vec (&m)[6], vec (&o)[3]) {
    const vec sixth = splat(1.0f / 6.0f);
    const vec sum1 = m[1] + m[2], difference1 = m[1] - m[2], sum2 = m[3] + m[4], difference2 = m[3] - m[4];
    const vec outer = sum1 * sixth;
    o[0] = madd(m[0], splat(0.25f), nmadd(sum1, sixth, sum2 * splat(1.0f / 24.0f)));
    o[1] = nmadd(difference1, sixth, difference2 * splat(1.0f / 12.0f));
    o[2] = madd(sum2, sixth, m[5] - outer);
}

/// Behind an upsampled map: three numbers of which the last two and the first two have the sums that a gradient must
/// have where the middle weight is the sum of the outer ones.
LIVEN_INLINE void taps_of(const vec (&m)[2], vec (&o)[3]) {
    o[0] = m[1];
    o[1] = m[0];
    o[2] = zero();
}

/// Writes or adds the first `count` lanes.
LIVEN_INLINE void put(float* to, vec value, int64_t count, bool fresh) {
    if (count >= lanes)
        store(to, fresh ? value : load(to) + value);
    else
        store_part(to, fresh ? value : load_part(to, count) + value, count);
}

template <Scheme S>
void take_taps(const WinogradGradTaps& grad) noexcept {
    constexpr int extent = points_of<S>;
    // Where each row of points lies: pass 0 makes the first and the last, pass 1 rows 1 and 2, pass 2 rows 3 and 4.
    constexpr auto row_at = [](int y) { return y == 0 ? 0 : y == extent - 1 ? 1 : y + 1; };
    const int64_t dst_blocks = (grad.dst_channels + conv_block - 1) / conv_block;
    const int64_t point = (grad.src_channels + conv_block - 1) / conv_block * dst_blocks * conv_block * conv_block;
    for (int64_t i = 0; i < grad.src_channels; ++i)
        for (int64_t o = 0; o < grad.dst_channels; o += lanes) {
            const int64_t block = i / conv_block * dst_blocks + o / conv_block;
            const float* sums = grad.sums + (block * conv_block + i % conv_block) * conv_block + o % conv_block;
            vec columns[3][extent];
#pragma GCC unroll 6
            for (int x = 0; x < extent; ++x) {
                vec m[extent], t[3];
#pragma GCC unroll 6
                for (int y = 0; y < extent; ++y) m[y] = load(sums + (row_at(y) * extent + x) * point);
                taps_of(m, t);
#pragma GCC unroll 3
                for (int y = 0; y < 3; ++y) columns[y][x] = t[y];
            }
            float* taps = grad.taps + i * grad.channel_step + o;
#pragma GCC unroll 3
            for (int y = 0; y < 3; ++y) {
                vec t[3];
                taps_of(columns[y], t);
#pragma GCC unroll 3
                for (int x = 0; x < 3; ++x, taps += grad.tap_step) put(taps, t[x], grad.dst_channels - o, grad.fresh);
            }
        }
}

template <Scheme S>
constexpr WinogradGradTable table{.accumulate = accumulate<S>, .taps = take_taps<S>};

}  // namespace

const WinogradGradTable& LIVEN_ISA_NAME(winograd_grad_table)(WinogradScheme scheme) {
    if (scheme == Scheme::upsampled_grad) return table<Scheme::upsampled_grad>;
    return scheme == Scheme::f2x2 ? table<Scheme::f2x2> : table<Scheme::f4x4>;
}

}  // namespace liven::kernels
