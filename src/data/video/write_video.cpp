#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <string>

#include "liven/core/error.hpp"
#include "liven/data/video.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;

void write_video(const fs::path& path, int64_t count, const std::function<Image(int64_t)>& frame, double rate) {
    if (lower(path.extension().string()) != ".avi") throw Error(path.string(), "a video's name ends in .avi here");
    if (count < 1) throw Error(path.string(), "a video needs a frame");
    guarded(path.string(), [&] {
        const Image first = frame(0);
        cv::VideoWriter writer(fs::absolute(path).string(), cv::CAP_OPENCV_MJPEG,
                               cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), rate, {first.width, first.height});
        if (!writer.isOpened())
            throw Error(path.string(), "the video cannot be written", "is there space, and may you write there?");
        for (int64_t i = 0; i < count; ++i) {
            const Image image = i == 0 ? first : frame(i);
            if (image.width != first.width || image.height != first.height)
                throw Error(path.string(), "frame " + std::to_string(i) + " has another size than the first");
            cv::Mat bgr;
            cv::cvtColor(view(image), bgr, cv::COLOR_RGB2BGR);
            writer.write(bgr);
        }
    });
}

}  // namespace liven::data
