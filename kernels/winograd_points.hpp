#pragma once

// The source transform that all of Winograd's kernels share. Include it from kernels/isa/*.cpp only, as
// kernels/simd.hpp.

#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

/// B' d: six source values to six points.
LIVEN_INLINE void source_points(const vec (&d)[6], vec (&o)[6]) {
    const vec two = splat(2.0f), four = splat(4.0f), five = splat(5.0f);
    const vec even = nmadd(four, d[2], d[4]), odd = nmadd(four, d[1], d[3]);
    const vec even2 = d[4] - d[2], odd2 = d[3] - d[1];
    o[0] = madd(four, d[0], nmadd(five, d[2], d[4]));
    o[1] = even + odd;
    o[2] = even - odd;
    o[3] = madd(two, odd2, even2);
    o[4] = nmadd(two, odd2, even2);
    o[5] = madd(four, d[1], nmadd(five, d[3], d[5]));
}

}  // namespace
}  // namespace liven::kernels
