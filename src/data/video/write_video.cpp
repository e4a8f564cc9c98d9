#include <array>
#include <cstddef>
#include <fstream>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <string>

#include "liven/core/error.hpp"
#include "liven/data/video.hpp"
#include "src/core/writing.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/text.hpp"
#include "src/data/whole_file.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// Whether the file is as long as the head of its one chunk says.
bool is_whole_riff(const fs::path& path) {
    std::array<unsigned char, 8> head{};
    std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(head.data()), head.size());
    uintmax_t bytes = 0;
    for (size_t i = head.size(); i-- > 4;) bytes = bytes << 8 | head[i];
    std::error_code code;
    return bytes > 0 && fs::file_size(path, code) == bytes + head.size() && !code;
}

void write_frames(const std::string& name, const fs::path& path, int64_t count,
                  const std::function<Image(int64_t)>& frame, double rate) {
    const Image first = frame(0);
    cv::VideoWriter writer(fs::absolute(path).string(), cv::CAP_OPENCV_MJPEG,
                           cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), rate, {first.width, first.height});
    if (!writer.isOpened()) throw_unwritable(name, 0);
    for (int64_t i = 0; i < count; ++i) {
        const Image image = i == 0 ? first : frame(i);
        if (image.width != first.width || image.height != first.height)
            throw Error(name, "frame " + std::to_string(i) + " has another size than the first");
        cv::Mat bgr;
        cv::cvtColor(view(image), bgr, cv::COLOR_RGB2BGR);
        writer.write(bgr);
    }
}

}  // namespace

void write_video(const fs::path& path, int64_t count, const std::function<Image(int64_t)>& frame, double rate) {
    if (lower(path.extension().string()) != ".avi") throw Error(path.string(), "a video's name ends in .avi here");
    if (count < 1) throw Error(path.string(), "a video needs a frame");
    UnfinishedFile file(path, std::string(partial_ending) + ".avi");
    guarded(path.string(), [&] { write_frames(path.string(), file.path(), count, frame, rate); });
    // OpenCV does not say when the disk took only a part.
    if (!is_whole_riff(file.path())) throw_unwritable(path, 0);
    file.finish();
}

}  // namespace liven::data
