#include "src/data/image/distort.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace liven::data {
namespace {

bool recolours_hsv(const Draw& d) { return d.hsv_saturation != 1 || d.hue != 0; }

void change_hsv(cv::Mat& rgb, const Draw& d) {
    cv::Mat hsv;
    cv::cvtColor(rgb, hsv, cv::COLOR_RGB2HSV);  // of floats: hue in degrees, saturation in [0, 1]
    for (int y = 0; y < hsv.rows; ++y) {
        auto* row = hsv.ptr<cv::Vec3f>(y);
        for (int x = 0; x < hsv.cols; ++x) {
            row[x][0] = std::fmod(row[x][0] + d.hue + 360.0f, 360.0f);
            row[x][1] = std::min(row[x][1] * d.hsv_saturation, 1.0f);
        }
    }
    cv::cvtColor(hsv, rgb, cv::COLOR_HSV2RGB);
}

cv::Mat recoloured(const cv::Mat& rgb, const Draw& d) {
    if (d.offset == 0 && d.gain == 1 && !recolours_hsv(d)) return rgb;
    cv::Mat changed;
    rgb.convertTo(changed, CV_32F, static_cast<double>(d.gain), static_cast<double>(d.gain * d.offset));
    if (recolours_hsv(d)) {
        changed = cv::max(changed, 0.0);  // a negative value has no hue
        change_hsv(changed, d);
    }
    cv::Mat rounded;
    changed.convertTo(rounded, CV_8U);
    return rounded;
}

cv::Rect place_of(const Draw::Patch& patch, const cv::Size& size) {
    const auto pixels = [](float share, int extent) {
        return static_cast<int>(std::lround(static_cast<double>(share) * extent));
    };
    const cv::Rect wanted(pixels(patch.x, size.width), pixels(patch.y, size.height), pixels(patch.width, size.width),
                          pixels(patch.height, size.height));
    return wanted & cv::Rect({0, 0}, size);
}

}  // namespace

cv::Mat distorted(const cv::Mat& rgb, const Draw& drawn) {
    cv::Mat out = recoloured(rgb, drawn);
    for (const Draw::Patch& patch : drawn.patches) {
        if (patch.width <= 0) continue;
        if (out.data == rgb.data) out = rgb.clone();
        out(place_of(patch, out.size())).setTo(cv::Scalar::all(patch.value));
    }
    return out;
}

}  // namespace liven::data
