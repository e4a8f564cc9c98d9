#pragma once

#include <filesystem>
#include <string>

#include "liven/data/video.hpp"
#include "src/data/video/libav.hpp"

namespace liven::data {

/// A video file taken apart into packets. It opens that one file: no address, no pattern of names, nothing that the
/// file names.
class Container {
public:
    /// Throws Error for what is no video by its first bytes, is damaged, holds no stream of moving pictures, or states
    /// frames larger than a picture may be.
    explicit Container(const std::filesystem::path& path);

    const std::string& name() const { return name_; }
    /// The first stream of moving pictures; a cover is none.
    const AVStream& stream() const { return *file_->streams[stream_]; }
    /// What the file says; `frames` is 0 or less when it does not say.
    const VideoInfo& info() const { return info_; }
    /// By how many degrees, clockwise, the frames are to be turned before they are shown: 0, 90, 180 or 270.
    int turn() const { return turn_; }

    /// The stream's next packet with anything in it; null at the end, or where damage ends what can be read. Until the
    /// next call. Throws Error when the disk fails.
    const AVPacket* next();

private:
    std::string name_;
    LibavPtr<AVFormatContext> file_;
    LibavPtr<AVPacket> packet_;
    unsigned stream_ = 0;
    int turn_ = 0;
    VideoInfo info_;
};

}  // namespace liven::data
