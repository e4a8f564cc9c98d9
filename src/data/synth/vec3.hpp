#pragma once

#include <algorithm>
#include <cmath>

/// Points, directions and colours (linear light) of the face renderer.
namespace liven::data::synth {

struct Vec3 {
    float x = 0, y = 0, z = 0;
};

constexpr Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
constexpr Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
constexpr Vec3 operator*(Vec3 a, Vec3 b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
constexpr Vec3 operator/(Vec3 a, Vec3 b) { return {a.x / b.x, a.y / b.y, a.z / b.z}; }
constexpr Vec3 operator*(Vec3 a, float s) { return {a.x * s, a.y * s, a.z * s}; }
constexpr float dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline float length(Vec3 a) { return std::sqrt(dot(a, a)); }
inline Vec3 unit(Vec3 a) { return a * (1 / std::max(length(a), 1e-12f)); }
constexpr Vec3 mix(Vec3 a, Vec3 b, float t) { return a + (b - a) * t; }
constexpr float mix(float a, float b, float t) { return a + (b - a) * t; }
constexpr float luma(Vec3 c) { return 0.2126f * c.x + 0.7152f * c.y + 0.0722f * c.z; }

/// 0 below `low`, 1 above `high`, smooth between; `low` may be the larger.
inline float smoothstep(float low, float high, float v) {
    const float t = std::clamp((v - low) / (high - low), 0.0f, 1.0f);
    return t * t * (3 - 2 * t);
}
/// A hill of height 1 and radius 1 around 0: (1 - d^2)^2, zero outside.
constexpr float hill(float dx, float dy) {
    const float d = dx * dx + dy * dy;
    return d < 1 ? (1 - d) * (1 - d) : 0.0f;
}
constexpr float sq(float v) { return v * v; }

/// atan2 to 2e-4 radians, several times as fast: the renderer asks for millions.
inline float fast_atan2(float y, float x) {
    const float ax = std::abs(x), ay = std::abs(y);
    const float a = std::min(ax, ay) / std::max(std::max(ax, ay), 1e-12f), s = a * a;
    float r = ((-0.0464964749f * s + 0.15931422f) * s - 0.327622764f) * s * a + a;
    if (ay > ax) r = 1.57079637f - r;
    if (x < 0) r = 3.14159274f - r;
    return y < 0 ? -r : r;
}

/// A rotation: yaw about y, then pitch about x, then roll about z; radians.
struct Rotation {
    Vec3 row0{1, 0, 0}, row1{0, 1, 0}, row2{0, 0, 1};

    Rotation() = default;
    Rotation(float yaw, float pitch, float roll) {
        const float cy = std::cos(yaw), sy = std::sin(yaw), cp = std::cos(pitch), sp = std::sin(pitch),
                    cr = std::cos(roll), sr = std::sin(roll);
        // Rz * Rx * Ry
        const Vec3 a{cy, 0, sy}, b{sp * sy, cp, -sp * cy}, c{-cp * sy, sp, cp * cy};
        row0 = a * cr - b * sr;
        row1 = a * sr + b * cr;
        row2 = c;
    }
    Vec3 operator()(Vec3 v) const { return {dot(row0, v), dot(row1, v), dot(row2, v)}; }
    Vec3 back(Vec3 v) const { return row0 * v.x + row1 * v.y + row2 * v.z; }
};

}  // namespace liven::data::synth
