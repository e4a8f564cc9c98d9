#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace liven::data {

/// Slots of equal size in memory, or in a nameless mapped file.
class FrameCache {
public:
    FrameCache() = default;
    /// Room for `slots` frames of `frame_bytes`: in memory when that fits `limit`, else in a file in `folder` when one
    /// is given, else as many as fit. Throws Error when the disk has not the space.
    FrameCache(int64_t slots, size_t frame_bytes, size_t limit, const std::filesystem::path& folder);
    ~FrameCache();
    FrameCache(const FrameCache&) = delete;
    FrameCache& operator=(const FrameCache&) = delete;

    int64_t slots() const { return slots_; }
    size_t bytes() const { return bytes_; }
    uint8_t* slot(int64_t i) const { return base_ + static_cast<size_t>(i) * frame_bytes_; }

private:
    void map(int descriptor);

    uint8_t* base_ = nullptr;
    size_t bytes_ = 0, frame_bytes_ = 0;
    int64_t slots_ = 0;
};

}  // namespace liven::data
