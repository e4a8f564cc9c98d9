#pragma once

#include <string>
#include <utility>

#include "liven/data/image.hpp"
#include "src/data/video/libav.hpp"

namespace liven::data {

/// Pictures of decoded frames.
class FramePainter {
public:
    /// `turn`: degrees clockwise, a multiple of 90. `name` stands in messages.
    FramePainter(std::string name, int turn) : name_(std::move(name)), turn_(turn) {}

    /// The frame in its own size, turned. Luma and chroma become red, green and blue as ITU-R BT.601 has it, whatever
    /// the file says. Throws Error for a frame larger than a picture may be, or of a kind that has no such picture.
    Image picture(const AVFrame& frame);

private:
    std::string name_;
    int turn_;
    LibavPtr<SwsContext> conversion_;
    LibavPtr<uint8_t> rows_;
    size_t bytes_ = 0;
};

}  // namespace liven::data
