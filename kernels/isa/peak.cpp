#include "kernels/simd.hpp"

namespace liven::kernels {
namespace {

// 12 chains hide the latency of 4 cycles on 2 ports with room to spare.
float fma_chains(int64_t rounds) {
    vec a[12];
    for (int i = 0; i < 12; ++i) a[i] = splat(static_cast<float>(i));
    const vec b = splat(0.9999f), c = splat(0.5f);
    for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; ++i) a[i] = madd(a[i], b, c);
    }
    vec sum = a[0];
    for (int i = 1; i < 12; ++i) sum = sum + a[i];
    return sum.get(0);
}

}  // namespace

double LIVEN_ISA_NAME(fma_probe)(int64_t rounds) {
    volatile float sink = fma_chains(rounds);
    static_cast<void>(sink);
    return 2.0 * 12.0 * static_cast<double>(lanes) * static_cast<double>(rounds);
}

}  // namespace liven::kernels
