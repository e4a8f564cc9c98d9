#pragma once

// What all of Winograd's kernels share: the source transform. Include it from kernels/isa/*.cpp only, as
// kernels/simd.hpp.

#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

/// B' d for tiles of 2 x 2 results: four source values to four points.
LIVEN_INLINE void source_points(const vec (&d)[4], vec (&o)[4]) {
    o[0] = d[0] - d[2];
    o[1] = d[1] + d[2];
    o[2] = d[2] - d[1];
    o[3] = d[1] - d[3];
}

/// B' d for tiles of 4 x 4 results: six source values to six points. Half of the operations are plain additions, which
/// run beside the FMAs.
LIVEN_INLINE void source_points(const vec (&d)[6], vec (&o)[6]) {
    const vec two = splat(2.0f), four = splat(4.0f);
    const vec even = nmadd(four, d[2], d[4]), odd = nmadd(four, d[1], d[3]);
    const vec even2 = d[4] - d[2], odd2 = d[3] - d[1];
    o[0] = madd(four, d[0] - d[2], even2);
    o[1] = even + odd;
    o[2] = even - odd;
    o[3] = madd(two, odd2, even2);
    o[4] = nmadd(two, odd2, even2);
    o[5] = nmadd(four, odd2, d[5] - d[3]);
}

/// Of an upsampled map: a pixel, and the way to the next one.
LIVEN_INLINE void source_points(const vec (&d)[2], vec (&o)[2]) {
    o[0] = d[0];
    o[1] = d[1] - d[0];
}

/// Of the gradient behind one: three pixels to what the two kinds of products meet.
LIVEN_INLINE void source_points(const vec (&d)[3], vec (&o)[2]) {
    o[0] = d[1] + d[2];
    o[1] = d[0] - d[2];
}

/// All points of a vector of channels of a tile that is small enough for the registers. `at(y, x)` gives the source's
/// values.
template <int Extent, int Points, class At>
LIVEN_INLINE void all_source_points(const At& at, float* points, int64_t step) {
    vec rows[Points][Extent];
#pragma GCC unroll 3
    for (int x = 0; x < Extent; ++x) {
        vec d[Extent], o[Points];
#pragma GCC unroll 3
        for (int y = 0; y < Extent; ++y) d[y] = at(y, x);
        source_points(d, o);
#pragma GCC unroll 2
        for (int y = 0; y < Points; ++y) rows[y][x] = o[y];
    }
#pragma GCC unroll 2
    for (int y = 0; y < Points; ++y) {
        vec o[Points];
        source_points(rows[y], o);
#pragma GCC unroll 2
        for (int x = 0; x < Points; ++x, points += step) store(points, o[x]);
    }
}

/// Rows of points made together, from one column of source pixels: `at(y)` gives the value in source row y. Row pair 0
/// is the first and the last point, pair 1 points 1 and 2, pair 2 points 3 and 4.
template <int Side, int Pair, class At>
LIVEN_INLINE void source_row_pair(const At& at, vec& first, vec& second) {
    const vec two = splat(2.0f), four = splat(4.0f);
    if constexpr (Side == 2 && Pair == 0) {
        first = at(0) - at(2);
        second = at(1) - at(3);
    } else if constexpr (Side == 2) {
        const vec d1 = at(1), d2 = at(2);
        first = d1 + d2;
        second = d2 - d1;
    } else if constexpr (Pair == 0) {
        const vec d2 = at(2), d3 = at(3);
        first = madd(four, at(0) - d2, at(4) - d2);
        second = nmadd(four, d3 - at(1), at(5) - d3);
    } else if constexpr (Pair == 1) {
        const vec even = nmadd(four, at(2), at(4)), odd = nmadd(four, at(1), at(3));
        first = even + odd;
        second = even - odd;
    } else {
        const vec even = at(4) - at(2), odd = at(3) - at(1);
        first = madd(two, odd, even);
        second = nmadd(two, odd, even);
    }
}

/// Where a pair's points lie among the rows of points.
template <int Pair>
inline constexpr int first_of_pair = Pair == 0 ? 0 : 2 * Pair - 1;
template <int Side, int Pair>
inline constexpr int second_of_pair = Pair == 0 ? Side + 1 : 2 * Pair;

}  // namespace
}  // namespace liven::kernels
