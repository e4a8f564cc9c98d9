#include "liven/train/cue_picture.hpp"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <string>

#include "liven/core/error.hpp"

namespace liven {
namespace {

constexpr double kLeastFull = 0.02;  // a threshold of 1 would light up rounding errors

std::unique_ptr<Objective> objective_with_map(Module& model) {
    auto objective = model.objective();
    if (!objective->maps())
        throw Error("cue map", std::string(model.type()) + " does not show where its scores come from",
                    "lgsc is a model that does");
    return objective;
}

cv::Mat matrix_of(const data::Image& image) {
    return {image.height, image.width, CV_8UC3, const_cast<uint8_t*>(image.pixels.data())};
}

}  // namespace

data::Image colour_map(std::span<const float> values, int width, int height, double full) {
    if (values.size() != static_cast<size_t>(width) * static_cast<size_t>(height))
        throw Error("colour map", "expected " + std::to_string(width) + " x " + std::to_string(height) +
                                      " values, got " + std::to_string(values.size()));
    cv::Mat level(height, width, CV_8U), colours;
    std::transform(values.begin(), values.end(), level.data, [&](float value) {
        return static_cast<uint8_t>(255 * std::clamp(static_cast<double>(value) / full, 0.0, 1.0));
    });
    cv::applyColorMap(level, colours, cv::COLORMAP_INFERNO);
    data::Image image(width, height);
    cv::Mat rgb = matrix_of(image);
    cv::cvtColor(colours, rgb, cv::COLOR_BGR2RGB);
    return image;
}

data::Image beside(const data::Image& left, const data::Image& right) {
    if (left.height != right.height)
        throw Error("pictures",
                    "expected one height, got " + std::to_string(left.height) + " and " + std::to_string(right.height));
    data::Image both(left.width + right.width, left.height);
    cv::Mat sheet = matrix_of(both);
    matrix_of(left).copyTo(sheet(cv::Rect(0, 0, left.width, left.height)));
    matrix_of(right).copyTo(sheet(cv::Rect(left.width, 0, right.width, right.height)));
    return both;
}

CuePainter::CuePainter(Module& model, const ModelFileInfo& info)
    : preprocess_(info.preprocess),
      objective_(objective_with_map(model)),
      session_(model, info.input),
      full_(std::clamp(2 * (1 - info.threshold.value), kLeastFull, 1.0)) {}

data::Image CuePainter::operator()(const data::Image& frame) {
    std::vector<float> pixels(frame.pixels.size());
    preprocess_.to_float(frame, pixels.data());
    return (*this)(session_.run(pixels));
}

data::Image CuePainter::operator()(std::span<const float> output) const {
    return colour_map(objective_->map(output), preprocess_.width, preprocess_.height, full_);
}

}  // namespace liven
