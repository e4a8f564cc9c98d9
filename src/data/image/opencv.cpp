#include "src/data/image/opencv.hpp"

#include <cstring>
#include <mutex>
#include <new>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "liven/core/error.hpp"

namespace liven::data {

void tame_opencv() {
    static std::once_flag once;
    std::call_once(once, [] {
        cv::setNumThreads(0);
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_ERROR);
    });
}

cv::Mat view(const Image& image) {
    return {image.height, image.width, CV_8UC3, const_cast<uint8_t*>(image.pixels.data())};
}

Image image_from(const cv::Mat& rgb) {
    Image image(rgb.cols, rgb.rows);
    const size_t row = static_cast<size_t>(rgb.cols) * 3;
    for (int y = 0; y < rgb.rows; ++y) std::memcpy(image.at(0, y), rgb.ptr(y), row);
    return image;
}

int flag_of(Interpolation interpolation) {
    switch (interpolation) {
        case Interpolation::bilinear:
            return cv::INTER_LINEAR;
        case Interpolation::lanczos:
            return cv::INTER_LANCZOS4;
        case Interpolation::area:
            return cv::INTER_AREA;
    }
    return cv::INTER_LINEAR;
}

void rethrow_as_error(std::string_view where) {
    try {
        throw;
    } catch (const cv::Exception& error) {
        throw Error(where, "OpenCV failed: " + std::string(error.err));
    } catch (const std::bad_alloc&) {
        throw Error(where, "the system has not enough memory for the picture");
    }
}

}  // namespace liven::data
