#include <algorithm>
#include <optional>
#include <string>

#include "liven/core/error.hpp"
#include "liven/data/video.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/text.hpp"
#include "src/data/video/decoder.hpp"
#include "src/data/video/frame_painter.hpp"
#include "src/data/video/jpeg_tables.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// Which frames are wanted, and who gets them.
class Wanted {
public:
    Wanted(std::span<const int64_t> frames, const std::function<void(size_t, Image&&)>& see)
        : frames_(frames), see_(see) {}

    bool done() const { return next_ == frames_.size(); }
    int64_t number() const { return frames_[next_]; }
    /// Gives it away, as often as it is wanted.
    void give(Image&& image) {
        for (; next_ + 1 < frames_.size() && frames_[next_ + 1] == frames_[next_]; ++next_) see_(next_, Image(image));
        see_(next_++, std::move(image));
    }

private:
    std::span<const int64_t> frames_;
    const std::function<void(size_t, Image&&)>& see_;
    size_t next_ = 0;
};

/// Motion JPEG: each packet is a picture, so that those that nobody wants need only be counted. Stops before a packet
/// that is no picture by itself, and at the end.
void visit_pictures(Container& container, Wanted& wanted) {
    Decoder decoder(container);
    FramePainter painter(container.name(), container.turn());
    JpegTables tables;
    for (int64_t at = 0; !wanted.done(); ++at) {
        const AVPacket* const packet = container.next();
        if (packet == nullptr || (packet->flags & AV_PKT_FLAG_DISCARD) != 0) return;
        const bool complete = tables.see({packet->data, static_cast<size_t>(packet->size)});
        if (wanted.number() != at) continue;
        if (!complete || !decoder.decode(*packet)) return;
        wanted.give(painter.picture(decoder.frame()));
    }
}

/// Every codec: one frame after the other from the start.
void visit_all(Container& container, Wanted& wanted) {
    Decoder decoder(container);
    FramePainter painter(container.name(), container.turn());
    for (int64_t at = 0; !wanted.done(); ++at) {
        if (!decoder.next(container))
            throw Error(container.name(), "the video ends, or is damaged, after " + std::to_string(at) +
                                              " frames; number " + std::to_string(wanted.number()) + " is needed");
        if (wanted.number() == at) wanted.give(painter.picture(decoder.frame()));
    }
}

int64_t count_frames(Container& container) {
    Decoder decoder(container);
    int64_t frames = 0;
    while (decoder.next(container)) ++frames;
    return frames;
}

}  // namespace

bool is_video(const fs::path& path) {
    const std::string ending = lower(path.extension().string());
    for (const char* known : {".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv"})
        if (ending == known) return true;
    return false;
}

VideoInfo inspect_video(const fs::path& path) {
    return guarded(path.string(), [&] {
        Container container(path);
        VideoInfo info = container.info();
        if (info.frames <= 0) info.frames = count_frames(container);
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
        Wanted wanted(frames, see);
        std::optional<Container> container(path);
        if (container->stream().codecpar->codec_id == AV_CODEC_ID_MJPEG) {
            visit_pictures(*container, wanted);
            if (wanted.done()) return;
            container.emplace(path);
        }
        visit_all(*container, wanted);
    });
}

}  // namespace liven::data
