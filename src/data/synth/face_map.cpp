#include "src/data/synth/face_map.hpp"

#include <opencv2/imgproc.hpp>

#include "src/data/synth/face_painter.hpp"

namespace liven::data::synth {

FaceMap::FaceMap(const Subject& subject, const Scene& scene, const Mask& mask, int detail)
    : width_(detail * 9 / 8),
      height_(detail),
      texels_(static_cast<size_t>(width_) * static_cast<size_t>(height_)),
      rises_(texels_.size()) {
    paint(subject, scene, mask);
    shade_hollows();
}

void FaceMap::paint(const Subject& subject, const Scene& scene, const Mask& mask) {
    const FacePainter painter(subject, scene, mask);
    const Vec3 towards = scene.pose.back({0, 0, 1});  // the camera, from the head
    for (int j = 0; j < height_; ++j) {
        const float v = 1 - 2 * (static_cast<float>(j) + 0.5f) / static_cast<float>(height_);
        for (int i = 0; i < width_; ++i) {
            const float u = (2 * (static_cast<float>(i) + 0.5f) / static_cast<float>(width_) - 1) * u_max;
            const size_t at = static_cast<size_t>(j) * static_cast<size_t>(width_) + static_cast<size_t>(i);
            const float c = std::sqrt(1 - v * v);
            // The far side is never seen.
            if (dot(towards, {std::sin(u) * c, v, std::cos(u) * c}) < -0.3f) continue;
            texels_[at] = painter(u, v);
            rises_[at] = texels_[at].rise;
            top_ = std::max(top_, rises_[at]);
        }
    }
}

/// A place lower than its surroundings sees less of the sky.
void FaceMap::shade_hollows() {
    const cv::Mat rises(height_, width_, CV_32F, rises_.data());
    cv::Mat wide;
    cv::GaussianBlur(rises, wide, {0, 0}, height_ / 36.0, height_ / 36.0, cv::BORDER_REPLICATE);
    for (int j = 0; j < height_; ++j)
        for (int i = 0; i < width_; ++i) {
            Texel& t = texels_[static_cast<size_t>(j) * static_cast<size_t>(width_) + static_cast<size_t>(i)];
            t.open *= std::clamp(1 - 9 * (wide.at<float>(j, i) - t.rise), 0.35f, 1.15f);
        }
}

FaceMap::Cell FaceMap::cell(float u, float v) const {
    const float x = std::clamp((u / u_max + 1) * 0.5f * static_cast<float>(width_) - 0.5f, 0.0f,
                               static_cast<float>(width_) - 1.001f);
    const float y =
        std::clamp((1 - v) * 0.5f * static_cast<float>(height_) - 0.5f, 0.0f, static_cast<float>(height_) - 1.001f);
    const auto ix = static_cast<int>(x), iy = static_cast<int>(y);
    return {ix, iy, x - static_cast<float>(ix), y - static_cast<float>(iy)};
}

float FaceMap::rise(float u, float v) const {
    const Cell c = cell(u, v);
    const float* p = rises_.data() + static_cast<size_t>(c.y) * static_cast<size_t>(width_) + static_cast<size_t>(c.x);
    return mix(mix(p[0], p[1], c.tx), mix(p[width_], p[width_ + 1], c.tx), c.ty);
}

void FaceMap::slope(float u, float v, float& du, float& dv) const {
    const float step_u = 2 * u_max / static_cast<float>(width_), step_v = 2.0f / static_cast<float>(height_);
    du = (rise(u + step_u, v) - rise(u - step_u, v)) / (2 * step_u);
    dv = (rise(u, v + step_v) - rise(u, v - step_v)) / (2 * step_v);
}

FaceMap::Texel FaceMap::sample(float u, float v) const {
    const Cell c = cell(u, v);
    const Texel* p = texels_.data() + static_cast<size_t>(c.y) * static_cast<size_t>(width_) + static_cast<size_t>(c.x);
    const auto blend = [&](auto get) {
        return mix(mix(get(p[0]), get(p[1]), c.tx), mix(get(p[width_]), get(p[width_ + 1]), c.tx), c.ty);
    };
    Texel t;
    t.rise = blend([](const Texel& s) { return s.rise; });
    t.colour = blend([](const Texel& s) { return s.colour; });
    t.shine = blend([](const Texel& s) { return s.shine; });
    t.soft = blend([](const Texel& s) { return s.soft; });
    t.open = blend([](const Texel& s) { return s.open; });
    return t;
}

}  // namespace liven::data::synth
