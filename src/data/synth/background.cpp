#include "src/data/synth/background.hpp"

#include <opencv2/imgproc.hpp>

#include "liven/core/philox.hpp"
#include "src/data/synth/noise.hpp"

namespace liven::data::synth {
namespace {

Vec3 any_colour(Random& r, float low, float high) {
    const float grey = mix(low, high, sq(r.uniform()));
    const float tint = r.uniform(0, 0.35f);
    return Vec3{1 + r.uniform(-tint, tint), 1 + r.uniform(-tint, tint), 1 + r.uniform(-tint, tint)} * grey;
}

cv::Scalar scalar(Vec3 c) { return {c.x, c.y, c.z}; }

void wall(Canvas& canvas, Random& r) {
    const Vec3 colour = any_colour(r, 0.03f, 0.75f);
    const float across = r.uniform(-0.6f, 0.6f), down = r.uniform(-0.6f, 0.6f);
    const auto seed = r.bits();
    const float rough = r.uniform(0, 0.25f), grain = r.uniform(2, 12);
    for (int y = 0; y < canvas.rows; ++y)
        for (int x = 0; x < canvas.cols; ++x) {
            const float u = static_cast<float>(x) / static_cast<float>(canvas.cols),
                        v = static_cast<float>(y) / static_cast<float>(canvas.rows);
            const float light =
                1 + across * (u - 0.5f) + down * (v - 0.5f) + rough * fractal(u * grain, v * grain, 3, seed);
            set(canvas, x, y, colour * std::max(0.1f, light));
        }
}

void rectangle(Canvas& canvas, Random& r) {
    const auto size = static_cast<float>(canvas.cols);
    const float w = r.uniform(0.12f, 0.7f) * size, h = r.uniform(0.12f, 0.8f) * size;
    const float turn = r.uniform() < 0.6f ? r.uniform(-4, 4) : r.uniform(-25, 25);
    const cv::RotatedRect outer({r.uniform(0, 1) * size, r.uniform(0, 1) * size}, {w, h}, turn);
    const auto fill = [&](const cv::RotatedRect& box, Vec3 colour) {
        std::array<cv::Point2f, 4> corner;
        box.points(corner.data());
        std::array<cv::Point, 4> points;
        for (size_t i = 0; i < 4; ++i) points[i] = {cvRound(corner[i].x), cvRound(corner[i].y)};
        cv::fillConvexPoly(canvas, points.data(), 4, scalar(colour));
    };
    fill(outer, any_colour(r, 0.01f, 1.1f));
    if (r.uniform() < 0.5f) {  // a frame
        const float border = r.uniform(0.02f, 0.06f) * size;
        if (w > 3 * border && h > 3 * border)
            fill({outer.center, {w - 2 * border, h - 2 * border}, turn}, any_colour(r, 0.01f, 1.1f));
    }
}

void shelves(Canvas& canvas, Random& r) {
    const bool upright = r.uniform() < 0.5f;
    int at = 0;
    while (at < canvas.cols) {
        const int wide = std::max(2, static_cast<int>(r.uniform(0.02f, 0.12f) * static_cast<float>(canvas.cols)));
        const cv::Rect bar = upright ? cv::Rect(at, 0, wide, canvas.rows) : cv::Rect(0, at, canvas.cols, wide);
        if (r.uniform() < 0.7f)
            cv::rectangle(canvas, bar & cv::Rect(0, 0, canvas.cols, canvas.rows), scalar(any_colour(r, 0.02f, 0.7f)),
                          cv::FILLED);
        at += wide;
    }
}

void blobs(Canvas& canvas, Random& r) {
    const auto count = 5 + r.below(30);
    for (uint64_t i = 0; i < count; ++i) {
        const auto size = static_cast<float>(canvas.cols);
        const cv::Point centre(static_cast<int>(r.uniform(0, 1) * size), static_cast<int>(r.uniform(0, 1) * size));
        cv::circle(canvas, centre, std::max(1, static_cast<int>(r.uniform(0.02f, 0.14f) * size)),
                   scalar(any_colour(r, 0.02f, 0.9f)), cv::FILLED);
    }
}

}  // namespace

Canvas background(int size, uint32_t seed) {
    Random r(seed, 6);
    Canvas canvas(size, size);
    wall(canvas, r);
    if (r.uniform() < 0.25f) shelves(canvas, r);
    if (r.uniform() < 0.25f) blobs(canvas, r);
    for (auto i = r.below(5); i > 0; --i) rectangle(canvas, r);
    const double focus = static_cast<double>(r.uniform(0.8f, 7.0f)) * size / 256;
    cv::GaussianBlur(canvas, canvas, {0, 0}, focus, focus, cv::BORDER_REPLICATE);
    return canvas;
}

}  // namespace liven::data::synth
