#pragma once

#include <opencv2/core.hpp>

#include "liven/data/augment.hpp"

namespace liven::data {

/// The part of a drawn change that comes before the picture is moved: offset, gain, saturation and hue in HSV, then
/// patches. Pixels are rounded to 8 bits once, at its end. Gives `rgb` itself when nothing of it was drawn.
cv::Mat distorted(const cv::Mat& rgb, const Draw& drawn);

}  // namespace liven::data
