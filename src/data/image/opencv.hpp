#pragma once

#include <opencv2/core.hpp>
#include <string_view>

#include "liven/data/image.hpp"

/// The bridge to OpenCV, for compiled code only.
namespace liven::data {

/// OpenCV's own threads off, its log to errors only; once for the process. Beside Liven's threads they cost more than
/// they bring.
void tame_opencv();

/// The picture's memory as a matrix, red first; shares the pixels. Writing through a view of a const picture is the
/// caller's fault.
cv::Mat view(const Image& image);
Image image_from(const cv::Mat& rgb);

/// OpenCV's number for an interpolation.
int flag_of(Interpolation interpolation);

/// Runs `body` and turns cv::Exception and std::bad_alloc into Error(where, ...).
template <class Body>
auto guarded(std::string_view where, Body&& body) -> decltype(body());

[[noreturn]] void rethrow_as_error(std::string_view where);

template <class Body>
auto guarded(std::string_view where, Body&& body) -> decltype(body()) {
    tame_opencv();
    try {
        return body();
    } catch (...) {
        rethrow_as_error(where);
    }
}

}  // namespace liven::data
