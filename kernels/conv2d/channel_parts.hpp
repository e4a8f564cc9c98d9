#pragma once

#include "kernels/conv2d/table.hpp"
#include "kernels/maps/band.hpp"

namespace liven::kernels {

/// Channels, a multiple of 16, cut into as few parts as `most` allows, as equal as multiples of 16 can be.
class ChannelParts {
public:
    ChannelParts(int64_t channels, int64_t most)
        : blocks_(channels / conv_block), count_((channels + most - 1) / most) {}

    int64_t count() const { return count_; }
    int64_t widest() const { return (blocks_ + count_ - 1) / count_ * conv_block; }
    ChannelSlice operator[](int64_t part) const {
        return {.first = begin(part), .count = begin(part + 1) - begin(part)};
    }

private:
    int64_t begin(int64_t part) const { return blocks_ * part / count_ * conv_block; }

    int64_t blocks_, count_;
};

}  // namespace liven::kernels
