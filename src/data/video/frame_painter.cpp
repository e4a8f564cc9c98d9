#include "src/data/video/frame_painter.hpp"

#include <algorithm>
#include <array>
#include <opencv2/imgproc.hpp>

#include "liven/core/error.hpp"
#include "src/data/image/opencv.hpp"

namespace liven::data {
namespace {

/// Vectors are written past the end of a row: each begins at a multiple of this, and has as much room behind it.
constexpr int kSlack = 64;

int row_bytes(int width) { return (width * 3 + kSlack + kSlack - 1) / kSlack * kSlack; }

Image turned(const Image& image, int turn) {
    if (turn == 0) return image;
    const int flag = turn == 90    ? cv::ROTATE_90_CLOCKWISE
                     : turn == 180 ? cv::ROTATE_180
                                   : cv::ROTATE_90_COUNTERCLOCKWISE;
    Image out = turn == 180 ? Image(image.width, image.height) : Image(image.height, image.width);
    cv::Mat into = view(out);
    cv::rotate(view(image), into, flag);
    return out;
}

}  // namespace

Image FramePainter::picture(const AVFrame& frame) {
    if (frame.width < 1 || frame.height < 1 || int64_t{frame.width} * frame.height > max_pixels)
        throw Error(name_, "a frame has " + std::to_string(frame.width) + " x " + std::to_string(frame.height) +
                               " pixels, which is no size that is read here");
    const auto format = static_cast<AVPixelFormat>(frame.format);
    conversion_.reset(sws_getCachedContext(conversion_.release(), frame.width, frame.height, format, frame.width,
                                           frame.height, AV_PIX_FMT_BGR24, SWS_BICUBIC, nullptr, nullptr, nullptr));
    if (!conversion_) throw Error(name_, "a frame is stored in a way that has no picture in red, green and blue");
    const int stride = row_bytes(frame.width);
    const size_t needed = static_cast<size_t>(stride) * (static_cast<size_t>(frame.height) + 1);
    if (bytes_ < needed) {
        rows_ = allocated(static_cast<uint8_t*>(av_malloc(needed)));
        bytes_ = needed;
    }
    const std::array<uint8_t*, 4> into{rows_.get()};
    const std::array<int, 4> strides{stride};
    if (sws_scale(conversion_.get(), frame.data, frame.linesize, 0, frame.height, into.data(), strides.data()) !=
        frame.height)
        throw Error(name_, "a frame cannot be decoded");
    // Blue first is the order that FFmpeg converts to with vectors, to other values than red first in the last bit.
    Image image(frame.width, frame.height);
    cv::Mat rgb = view(image);
    cv::cvtColor(cv::Mat(frame.height, frame.width, CV_8UC3, rows_.get(), static_cast<size_t>(stride)), rgb,
                 cv::COLOR_BGR2RGB);
    return turn_ == 0 ? image : turned(image, turn_);
}

}  // namespace liven::data
