#pragma once

#include <cstdint>

namespace liven::data::synth {

/// A random number in [0, 1) for a lattice point.
inline float lattice(int32_t x, int32_t y, uint32_t seed) {
    uint32_t h = static_cast<uint32_t>(x) * 0x8da6b343u ^ static_cast<uint32_t>(y) * 0xd8163841u ^ seed * 0xcb1ab31fu;
    h = (h ^ (h >> 15)) * 0x2c1b3c6du;
    h = (h ^ (h >> 12)) * 0x297a2d39u;
    return static_cast<float>((h ^ (h >> 15)) >> 8) * 0x1p-24f;
}

/// Value noise in [-1, 1] with features about one unit wide.
inline float noise(float x, float y, uint32_t seed) {
    // The whole part by hand: without SSE4.1 std::floor is a function call.
    const auto whole = [](float v) { return static_cast<int32_t>(v) - (v < 0 ? 1 : 0); };
    const int32_t ix = whole(x), iy = whole(y);
    float tx = x - static_cast<float>(ix), ty = y - static_cast<float>(iy);
    tx = tx * tx * (3 - 2 * tx);
    ty = ty * ty * (3 - 2 * ty);
    const float a = lattice(ix, iy, seed), b = lattice(ix + 1, iy, seed), c = lattice(ix, iy + 1, seed),
                d = lattice(ix + 1, iy + 1, seed);
    const float top = a + (b - a) * tx, bottom = c + (d - c) * tx;
    return 2 * (top + (bottom - top) * ty) - 1;
}

/// Noise of several scales, each half as wide and half as strong as the one before.
inline float fractal(float x, float y, int octaves, uint32_t seed) {
    float sum = 0, amplitude = 0.5f;
    for (int i = 0; i < octaves; ++i, amplitude *= 0.5f, x *= 2.03f, y *= 2.03f)
        sum += amplitude * noise(x, y, seed + static_cast<uint32_t>(i) * 101u);
    return sum;
}

}  // namespace liven::data::synth
