#pragma once

#include <opencv2/core.hpp>

#include "src/data/synth/vec3.hpp"

namespace liven::data::synth {

/// A square picture in linear light, red first, as OpenCV's matrix of three floats.
using Canvas = cv::Mat_<cv::Vec3f>;

inline Vec3 at(const Canvas& canvas, int x, int y) {
    const cv::Vec3f& c = canvas(y, x);
    return {c[0], c[1], c[2]};
}
inline void set(Canvas& canvas, int x, int y, Vec3 c) { canvas(y, x) = {c.x, c.y, c.z}; }

/// Bilinear value at pixel position (x, y), edges repeated.
inline Vec3 sample(const Canvas& canvas, float x, float y) {
    x = std::clamp(x, 0.0f, static_cast<float>(canvas.cols) - 1.001f);
    y = std::clamp(y, 0.0f, static_cast<float>(canvas.rows) - 1.001f);
    const int ix = static_cast<int>(x), iy = static_cast<int>(y);
    const float tx = x - static_cast<float>(ix), ty = y - static_cast<float>(iy);
    return mix(mix(at(canvas, ix, iy), at(canvas, ix + 1, iy), tx),
               mix(at(canvas, ix, iy + 1), at(canvas, ix + 1, iy + 1), tx), ty);
}

}  // namespace liven::data::synth
