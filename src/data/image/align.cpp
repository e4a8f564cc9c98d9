#include "liven/data/align.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>

#include "liven/core/error.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace {

struct Middle {
    double x = 0, y = 0;
};

Middle middle_of(std::span<const Point> points) {
    Middle m;
    for (const Point& p : points) {
        if (!std::isfinite(p.x) || !std::isfinite(p.y)) throw Error("align", "a landmark is not finite");
        m.x += static_cast<double>(p.x) / static_cast<double>(points.size());
        m.y += static_cast<double>(p.y) / static_cast<double>(points.size());
    }
    return m;
}

}  // namespace

double Similarity::scale() const { return std::hypot(a, b); }

Point Similarity::operator()(const Point& p) const {
    const double x = p.x, y = p.y;
    return {static_cast<float>(a * x - b * y + dx), static_cast<float>(b * x + a * y + dy)};
}

Similarity Similarity::scaled(double factor) const {
    const double shift = 0.5 * factor - 0.5;
    return {.a = a * factor, .b = b * factor, .dx = dx * factor + shift, .dy = dy * factor + shift};
}

Similarity align(std::span<const Point> from, std::span<const Point> to) {
    if (from.size() < 2 || from.size() != to.size())
        throw Error("align", "expected two landmarks or more, and as many places for them, but got " +
                                 std::to_string(from.size()) + " and " + std::to_string(to.size()));
    const Middle p0 = middle_of(from), q0 = middle_of(to);
    double cosine = 0, sine = 0, spread = 0;
    for (size_t i = 0; i < from.size(); ++i) {
        const double px = from[i].x - p0.x, py = from[i].y - p0.y, qx = to[i].x - q0.x, qy = to[i].y - q0.y;
        cosine += px * qx + py * qy;
        sine += px * qy - py * qx;
        spread += px * px + py * py;
    }
    if (!(spread > 1e-6) || !(std::hypot(cosine, sine) > 1e-6 * spread))
        throw Error("align", "the landmarks lie in one place");
    Similarity s{.a = cosine / spread, .b = sine / spread, .dx = 0, .dy = 0};
    s.dx = q0.x - s.a * p0.x + s.b * p0.y;
    s.dy = q0.y - s.b * p0.x - s.a * p0.y;
    return s;
}

std::vector<Point> face_template(size_t points, int width, int height, double margin) {
    constexpr double extent = 112;
    constexpr std::array<std::array<double, 2>, 5> places{
        {{38.2946, 51.6963}, {73.5318, 51.5014}, {56.0252, 71.7366}, {41.5493, 92.3655}, {70.7299, 92.2041}}};
    if ((points != 2 && points != 5) || width < 1 || height < 1 || !(margin > 0))
        throw Error("align", "expected 2 or 5 landmarks, a size and a margin above 0, but got " +
                                 std::to_string(points) + ", " + std::to_string(width) + " x " +
                                 std::to_string(height) + " and " + number(margin));
    const double scale = std::min(width, height) / extent / margin;
    std::vector<Point> out;
    for (size_t i = 0; i < points; ++i)
        out.push_back({static_cast<float>((places[i][0] + 0.5 - extent / 2) * scale + width / 2.0 - 0.5),
                       static_cast<float>((places[i][1] + 0.5 - extent / 2) * scale + height / 2.0 - 0.5)});
    return out;
}

Image warp(const Image& image, const Similarity& s, int width, int height, Interpolation interpolation) {
    if (image.empty()) throw Error("warp", "the picture is empty");
    if (width < 1 || height < 1 || width > 16384 || height > 16384 || int64_t{width} * height > max_pixels)
        throw Error("warp", "expected sides from 1 to 16384, but got " + std::to_string(width) + " x " +
                                std::to_string(height));
    if (!(s.scale() > 1e-9) || !std::isfinite(s.scale() + s.dx + s.dy))
        throw Error("warp", "the similarity cannot be inverted");
    return guarded("warp", [&] {
        Image out(width, height);
        cv::Mat dst = view(out);
        const cv::Mat matrix = (cv::Mat_<double>(2, 3) << s.a, -s.b, s.dx, s.b, s.a, s.dy);
        // Area means nothing for a turned picture; OpenCV takes it for bilinear as well.
        cv::warpAffine(view(image), dst, matrix, dst.size(), flag_of(interpolation), cv::BORDER_REPLICATE);
        return out;
    });
}

}  // namespace liven::data
