#pragma once

#include "src/data/video/container.hpp"

namespace liven::data {

/// Frames out of packets, in the order in which they are shown.
class Decoder {
public:
    /// Throws Error when no decoder that may run knows the codec.
    explicit Decoder(const Container& container);

    /// Makes the next frame from as many packets as it takes; false at the end, or at what cannot be decoded.
    bool next(Container& container);
    /// Makes a frame from this packet alone; false when that gives none.
    bool decode(const AVPacket& packet);
    /// What was made last.
    const AVFrame& frame() const { return *frame_; }

private:
    LibavPtr<AVCodecContext> codec_;
    LibavPtr<AVFrame> frame_;
};

}  // namespace liven::data
