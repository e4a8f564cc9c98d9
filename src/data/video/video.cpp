#include "liven/data/video.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>
#include <string>
#include <string_view>

#include "liven/core/error.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/names.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// Some containers state lengths that no file of theirs has.
constexpr int64_t kMostFrames = int64_t{1} << 32;

bool has_at(std::string_view head, size_t at, std::string_view mark) {
    return head.size() >= at + mark.size() && head.substr(at, mark.size()) == mark;
}

/// Play lists and scripts that name other files begin otherwise: none of them reaches a decoder.
bool begins_as_video(std::string_view head) {
    using namespace std::string_view_literals;
    if (has_at(head, 0, "RIFF"sv)) return has_at(head, 8, "AVI "sv);
    for (const std::string_view box : {"ftyp"sv, "moov"sv, "mdat"sv, "wide"sv, "free"sv, "skip"sv, "pnot"sv})
        if (has_at(head, 4, box)) return true;
    return has_at(head, 0, "\x1A\x45\xDF\xA3"sv) || has_at(head, 0, "\0\0\1\xBA"sv) ||
           has_at(head, 0, "\0\0\1\xB3"sv) || has_at(head, 0, "\x30\x26\xB2\x75"sv);
}

void require_video(const fs::path& path) {
    std::error_code code;
    if (!fs::is_regular_file(path, code))
        throw Error(path.string(), fs::exists(path, code) ? "expected a video file" : "there is no such file");
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (!file) throw Error(path.string(), "the file cannot be read");
    std::array<char, 16> head{};
    const size_t size = std::fread(head.data(), 1, head.size(), file.get());
    if (size == 0) throw Error(path.string(), "the file is empty");
    if (!begins_as_video({head.data(), size}))
        throw Error(path.string(), "the file is no video that can be read here",
                    "AVI, MP4, MOV, Matroska, WebM, MPEG and WMV are");
}

int64_t number_of(double property) {
    return property >= 0 && property < static_cast<double>(kMostFrames) ? static_cast<int64_t>(property) : -1;
}

/// An open video. A whole path, so that no name is taken for an address or a pattern of names.
class Video {
public:
    explicit Video(const fs::path& path) : name_(path.string()) {
        require_video(path);
        const std::string full = fs::absolute(path).string();
        if (!capture_.open(full, cv::CAP_FFMPEG) && !capture_.open(full, cv::CAP_OPENCV_MJPEG))
            throw Error(name_, "the video is damaged, or in a format that this OpenCV cannot decode");
        info_.width = static_cast<int>(std::max<int64_t>(0, number_of(capture_.get(cv::CAP_PROP_FRAME_WIDTH))));
        info_.height = static_cast<int>(std::max<int64_t>(0, number_of(capture_.get(cv::CAP_PROP_FRAME_HEIGHT))));
        info_.frames = number_of(capture_.get(cv::CAP_PROP_FRAME_COUNT));
        const double rate = capture_.get(cv::CAP_PROP_FPS);
        info_.rate = rate > 0 && rate < 1e6 ? rate : 0;
        if (int64_t{info_.width} * info_.height > max_pixels || info_.width < 1 || info_.height < 1)
            throw Error(name_, "its frames of " + std::to_string(info_.width) + " x " + std::to_string(info_.height) +
                                   " pixels are no size that is read here");
    }

    const VideoInfo& info() const { return info_; }
    /// Moves to the next frame without converting it; false at the end.
    bool grab() { return capture_.grab(); }
    int64_t count() {
        int64_t frames = 0;
        while (grab()) ++frames;
        return frames;
    }
    Image retrieve() {
        cv::Mat bgr;
        if (!capture_.retrieve(bgr) || bgr.empty() || bgr.type() != CV_8UC3)
            throw Error(name_, "a frame cannot be decoded");
        cv::cvtColor(bgr, bgr, cv::COLOR_BGR2RGB);
        return image_from(bgr);
    }

private:
    std::string name_;
    cv::VideoCapture capture_;
    VideoInfo info_;
};

}  // namespace

bool is_video(const fs::path& path) {
    const std::string ending = lower(path.extension().string());
    for (const char* known : {".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv"})
        if (ending == known) return true;
    return false;
}

VideoInfo inspect_video(const fs::path& path) {
    return guarded(path.string(), [&] {
        Video video(path);
        VideoInfo info = video.info();
        if (info.frames <= 0) info.frames = video.count();
        if (info.frames == 0) throw Error(path.string(), "the video holds no frame");
        return info;
    });
}

std::vector<Image> read_frames(const fs::path& path, std::span<const int64_t> frames) {
    std::vector<Image> out;
    visit_frames(path, frames, [&](size_t, Image&& image) { out.push_back(std::move(image)); });
    return out;
}

void visit_frames(const fs::path& path, std::span<const int64_t> frames,
                  const std::function<void(size_t, Image&&)>& see) {
    if (frames.empty() || frames.front() < 0 || !std::is_sorted(frames.begin(), frames.end()))
        throw Error(path.string(), "expected numbers of frames from 0 in rising order");
    guarded(path.string(), [&] {
        Video video(path);
        for (size_t next = 0, at = 0; next < frames.size(); ++at) {
            if (!video.grab())
                throw Error(path.string(), "the video ends, or is damaged, after " + std::to_string(at) +
                                               " frames; number " + std::to_string(frames[next]) + " is needed");
            if (frames[next] != static_cast<int64_t>(at)) continue;
            Image image = video.retrieve();
            for (; next + 1 < frames.size() && frames[next + 1] == frames[next]; ++next) see(next, Image(image));
            see(next++, std::move(image));
        }
    });
}

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

std::vector<fs::path> list_frames(const fs::path& folder) {
    std::vector<std::pair<int64_t, fs::path>> numbered;
    std::error_code code;
    for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code))
        if (has_image_ending(it->path()) && it->path().filename().string()[0] != '.')
            numbered.emplace_back(frame_of(it->path()).second, it->path());
    if (code) throw Error(folder.string(), "the folder cannot be read: " + code.message());
    std::sort(numbered.begin(), numbered.end());
    std::vector<fs::path> out;
    for (auto& [number, path] : numbered) out.push_back(std::move(path));
    return out;
}

}  // namespace liven::data
